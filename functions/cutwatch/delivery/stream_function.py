"""The functions of a stream's stack: the scorer, the stored states and the destinations that their settings name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.delivery.incidents import IncidentNotifier
from cutwatch.delivery.outbox_delivery import OutboxDelivery
from cutwatch.delivery.queues import QueueTarget, RowTarget, StreamTarget
from cutwatch.delivery.stream_reader import stream_postprocessor, stream_reader
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidSetting
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.registry.silence_store import SilenceStore
from cutwatch.settings import StreamSettings
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.history import learn
from cutwatch.streams.key_bucket import BucketHeader
from cutwatch.streams.kinesis import Retention, is_read_to_the_end
from cutwatch.streams.notices import HasExpired, announce_configuration
from cutwatch.streams.postprocessing import Postprocessor
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.sweep import Sweep

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


@dataclass(frozen=True)
class StreamFunction:
    """Scorer, stored states and destinations of one stream, kept between invocations."""

    stream: Stream
    store: StateStore
    scorer: StreamScorer
    deliver: OutboxDelivery
    keeps_rows: bool
    arn: str
    has_expired: HasExpired
    headers: dict[int, tuple[str, BucketHeader]] = field(default_factory=dict)

    @property
    def batches(self) -> BatchScorer:
        """The scoring of batches."""
        return BatchScorer(self.scorer, self.store, self.deliver, self.keeps_rows, self.has_expired)

    def sweep(self, kinesis: "KinesisClient") -> Sweep:
        """Return the sweep over the stream's buckets, which asks Kinesis whether records are waiting."""
        return Sweep(
            self.scorer,
            self.store,
            self.deliver,
            lambda applied: is_read_to_the_end(kinesis, self.arn, applied),
            self.headers,
        )


_functions: dict[StreamSettings, StreamFunction] = {}


def stream_function(
    settings: StreamSettings, folder: Path, has_time: Callable[[], bool] = lambda: True
) -> StreamFunction:
    """Return the functions of a stream, the same at each call; `folder` has `detectors.yaml`.

    The first call of a configuration learns the history, if there is one. Raises `InvalidSetting` or `InvalidDetectors`.
    """
    if settings not in _functions:
        _functions[settings] = _assembled(settings, _stream(settings, folder), folder, has_time)
    return _functions[settings]


def _assembled(
    settings: StreamSettings, stream: Stream, folder: Path, has_time: Callable[[], bool]
) -> StreamFunction:
    reader = stream_reader(stream, folder, settings.stream_arn)
    store = StateStore(Bucket(client("s3"), settings.bucket_name), stream)
    target = _target(settings.target_arn)
    return StreamFunction(
        stream,
        store,
        StreamScorer(stream, store.buckets(_beginning(settings, store, reader, has_time)), reader),
        _delivery(settings, stream, stream_postprocessor(stream, folder), target),
        target is not None,
        settings.stream_arn,
        Retention(client("kinesis"), settings.stream_arn, time).has_expired,
    )


def _beginning(
    settings: StreamSettings, store: StateStore, reader: RecordReader, has_time: Callable[[], bool]
) -> Callable[[int], None]:
    """Return a function that learns the history into a number of buckets, and announces a changed configuration."""

    def begin(buckets: int) -> None:
        if settings.history_location:
            name, _, prefix = settings.history_location.partition("/")
            now = datetime.now(UTC).timestamp()
            learn(Bucket(client("s3"), name), prefix, store, buckets, now, has_time, reader)
        announce_configuration(store)

    return begin


def _stream(settings: StreamSettings, folder: Path) -> Stream:
    configuration = load_configuration(folder / settings.detectors_file)
    declared = {stream.name: stream for stream in configuration.streams}
    if settings.stream_name not in declared:
        names = ", ".join(declared) or "none"
        raise InvalidSetting(
            f"STREAM_NAME is {settings.stream_name!r}, which {settings.detectors_file} does not declare; its streams: {names}"
        )
    stream = declared[settings.stream_name]
    if stream.source not in (settings.stream_arn, settings.stream_arn.rpartition("/")[2]):
        raise InvalidSetting(
            f"STREAM_ARN is {settings.stream_arn!r}, but stream {stream.name!r} has source {stream.source!r}"
        )
    return stream


def _delivery(
    settings: StreamSettings,
    stream: Stream,
    postprocessor: Postprocessor | None,
    target: RowTarget | None,
) -> OutboxDelivery:
    table = Table(client("dynamodb"), settings.table_name)
    sns = client("sns")
    notifier = IncidentNotifier(
        stream,
        StackPlace(settings.base_stack, settings.aws_region, settings.anomaly_namespace),
        client("events"),
        sns,
        settings.topic_arn,
        IncidentStore(table),
        SilenceStore(table),
        settings.notification_severity,
        postprocessor,
    )
    return OutboxDelivery(
        stream.name,
        notifier,
        sns,
        settings.operations_topic_arn,
        client("sqs"),
        settings.rejected_records_url,
        target,
        lambda: datetime.now(UTC),
    )


def _target(arn: str) -> RowTarget | None:
    """Return the target that an ARN names, a Kinesis stream or a queue; None without one."""
    if not arn:
        return None
    if arn.split(":")[2] == "kinesis":
        return StreamTarget(client("kinesis"), arn)
    _, _, _, _, account, name = arn.split(":")
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    return QueueTarget(sqs, url)
