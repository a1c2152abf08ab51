"""A stream: records to score as they arrive, with the settings of its forests and of its detection."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Le, Len

from cutwatch.detectors.detector import (
    Direction,
    Feature,
    MinimumDeviation,
    Sensitivity,
    name_problems,
    time_zone_problems,
)
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.detectors.kafka_source import is_of_kafka, source_problems, topics_of
from cutwatch.detectors.log_format import LOG_COLUMNS, LogFormat
from cutwatch.detectors.metric_source import Problem
from cutwatch.detectors.python_function import FUNCTION_NAME, LAMBDA_ARN
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.reference_data import ReferenceData, reference_problems
from cutwatch.detectors.stream_model import model_problems
from cutwatch.detectors.stream_window import StreamWindow, statistics_problems

_ARN = re.compile(
    r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/(?P<name>[A-Za-z0-9_.-]{1,128})"
)
_STREAM_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# Settings that scores depend on. A change makes stored states invalid; a change of the sensitivity does not.
_SCORED_WITH = ("record", "window", "forest", "time_zone")
_TRAINED_WITH = ("log", "model", "model_version")


# Settings that are newer than stored states: they count if they are not at their defaults.
_ADDED_TO_WINDOWS = ("every", "missing_data")

# Models that give the rows of a stream their scores; the first learns, the others are fitted in training.
Model = Literal[
    "random_cut_forest", "harmonic_regression", "one_class_svm", "random_cut_forest_endpoint"
]


@dataclass(frozen=True)
class ForestSettings:
    """Parameters of Kinesis Data Analytics' RANDOM_CUT_FOREST, with its ranges and defaults.

    After `time_decay` rows, what was learned weighs 1/e. With `directionality`, every scored row is
    attributed to its columns, each with a direction; without, only the rows of incidents are.
    """

    trees: Annotated[int, Ge(1), Le(1_000)] = 100
    sample_size: Annotated[int, Ge(10), Le(1_000)] = 256
    time_decay: Annotated[int, Ge(1), Le(2_147_483_647)] = 100_000
    shingle_size: Annotated[int, Ge(1), Le(30)] = 1
    directionality: bool = False

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.sample_size >= self.time_decay:
            raise ValueError(
                f"time_decay: {self.time_decay} must be greater than sample_size, {self.sample_size}"
            )


@dataclass(frozen=True)
class KeySettings:
    """At most `limit` keys have a forest; when it is reached, a new key replaces those idle for `idle_days`."""

    limit: Annotated[int, Ge(1), Le(10_000)] = 100
    idle_days: Annotated[float, Ge(1), Le(365)] = 7.0

    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True)
class IncidentBegin:
    """An incident begins when `at_least` rows of a key within `within` seconds have this severity and score.

    `severity` is in multiples of the cutoff, `score` the forest's. The default is the first anomalous row. The incident ends
    when no row has been anomalous for `ends_after` seconds.
    """

    at_least: Annotated[int, Ge(1), Le(100)] = 1
    within: Annotated[float, Ge(1), Le(86_400)] = 300.0
    severity: Annotated[float, Ge(1), Le(1_000)] = 1.0
    score: Annotated[float, Ge(0), Le(1_000)] = 0.0
    ends_after: Annotated[float, Ge(60), Le(86_400)] = 1_800.0

    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True)
class Stream:
    """Records of a stream, one model per key.

    `source` is the ARN or name of a Kinesis stream, or `kafka:` and topics separated by commas. `record` says where key, time and values stand; a stream of log
    records has `log` instead. `model_version` is the digest of a trained model, which every model but a forest of plain records
    needs. `features`, if any, have a forest each. `preprocess` is a Python function, `module:function`, or the ARN of a Lambda function, and so is `postprocess`. At
    most `mails_per_hour` are sent of its incidents. `cold_start` names the detector whose forest new keys begin with. Raises `ValueError` with one line per invalid field.
    """

    name: str
    source: str
    record: RecordFormat = None  # type: ignore[assignment] # of a log, its features
    log: LogFormat | None = None
    model: Model = "random_cut_forest"
    model_version: str = ""
    window: StreamWindow = StreamWindow()  # noqa: RUF009 - frozen
    features: Literal["auto"] | Annotated[tuple[Feature, ...], Len(1, 3)] | None = None
    forest: ForestSettings = ForestSettings()
    keys: KeySettings = KeySettings()
    sensitivity: Sensitivity = "medium"
    direction: Direction = "both"
    minimum_deviation: MinimumDeviation = MinimumDeviation()  # noqa: RUF009 - frozen
    exclude: tuple[Exclusion, ...] = ()
    time_zone: str = "UTC"
    notify: IncidentBegin = IncidentBegin()
    preprocess: str = ""
    postprocess: str = ""
    reference: ReferenceData = ReferenceData()  # noqa: RUF009 - frozen
    mails_per_hour: Annotated[int, Ge(0), Le(1_000)] = 10
    cold_start: str = ""

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, problem in _format_problems(self)]
        if not problems:
            if self.log is not None:
                object.__setattr__(self, "record", _features_of(self.log))
            problems = [f"{name}: {problem}" for name, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))

    def to_payload(self) -> dict[str, Any]:
        """Return the entry of `detectors.yaml` as JSON values."""
        payload: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return payload

    @property
    def is_of_kafka(self) -> bool:
        """True if the records come from Kafka topics."""
        return is_of_kafka(self.source)

    def is_read_from(self, arn: str) -> bool:
        """Return True if the source is that of a stack: the stream with an ARN, or the topics of `kafka:...` in any order."""
        if self.is_of_kafka:
            return is_of_kafka(arn) and {*topics_of(self.source)} == {*topics_of(arn)}
        return self.source in (arn, arn.rpartition("/")[2])

    def with_log(self, log: LogFormat) -> "Stream":
        """Return the stream with another log format."""
        return replace(self, log=log, record=_features_of(log))

    @property
    def needs_training(self) -> bool:
        """True if the stream cannot be scored without a trained model."""
        return self.log is not None or self.model != "random_cut_forest"

    @property
    def is_scored_by_endpoint(self) -> bool:
        """True if a SageMaker endpoint scores the records."""
        return self.model == "random_cut_forest_endpoint"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the forest's columns, in order."""
        return self.window.statistics or tuple(self.record.values)

    @property
    def feature_names(self) -> tuple[Feature, ...]:
        """Features with a forest each; none if the forest is of the values alone."""
        return get_args(Feature) if self.features == "auto" else self.features or ()

    @cached_property
    def fingerprint(self) -> str:
        """Digest that changes when the states of this stream become invalid."""
        settings = asdict(self)
        scored_with = {name: settings[name] for name in _SCORED_WITH}
        # Streams that need no training keep their digest.
        if self.needs_training:
            scored_with |= {name: settings[name] for name in _TRAINED_WITH}
        # Attribution is computed from the forest; it does not change what the forest learns.
        del scored_with["forest"]["directionality"]
        for name in _ADDED_TO_WINDOWS:
            if getattr(self.window, name) == getattr(StreamWindow, name):
                del scored_with["window"][name]
        if self.reference.s3:
            scored_with["reference"] = {**settings["reference"], "refresh": None}
        added = {
            "features": self.features,
            "preprocess": self.preprocess,
            "cold_start": self.cold_start,
        }
        scored_with |= {name: value for name, value in added.items() if value}
        # Columns keep their order: the forest knows them by position.
        scored_with["columns"] = [*self.record.values]
        return hashlib.sha256(json.dumps(scored_with, sort_keys=True).encode()).hexdigest()[:12]


