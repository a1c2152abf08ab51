"""The functions of a stream's stack: the scorer, the stored states and the destinations that their settings name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.declared_stream import declared_stream
from cutwatch.delivery.destinations import outbox_delivery, row_target
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.delivery.outbox_delivery import OutboxDelivery
from cutwatch.delivery.stream_reader import stream_postprocessor, stream_reader
from cutwatch.detectors.kafka_source import is_of_kafka
from cutwatch.detectors.stream import Stream
from cutwatch.endpoints.invocation import ScoringEndpoint
from cutwatch.errors import InvalidSetting
from cutwatch.settings import StreamSettings
from cutwatch.streams.archive import LANE as HISTORY
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.endpoint_scores import EndpointScores
from cutwatch.streams.history import learn
from cutwatch.streams.kafka_lag import is_read_to_the_end as is_topic_read
from cutwatch.streams.key_bucket import BucketHeader
from cutwatch.streams.kinesis import Retention, is_read_to_the_end
from cutwatch.streams.model_source import ModelSource
from cutwatch.streams.notices import (
    HasExpired,
    announce_configuration,
    announce_missing_forest,
)
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.sweep import Sweep

if TYPE_CHECKING:
    from cutwatch.streams.detector_forest import DetectorForest
    from cutwatch.streams.trained_model import TrainedModel


@dataclass(frozen=True)
class StreamFunction:
    """Scorer, stored states and destinations of one stream, kept between invocations."""

    stream: Stream
    store: StateStore
    models: ModelSource
    scorer: StreamScorer
    deliver: OutboxDelivery
    arn: str
    has_expired: HasExpired
    reader_function: str = ""
    endpoint_name: str = ""
    headers: dict[int, tuple[str, BucketHeader]] = field(default_factory=dict)

    @property
    def batches(self) -> BatchScorer:
        """The scoring of batches. Raises `InvalidSetting` if an endpoint is to score them, and the function has none."""
        keeps_summaries = bool(self.deliver.results_url)
        return BatchScorer(
            self.scorer,
            self.store,
            self.deliver,
            self.has_expired,
            keeps_summaries,
            self._endpoint(),
        )

    def _endpoint(self) -> EndpointScores | None:
        if not self.stream.is_scored_by_endpoint:
            return None
        if not self.endpoint_name:
            raise InvalidSetting(
                f"stream {self.stream.name!r} has model: {self.stream.model}; deploy its stack with EndpointName"
            )
        return EndpointScores(
            ScoringEndpoint(client("sagemaker-runtime"), self.endpoint_name), self.models
        )

    @property
    def sweep(self) -> Sweep:
        """The sweep over the stream's buckets, which asks Kinesis or CloudWatch whether records are waiting."""
        return Sweep(
            self.scorer,
            self.store,
            self.deliver,
            self._is_topic_read if is_of_kafka(self.arn) else self._is_stream_read,
            self.headers,
            bool(self.deliver.results_url),
        )

    def _is_stream_read(self, applied: Mapping[str, int]) -> bool:
        return is_read_to_the_end(client("kinesis"), self.arn, applied)

    def _is_topic_read(self, _: Mapping[str, int]) -> bool:
        newest = max(
            (
                arrival
                for _, header in self.headers.values()
                for lane, arrival in header.arrivals.items()
                if lane != HISTORY
            ),
            default=0.0,
        )
        now = datetime.now(UTC)
        return is_topic_read(client("cloudwatch"), self.reader_function, newest, now)


_functions: dict[StreamSettings, StreamFunction] = {}


def stream_function(
    settings: StreamSettings, folder: Path, has_time: Callable[[], bool] = lambda: True
) -> StreamFunction:
    """Return the functions of a stream with its current model, the same at each call; `folder` has `detectors.yaml`.

    The first call of a configuration learns the history, if there is one. Raises `InvalidSetting` or `InvalidDetectors`.
    """
    if settings not in _functions:
        _functions[settings] = _assembled(settings, folder, has_time)
    found = _functions[settings]
    found.scorer.use(found.models.current())
    return found


def _assembled(
    settings: StreamSettings, folder: Path, has_time: Callable[[], bool]
) -> StreamFunction:
    file = folder / settings.detectors_file
    stream = declared_stream(file, settings.stream_name, settings.stream_arn)
    reader = stream_reader(stream, folder, settings.stream_arn)
    bucket = Bucket(client("s3"), settings.bucket_name)
    models = ModelSource(bucket, stream, time)
    trained = models.current()
    first = _cold_start(settings, file, stream, bucket)
    incidents = IncidentStore(Table(client("dynamodb"), settings.table_name))
    store = StateStore(bucket, stream, open_incidents=partial(incidents.open, stream.name))
    buckets = store.buckets(_beginning(settings, store, reader, has_time, trained, first))
    target = row_target(settings.target_arn)
    postprocessor = stream_postprocessor(stream, folder)
    return StreamFunction(
        stream,
        store,
        models,
        StreamScorer(
            stream,
            buckets,
            reader,
            trained,
            models.newest,
            first=first,
            keeps_rows=target is not None,
        ),
        outbox_delivery(settings, stream, target, postprocessor, settings.results_url),
        settings.stream_arn,
        _expiry(settings.stream_arn),
        settings.scoring_function,
        settings.endpoint_name,
    )


def _cold_start(
    settings: StreamSettings, file: Path, stream: Stream, bucket: Bucket
) -> "DetectorForest | None":
    if not (stream.cold_start or settings.cold_start_detector):
        return None
    # Checkpoints of detectors need numpy, which takes long to import, and most streams begin without.
    found: DetectorForest | None = import_module(
        "cutwatch.delivery.cold_start_forest"
    ).cold_start_forest(settings, file, stream, bucket)
    return found


def _expiry(arn: str) -> HasExpired:
    """Return a function that says whether records have expired; of Kafka topics it is not known."""
    if is_of_kafka(arn):
        return lambda _: False
    return Retention(client("kinesis"), arn, time).has_expired


def _beginning(
    settings: StreamSettings,
    store: StateStore,
    reader: RecordReader,
    has_time: Callable[[], bool],
    trained: "TrainedModel | None",
    first: "DetectorForest | None",
) -> Callable[[int], None]:
    """Return a function that learns the history into a number of buckets, and announces what keys do not begin with."""

    def begin(buckets: int) -> None:
        if settings.history_location:
            name, _, prefix = settings.history_location.partition("/")
            now = datetime.now(UTC).timestamp()
            archive = Bucket(client("s3"), name)
            learn(archive, prefix, store, buckets, now, has_time, reader, trained, first)
        announce_configuration(store)
        announce_missing_forest(store, first)

    return begin
