"""The functions of a stream's stack: the scorer, the stored states and the destinations that their settings name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.destinations import outbox_delivery, row_target
from cutwatch.delivery.outbox_delivery import OutboxDelivery
from cutwatch.delivery.stream_reader import stream_postprocessor, stream_reader
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidSetting
from cutwatch.settings import StreamSettings
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.history import learn
from cutwatch.streams.key_bucket import BucketHeader
from cutwatch.streams.kinesis import Retention, is_read_to_the_end
from cutwatch.streams.notices import HasExpired, announce_configuration
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.sweep import Sweep
from cutwatch.streams.trained_model import load_model

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


# ARNs of Kafka topics, as settings have them, begin with this.
_KAFKA = "kafka:"


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
        keeps_summaries = bool(self.deliver.results_url)
        return BatchScorer(
            self.scorer,
            self.store,
            self.deliver,
            self.keeps_rows,
            self.has_expired,
            keeps_summaries,
        )

    def sweep(self, kinesis: "KinesisClient") -> Sweep:
        """Return the sweep over the stream's buckets, which asks Kinesis whether records are waiting."""
        return Sweep(
            self.scorer,
            self.store,
            self.deliver,
            # Kafka does not say whether records wait: only its next records close its windows.
            lambda applied: (
                not self.arn.startswith(_KAFKA) and is_read_to_the_end(kinesis, self.arn, applied)
            ),
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
    bucket = Bucket(client("s3"), settings.bucket_name)
    trained = load_model(bucket, stream)
    store = StateStore(bucket, stream)
    buckets = store.buckets(_beginning(settings, store, reader, has_time))
    target = row_target(settings.target_arn)
    postprocessor = stream_postprocessor(stream, folder)
    return StreamFunction(
        stream,
        store,
        StreamScorer(stream, buckets, reader, trained),
        outbox_delivery(settings, stream, target, postprocessor, settings.results_url),
        target is not None,
        settings.stream_arn,
        _expiry(settings.stream_arn),
    )


def _expiry(arn: str) -> HasExpired:
    """Return a function that says whether records have expired; of a Kafka topic it is not known."""
    if arn.startswith(_KAFKA):
        return lambda _: False
    return Retention(client("kinesis"), arn, time).has_expired


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


def declared_stream(settings: StreamSettings, folder: Path) -> Stream | None:
    """Return the stack's stream as `detectors.yaml` declares it; None if it does not. Raises `InvalidDetectors`."""
    streams = load_configuration(folder / settings.detectors_file).streams
    return next((each for each in streams if each.name == settings.stream_name), None)


def _stream(settings: StreamSettings, folder: Path) -> Stream:
    stream = declared_stream(settings, folder)
    if stream is None:
        streams = load_configuration(folder / settings.detectors_file).streams
        names = ", ".join(each.name for each in streams) or "none"
        raise InvalidSetting(
            f"STREAM_NAME is {settings.stream_name!r}, which {settings.detectors_file} does not declare; its streams: {names}"
        )
    if stream.source not in (settings.stream_arn, settings.stream_arn.rpartition("/")[2]):
        raise InvalidSetting(
            f"STREAM_ARN is {settings.stream_arn!r}, but stream {stream.name!r} has source {stream.source!r}"
        )
    return stream
