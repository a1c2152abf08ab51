"""CloudWatch Metrics Insights in the form that alarms on a fleet use: the largest value of each group of a metric."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.reading import Reader, Window
from localaws.cloudwatch.time_series import TimeSeries, WrongExpression

INSIGHTS_MAX_METRICS = 10_000
INSIGHTS_MAX_SERIES = 500
INSIGHTS_MAX_AGE = timedelta(days=14)
INSIGHTS_MIN_PERIOD = 60
_SELECT = re.compile(r"\s*SELECT\s+(?!(?:AND|OR)\b)\w", re.IGNORECASE)
_NAME = r'"[^"]+"|\w+'
_FORM = re.compile(
    rf"\s*SELECT\s+MAX\((?P<metric>{_NAME})\)"
    rf"\s+FROM\s+SCHEMA\((?P<namespace>{_NAME})\s*,\s*(?P<dimension>{_NAME})\)"
    r"\s+GROUP\s+BY\s+(?-i:(?P=dimension))\s+ORDER\s+BY\s+MAX\(\)\s+DESC\s*",
    re.IGNORECASE,
)

_FORM_IN_WORDS = (
    'SELECT MAX(METRIC) FROM SCHEMA("NAMESPACE", DIMENSION) GROUP BY DIMENSION ORDER BY MAX() DESC'
)


@dataclass(frozen=True)
class InsightsQuery:
    """The maximum of a metric for each value of the one dimension that its metrics have, the largest first."""

    namespace: str
    metric: str
    dimension: str


@dataclass(frozen=True)
class Group:
    """One value of the dimension, and its series."""

    dimension: str
    label: str
    series: TimeSeries

    @property
    def attributes(self) -> Mapping[str, str]:
        return {self.dimension: self.label}


@dataclass(frozen=True)
class Found:
    """A query's groups in its order; `partial` where AWS's limits left metrics or groups out."""

    groups: Sequence[Group]
    partial: bool


def is_insights_query(expression: str) -> bool:
    """Return whether it is a query and not metric math, in which `select` can be the Id of a query."""
    return _SELECT.match(expression) is not None


def parse(text: str) -> InsightsQuery:
    """Parse a query; raise WrongExpression for every other form than the one that is implemented."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise WrongExpression(f"The local CloudWatch implements {_FORM_IN_WORDS} only, not {text}")
    return InsightsQuery(*(form[name].strip('"') for name in ("namespace", "metric", "dimension")))


def matching(query: InsightsQuery, reader: Reader) -> list[MetricKey]:
    """Return the metrics that a query is about, whether or not they have datapoints."""
    return [
        key
        for key in reader.named(query.namespace, query.metric)
        if [name for name, _ in key.dimensions] == [query.dimension]
    ]


def find(query: InsightsQuery, period: int, window: Window, reader: Reader) -> Found:
    """Find the groups that have datapoints in a window."""
    period = max(period, INSIGHTS_MIN_PERIOD)
    keys = matching(query, reader)
    groups = [
        Group(
            query.dimension,
            key.dimensions[0][1],
            TimeSeries(*reader.read(key, "Maximum", period, window), period),
        )
        for key in sorted(keys[:INSIGHTS_MAX_METRICS], key=lambda key: key.dimensions)
    ]
    groups = [group for group in groups if group.series.values.size]
    groups.sort(key=lambda group: float(group.series.values.max()), reverse=True)
    partial = len(keys) > INSIGHTS_MAX_METRICS or len(groups) > INSIGHTS_MAX_SERIES
    return Found(groups[:INSIGHTS_MAX_SERIES], partial)
