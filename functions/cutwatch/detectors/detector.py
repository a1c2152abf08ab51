"""A detector: one CloudWatch metric or an expression over several, with its settings."""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from annotated_types import Ge, Gt, Le, Len, Lt

from cutwatch.aws import limits
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.detectors.metric_source import (
    EXPRESSION,
    SINGLE_METRIC,
    Dimensions,
    Expression,
    MetricName,
    Namespace,
    Problem,
    SourceMetric,
    source_problems,
)
from cutwatch.detectors.statistic import is_total
from cutwatch.detectors.unit import Unit, unit_of_values
from cutwatch.payloads import read

MissingData = Literal["ignore", "zero", "previous", "anomalous"]
CutoffMethod = Literal["adaptive", "training", "window"]
Feature = Literal["value", "difference", "residual"]
Sensitivity = Literal["low", "medium", "high"]
Direction = Literal["both", "above", "below"]
Engine = Literal["sagemaker", "lambda"]
Publish = Literal["events", "all"]

# JSON has no infinity.
_Finite = Annotated[float, Ge(0), Lt(math.inf)]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PERIODS = (60, 86_400)
_USUAL_HISTORY, _USUAL_DATAPOINTS = timedelta(days=30), 4_000
_HOURLY = 3_600
# Fields that scores depend on. A change invalidates a trained model; a change of the cutoff does not.
_TRAINED_ON = (
    "namespace",
    "metric",
    "dimensions",
    "statistic",
    "expression",
    "metrics",
    "period",
    "missing_data",
    "features",
    "shingle_size",
    "time_zone",
    "engine",
)
# Increase after a change to recipes or forests; models of an older version are trained again.
_MODEL_VERSION = 3


@dataclass(frozen=True)
class CutoffRule:
    """Rule that turns anomaly scores into anomalies.

    `adaptive` is the default threshold (`detection/adaptive_threshold.py`). `training` and `window` are the textbook rule,
    mean + `sigmas` standard deviations: `training` takes them from the scores of the training data, frozen with the
    model; `window` takes them from the scored window.
    """

    method: CutoffMethod = "adaptive"
    sigmas: Annotated[float, Gt(0), Le(100)] | None = None

    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True)
class MinimumDeviation:
    """Minimum distance of an event from the expected value: in the metric's unit, and as a share of the expected value."""

    absolute: _Finite | None = None
    relative: _Finite | None = None

    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True)
