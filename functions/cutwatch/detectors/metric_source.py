"""The source of a detector's datapoints: one metric, or an expression over several."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any

from annotated_types import Len

from cutwatch.aws import limits
from cutwatch.detectors.statistic import statistic_problem
from cutwatch.errors import legible

Namespace = Annotated[str, Len(1, 255)]
MetricName = Annotated[str, Len(1, limits.METRIC_NAME_MAX_LENGTH)]
Dimensions = Annotated[
    dict[MetricName, Annotated[str, Len(1, limits.METRIC_DIMENSION_MAX_LENGTH)]],
    Len(0, limits.METRIC_MAX_DIMENSIONS),
]
Expression = Annotated[str, Len(1, limits.METRIC_EXPRESSION_MAX_LENGTH)]

# Limit of a detector's queries; CloudWatch accepts 500 per call.
MAX_METRICS = 10
SINGLE_METRIC = ("namespace", "metric", "statistic", "dimensions")
EXPRESSION = ("expression", "metrics")

_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,63}")
# Quoted text and numbers are tokens too, so that `"m1"` and the e of `1e3` are not identifiers.
_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|\d[\d.]*(?:[eE][+-]?\d+)?|[A-Za-z_]\w*", re.ASCII)
_MANY_SERIES = ("SEARCH", "METRICS", "SELECT")
_BAND = "ANOMALY_DETECTION_BAND"
_LONGEST_PREFIX = f"d{limits.GET_METRIC_DATA_MAX_QUERIES - 1}_"

Problem = tuple[str, str]


@dataclass(frozen=True)
class SourceMetric:
    """A CloudWatch metric and its statistic."""

    namespace: Namespace
    metric: MetricName
    statistic: str
    dimensions: Dimensions = field(default_factory=dict)

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for field_name, problem in statistic_problems(self.statistic):
            raise ValueError(f"{field_name}: {problem}")

    @property
    def label(self) -> str:
        """Description of the metric: `AWS/Lambda Errors (FunctionName=checkout), Sum`."""
        chosen = ", ".join(f"{key}={value}" for key, value in sorted(self.dimensions.items()))
        return f"{self.namespace} {self.metric}{f' ({chosen})' if chosen else ''}, {self.statistic}"


Metrics = dict[str, SourceMetric]


def prefixed(expression: str, ids: Collection[str], prefix: str) -> str:
    """Return the expression with `prefix` before each of the ids."""
    return _TOKEN.sub(
        lambda token: f"{prefix}{token[0]}" if token[0] in ids else token[0], expression
    )


def source_problems(
    single: Mapping[str, Any], expression: str, metrics: Mapping[str, SourceMetric]
) -> Iterator[Problem]:
    """Yield the problems of a detector's source: field, and value with the expected form.

    `single` has the fields of a single metric, empty if not given.
    """
    if not expression and not metrics:
        yield from _single_problems(single)
    else:
        yield from _form_problems(single, expression, metrics)
        if expression and metrics:
            yield from _expression_problems(expression, metrics)
        yield from _id_problems(metrics)


def statistic_problems(statistic: str) -> Iterator[Problem]:
    """Yield the problem of an invalid statistic."""
    if problem := statistic_problem(statistic):
        yield "statistic", problem


def wildcard_problems(dimensions: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each dimension whose value is a bare wildcard."""
    for name, value in dimensions.items():
        if value == "*":
            yield (
                f"dimensions.{legible(name)}",
                f"CloudWatch has no wildcards; remove the dimension and use for_each: {legible(name)} "
                "to watch every value",
            )


def _single_problems(single: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("namespace", "metric", "statistic"):
        if not single[name]:
            yield name, "is missing"
    yield from _namespace_problems("namespace", single["namespace"])
    if single["statistic"]:
        yield from statistic_problems(single["statistic"])
    yield from wildcard_problems(single["dimensions"])


def _namespace_problems(field: str, namespace: str) -> Iterator[Problem]:
    if namespace.startswith(":"):
        yield field, f"{namespace!r} must not begin with a colon"


def _form_problems(
    single: Mapping[str, Any], expression: str, metrics: Mapping[str, SourceMetric]
) -> Iterator[Problem]:
    both = [name for name, value in single.items() if value]
    if both:
        yield (
            "expression" if expression else "metrics",
            f"cannot be combined with {', '.join(both)}; a detector has either namespace, metric and "
            "statistic, or expression and metrics",
        )
    if not expression:
        yield (
            "expression",
            f"is missing; it combines {', '.join(map(legible, metrics))}",
        )
    if not metrics:
        yield "metrics", "is missing; it defines the names in the expression"
    for name, metric in metrics.items():
        yield from _namespace_problems(f"metrics.{legible(name)}.namespace", metric.namespace)
        for place, problem in wildcard_problems(metric.dimensions):
            yield f"metrics.{legible(name)}.{place}", problem


def _expression_problems(expression: str, metrics: Mapping[str, SourceMetric]) -> Iterator[Problem]:
    names = [token for token in _TOKEN.findall(expression) if re.match(r"[A-Za-z_]", token)]
    for name in dict.fromkeys(names):
        if name not in metrics and (problem := _word_problem(name, metrics)):
            yield "expression", problem
    for name in [name for name in metrics if name not in names]:
        yield "metrics", f"{name!r} is not used in the expression {expression!r}"
    if (length := len(prefixed(expression, metrics, _LONGEST_PREFIX))) > (
        longest := limits.METRIC_EXPRESSION_MAX_LENGTH
    ):
        yield (
            "expression",
            f"has {length} characters with a prefix before each of its metrics; "
            f"CloudWatch accepts at most {longest}",
        )


def _word_problem(name: str, metrics: Mapping[str, SourceMetric]) -> str | None:
    """Return what is wrong with a word of an expression that is not one of its metrics."""
    if name.upper() in _MANY_SERIES:
        return f"{name} returns several series; list each metric under metrics"
    if name.upper() == _BAND:
        return f"{name} returns two series, the edges of a band; a detector needs one: the metric itself"
    if name[0].isupper():
        return None
    near = get_close_matches(name, metrics, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{name!r} is not one of the metrics {', '.join(map(legible, metrics))}{hint}"


def _id_problems(metrics: Mapping[str, SourceMetric]) -> Iterator[Problem]:
    for name in metrics:
        if not _ID.fullmatch(name):
            yield (
                "metrics",
                f"{name!r} must be 1 to 64 of A-Z a-z 0-9 _, beginning with a lower-case letter",
            )
    if len(metrics) > MAX_METRICS:
        yield "metrics", f"has {len(metrics)} metrics; at most {MAX_METRICS} are allowed"