def _features_of(log: LogFormat) -> RecordFormat:
    """Return the format of the records that a log's events become: their values are features."""
    columns = dict(zip(LOG_COLUMNS, LOG_COLUMNS, strict=True))
    return RecordFormat(time="time", values=columns, key="key" if log.is_keyed else "")


def _format_problems(stream: Stream) -> Iterator[Problem]:
    if stream.record is None and stream.log is None:
        yield "record", "is missing; or, for log records, log"
    if stream.log is not None and stream.record not in (None, _features_of(stream.log)):
        yield "log", "a stream has either record or log"


def _feature_problems(stream: Stream) -> Iterator[Problem]:
    if stream.features is not None and stream.needs_training:
        yield (
            "features",
            "belongs to a forest of plain records, not to a stream with a trained model",
        )
    if len(set(stream.feature_names)) < len(stream.feature_names):
        yield "features", f"{list(stream.feature_names)} names a feature twice"


def _function_problems(stream: Stream) -> Iterator[Problem]:
    is_python = FUNCTION_NAME.fullmatch(stream.preprocess)
    if stream.preprocess and not is_python and not LAMBDA_ARN.fullmatch(stream.preprocess):
        yield (
            "preprocess",
            f"{stream.preprocess!r} is not a Python function such as cleaning:clean, nor the ARN of a Lambda function "
            "such as arn:aws:lambda:eu-west-1:123456789012:function:clean",
        )
    if is_python and stream.record.format == "csv":
        yield "preprocess", "a Python function returns fields by name; set record.format: json"
    is_function = any(each.fullmatch(stream.postprocess) for each in (FUNCTION_NAME, LAMBDA_ARN))
    if stream.postprocess and not is_function:
        yield (
            "postprocess",
            f"{stream.postprocess!r} is not a Python function such as events:extend, nor the ARN of a Lambda function "
            "such as arn:aws:lambda:eu-west-1:123456789012:function:extend",
        )
    for field, function in (("preprocess", stream.preprocess), ("postprocess", stream.postprocess)):
        yield from _region_problems(field, function, stream.source)


def _region_problems(field: str, function: str, source: str) -> Iterator[Problem]:
    """Yield that a Lambda function is not in the Region of the stream, where the functions of the stack call it."""
    if not (LAMBDA_ARN.fullmatch(function) and _ARN.fullmatch(source)):
        return
    region, expected = function.split(":")[3], source.split(":")[3]
    if region != expected:
        yield field, f"{function!r} is in {region}, but the stream is in {expected}"


def _problems(stream: Stream) -> Iterator[Problem]:
    yield from name_problems(stream.name)
    if stream.is_of_kafka:
        yield from source_problems(stream.source)
    elif not (_ARN.fullmatch(stream.source) or _STREAM_NAME.fullmatch(stream.source)):
        yield (
            "source",
            f"{stream.source!r} is not the name of a Kinesis stream, nor an ARN such as "
            "arn:aws:kinesis:eu-west-1:123456789012:stream/orders, nor a Kafka topic such as kafka:orders",
        )
    yield from model_problems(stream)
    yield from _feature_problems(stream)
    yield from _function_problems(stream)
    yield from reference_problems(stream.reference, stream.record)
    yield from statistics_problems(stream.window, stream.record.values)
    yield from time_zone_problems(stream.time_zone)
