"""Training of a log stream's model in a function: records from S3, a new current model, or the one before."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import time
from typing import Any

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.declared_stream import declared_stream
from cutwatch.delivery.stream_reader import stream_reader
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidInput, InvalidSetting, TrainingRefused
from cutwatch.features.log_event import LogEvent
from cutwatch.observability import logger
from cutwatch.settings import TrainLogSettings
from cutwatch.streams.archive import newest
from cutwatch.streams.log_training import Training, train_stream
from cutwatch.streams.model_register import CurrentModel, ModelRegister, ModelVersion
from cutwatch.streams.record import Record
from cutwatch.streams.record_reader import RecordReader

# Records that are trained with, the newest there are: as many as a function has memory and time for.
MOST_RECORDS = 500_000
# A model that finds more of the newest records anomalous does not replace another one.
MOST_ANOMALOUS = 0.05
_SCHEDULER = "aws.events"
_FIELDS = ("force", "roll_back")


@dataclass(frozen=True)
class LogTrainer:
    """Trains one stream; `clock` returns epoch seconds."""

    stream: Stream
    reader: RecordReader
    archive: Bucket
    prefix: str
    register: ModelRegister
    clock: Callable[[], float]

    def run(self, event: Any) -> dict[str, Any]:
        """Train, or with `roll_back` (true, or a version) make an earlier model current; return what is current.

        `force` takes a model whatever it finds. Training by hand ends the hold of a rollback, a scheduled one waits for that. Raises `InvalidInput` and
        `TrainingRefused`.
        """
        asked = _checked(event)
        if asked.get("roll_back"):
            to = asked["roll_back"]
            return outcome(self.register.roll_back("" if to is True else to), "rolled back")
        current = self.register.read()
        if current.held and asked.get("source") == _SCHEDULER:
            logger.warning("not trained", reason=f"model {current.version} is held since a rollback")  # fmt: skip
            return outcome(current, "held")
        trained, rejected = self._train()
        return self._take(trained, current, bool(asked.get("force"))) | {"rejected": rejected}

    def _train(self) -> tuple[Training, dict[str, int]]:
        events = list[LogEvent]()
        rejected: Counter[str] = Counter()
        for _, contents in self.reader.read(
            newest(self.archive, self.prefix, self.clock(), MOST_RECORDS)
        ):
            events += [each.event for each in contents if isinstance(each, Record) and each.event]
            rejected.update(str(each.reason) for each in contents if not isinstance(each, Record))
        if not events:
            raise InvalidInput(
                f"{self.archive.uri(self.prefix)}: no line is a log record of stream {self.stream.name!r}; rejected: {dict(rejected)}"
            )
        events.sort(key=lambda each: each.time)
        return train_stream(self.stream, events), dict(rejected)

    def _take(self, trained: Training, current: CurrentModel, force: bool) -> dict[str, Any]:  # noqa: FBT001 - one caller
        entry = trained.entry(self.clock())
        known = current.current
        if known is not None and _is_same(known, entry):
            return outcome(current, "unchanged")
        if current.version and not force and (entry.anomalous or 0.0) > MOST_ANOMALOUS:
            raise TrainingRefused(
                f"the new model finds {entry.anomalous:.1%} of the newest records anomalous, more than {MOST_ANOMALOUS:.0%}; model "
                f'{current.version} stays current. Train again without the incident, or with {{"force": true}}'
            )
        return outcome(self.register.add(trained.fitted, entry), "trained")


def _is_same(known: ModelVersion, trained: ModelVersion) -> bool:
    """Return True if a training repeats one: forests with equal content may differ in bytes."""
    return replace(trained, version=known.version, trained_at=known.trained_at) == known


def _checked(event: Any) -> Mapping[str, Any]:
    if not isinstance(event, dict):
        raise InvalidInput(f"the event is {type(event).__name__}; expected an object")
    force, to = (event.get(name) for name in _FIELDS)
    if not isinstance(force, bool | None):
        raise InvalidInput(f"force is {force!r}; expected true or false")
    if not isinstance(to, bool | str | None):
        raise InvalidInput(f"roll_back is {to!r}; expected true, or the version of a model")
    return event


def outcome(current: CurrentModel, what: str) -> dict[str, Any]:
    """Return the current model and the versions of a register as JSON values, after what happened to it."""
    described = asdict(current.current) if current.current else {}
    return {
        "outcome": what,
        **described,
        "held": current.held,
        "versions": [each.version for each in current.versions],
    }


def log_trainer(settings: TrainLogSettings, folder: Path) -> LogTrainer:
    """Return the trainer of a stack's stream; `folder` has `detectors.yaml`. Raises `InvalidSetting` or `InvalidDetectors`."""
    file = folder / settings.detectors_file
    stream = declared_stream(file, settings.stream_name, settings.stream_arn)
    if stream.log is None:
        raise InvalidSetting(f"stream {stream.name!r} has no log; only logs are trained")
    if stream.is_scored_by_endpoint:
        raise InvalidSetting(
            f"SageMaker trains the model of stream {stream.name!r}: run cutwatch train FILE --stream {stream.name} --upload"
        )
    s3 = client("s3")
    name, _, prefix = settings.history_location.partition("/")
    # Lines on their own do not have Kafka's keys, which a training does not need.
    log = replace(stream.log, key="") if stream.log.is_keyed_by_kafka else stream.log
    reader = stream_reader(stream.with_log(log), folder, settings.stream_arn)
    register = ModelRegister(Bucket(s3, settings.bucket_name), stream)
    return LogTrainer(stream, reader, Bucket(s3, name), prefix, register, time)