class Detector:
    """A metric to monitor and its detection settings. Periods are in seconds, history is in days.

    The metric is either `namespace`, `metric`, `statistic` and `dimensions`, or `expression` and `metrics`; the fields of
    the other form are empty. Raises `ValueError` with one line per invalid field.
    """

    name: str
    # Pydantic does not validate defaults: an explicit empty string is rejected, an omitted one is "missing".
    namespace: Namespace = ""
    metric: MetricName = ""
    statistic: str = ""
    dimensions: Dimensions = field(default_factory=dict)
    expression: Expression = ""
    metrics: dict[str, SourceMetric] = field(default_factory=dict)
    period: int = 300
    missing_data: MissingData = "ignore"
    history_days: Annotated[int, Ge(1), Le(455)] | None = None
    features: Literal["auto"] | Annotated[tuple[Feature, ...], Len(1, 3)] = "auto"
    shingle_size: Annotated[int, Ge(1), Le(512)] = 1
    cutoff: CutoffRule = CutoffRule()
    sensitivity: Sensitivity = "medium"
    direction: Direction = "both"
    minimum_deviation: MinimumDeviation = MinimumDeviation()
    exclude: tuple[Exclusion, ...] = ()
    time_zone: str = "UTC"
    engine: Engine = "sagemaker"
    log_group: str | None = None
    live: bool = False
    publish: Publish = "events"
    unit: Unit | None = None

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{field_name}: {problem}" for field_name, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def fingerprint(self) -> str:
        """Digest that changes when a model trained for this detector becomes invalid."""
        payload = self.to_payload()
        trained_on = {name: payload[name] for name in _TRAINED_ON if name in payload}
        trained_on["model_version"] = _MODEL_VERSION
        return hashlib.sha256(json.dumps(trained_on, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def history(self) -> timedelta:
        """Time that training looks back: `history_days`; by default 30 days, or the time of 4,000 datapoints.

        For hourly and coarser metrics, by default all that CloudWatch keeps.

        Never longer than CloudWatch keeps datapoints of this period.
        """
        period = timedelta(seconds=self.period)
        wanted = max(_USUAL_HISTORY, _USUAL_DATAPOINTS * period)
        if self.period >= _HOURLY:
            wanted = limits.metric_retention(self.period)
        if self.history_days is not None:
            wanted = timedelta(days=self.history_days)
        return min(wanted, limits.metric_retention(self.period) - period)

    @property
    def metric_label(self) -> str:
        """Description of the metric: `AWS/Lambda Errors (FunctionName=checkout), Sum`."""
        if not self.expression:
            return self.sources[0].label
        named = "; ".join(f"{name}: {metric.label}" for name, metric in self.metrics.items())
        return f"{self.expression} ({named})"

    @property
    def axis_label(self) -> str:
        """Short name of the values, for an axis: `Errors, Sum`, or the expression."""
        return self.expression or f"{self.metric}, {self.statistic}"

    @property
    def value_unit(self) -> Unit | None:
        """The unit of the datapoints: the metric's, unless the statistic counts or ranks."""
        return unit_of_values(self.unit, self.statistic)

    def growth(self, period: int) -> float | None:
        """Return the factor by which values grow over a longer period in seconds: 1 for an average.

        None for an expression with a sum or a count, which may be a ratio.
        """
        if not any(is_total(source.statistic) for source in self.sources):
            return 1.0
        return None if self.expression else period / self.period

    @property
    def sources(self) -> tuple[SourceMetric, ...]:
        """The metrics to read, in the order of the file."""
        if self.expression:
            return tuple(self.metrics.values())
        return (SourceMetric(self.namespace, self.metric, self.statistic, self.dimensions),)

    def to_payload(self) -> dict[str, Any]:
        """Return the detector as JSON values, without the fields of the unused form of source."""
        unused = SINGLE_METRIC if self.expression else EXPRESSION
        return {name: value for name, value in asdict(self).items() if name not in unused}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Detector":
        """Read back a payload of `to_payload`; unknown fields are ignored. Raises `InvalidInput`."""
        return read(cls, payload, "detector")


def _problems(detector: Detector) -> Iterator[Problem]:
    yield from name_problems(detector.name)
    single = {name: getattr(detector, name) for name in SINGLE_METRIC}
    yield from source_problems(single, detector.expression, detector.metrics)
    yield from _period_problems(detector.period)
    yield from time_zone_problems(detector.time_zone)
    yield from _log_group_problems(detector.log_group)
    yield from _live_problems(detector)
    if detector.features != "auto" and len(set(detector.features)) < len(detector.features):
        yield "features", f"{list(detector.features)} names a feature twice"


def name_problems(name: str) -> Iterator[Problem]:
    """Yield why a name is not valid for a detector or a stream."""
    if not _NAME.fullmatch(name):
        yield (
            "name",
            f"{name!r} must be 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit",
        )


def time_zone_problems(time_zone: str) -> Iterator[Problem]:
    """Yield why a name is not that of a time zone."""
    try:
        ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        yield (
            "time_zone",
            f"{time_zone!r} is not an IANA time zone such as UTC or Europe/Berlin"
            f"{_zone_hint(time_zone)}",
        )


def _log_group_problems(name: str | None) -> Iterator[Problem]:
    if name is not None and not re.fullmatch(limits.LOG_GROUP_NAME_PATTERN, name):
        yield "log_group", f"{name!r} is not a valid name; expected such as /aws/lambda/checkout"


def _live_problems(detector: Detector) -> Iterator[Problem]:
    """Yield why a detector cannot be scored live: only a forest inside a function is at hand when a datapoint arrives."""
    if not detector.live:
        if detector.publish != "events":
            yield (
                "publish",
                f"{detector.publish!r} needs live: true; transforms publish every datapoint",
            )
        return
    if detector.engine != "lambda":
        yield (
            "live",
            f"needs engine: lambda; a forest of engine {detector.engine} scores in jobs that take minutes",
        )
    if detector.cutoff.method == "window":
        yield (
            "cutoff.method",
            "'window' needs the scores of a whole window, which a live detector does not have; expected adaptive or training",
        )


def _zone_hint(given: str) -> str:
    """Return a question that names the zone of this city, or the nearest name; empty if none is near."""
    word = given.replace(" ", "_").lower()
    zones = sorted(available_timezones())
    cities = [zone for zone in zones if zone.lower().endswith(f"/{word}")]
    near = cities[:1] or get_close_matches(given, zones, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _period_problems(period: int) -> Iterator[Problem]:
    shortest, longest = _PERIODS
    if not shortest <= period <= longest or period % shortest:
        yield "period", f"{period} must be a multiple of 60 seconds from {shortest} to {longest}"
        return
    step = limits.period_step(period)
    if period % step:
        below = period // step * step
        yield (
            "period",
            f"CloudWatch keeps no datapoints of {period} seconds: periods above {step} are multiples of {step}; "
            f"the nearest are {below} and {below + step}",
        )
