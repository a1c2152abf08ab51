"""CloudWatch Metrics Insights: one series, or one a group, of all metrics that a query matches."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from localaws.cloudwatch.insights_query import INSIGHTS_MAX_SERIES, InsightsQuery
from localaws.cloudwatch.metric_store import Floats, MetricKey, Samples
from localaws.cloudwatch.reading import Reader, Window
from localaws.cloudwatch.time_series import TimeSeries

INSIGHTS_MAX_METRICS = 10_000
INSIGHTS_MAX_AGE = timedelta(days=14)
INSIGHTS_MIN_PERIOD = 60
_WITHOUT_LABEL = "Other"
_SCALARS: Mapping[str, Callable[[Floats], float]] = {
    "Average": lambda values: float(values.mean()),
    "SampleCount": lambda values: float(values.size),
    "Maximum": lambda values: float(values.max()),
    "Minimum": lambda values: float(values.min()),
    "Sum": lambda values: float(values.sum()),
}


@dataclass(frozen=True)
class Group:
    """The values that metrics have in common for the keys of GROUP BY, and their series together."""

    attributes: Mapping[str, str]
    series: TimeSeries

    @property
    def label(self) -> str:
        return " ".join(self.attributes.values())


@dataclass(frozen=True)
class Found:
    """A query's groups in its order; `partial` where AWS's limits left metrics or groups out."""

    groups: Sequence[Group]
    partial: bool


def matching(query: InsightsQuery, reader: Reader) -> list[MetricKey]:
    """The metrics that a query is about, whether or not they have datapoints."""
    named = reader.named(query.namespace, query.metric)
    return [key for key in named if _matches(query, dict(key.dimensions))]


def find(query: InsightsQuery, period: int, window: Window, reader: Reader) -> Found:
    """The groups that have datapoints in a window."""
    period = max(period, INSIGHTS_MIN_PERIOD)
    keys = matching(query, reader)
    parts = _grouped(query, keys[:INSIGHTS_MAX_METRICS], period, window, reader)
    groups = [
        Group(
            dict(zip(query.group_by, values, strict=True)),
            _series(query, part, period, window, reader),
        )
        for values, part in sorted(parts.items())
    ]
    if query.order_by is not None:
        scalar = _SCALARS[query.order_by]
        groups.sort(key=lambda group: scalar(group.series.values), reverse=query.descending)
    partial = len(keys) > INSIGHTS_MAX_METRICS or len(groups) > INSIGHTS_MAX_SERIES
    return Found(groups[: query.limit], partial)


def _matches(query: InsightsQuery, dimensions: Mapping[str, str]) -> bool:
    if query.schema is not None and query.schema != dimensions.keys():
        return False
    return all(
        (dimensions.get(condition.key) == condition.value) == condition.equal
        for condition in query.conditions
    )


def _grouped(
    query: InsightsQuery, keys: Iterable[MetricKey], period: int, window: Window, reader: Reader
) -> dict[tuple[str, ...], list[Samples]]:
    parts: dict[tuple[str, ...], list[Samples]] = {}
    for key, samples in reader.samples_of(keys, period, window):
        dimensions = dict(key.dimensions)
        values = tuple(dimensions.get(name, _WITHOUT_LABEL) for name in query.group_by)
        parts.setdefault(values, []).append(samples)
    return parts


def _series(
    query: InsightsQuery, parts: Sequence[Samples], period: int, window: Window, reader: Reader
) -> TimeSeries:
    samples = parts[0] if len(parts) == 1 else Samples.concatenate(parts)
    times, values = reader.by_period(samples, query.statistic, period, window)
    return TimeSeries(times, values, period)
