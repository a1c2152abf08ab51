"""Suggested entries for `detectors.yaml`, one per metric or group of metrics."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from cutwatch.detectors.templates import (
    LARGEST_LIMIT,
    NAME_MAX_LENGTH,
    TEMPLATE_NAME_MAX_LENGTH,
    USUAL_LIMIT,
    detector_name,
)

Entry = dict[str, Any]

# The first match in a metric's name decides. Documented in docs/configuration.md.
_STATISTICS: Sequence[tuple[str, str]] = (
    (r"HostCount$|^Approximate(?!AgeOf)|Connections?(Count)?$", "Average"),
    (r"^Concurrent|AgeOf", "Maximum"),
    (r"(Latency|Duration|ResponseTime)$", "p99"),
    (
        r"Count$|Counts$|Errors?$|Invocations?$|Requests?$|Throttles?$|Throttle(d)?(Requests|Events)$"
        r"|[45]XX|[45]xx|^NumberOf|Failures?$|Failed$|Rejections?$|Bytes(In|Out|Sent|Received)?$",
        "Sum",
    ),
)
_OTHERWISE = "Average"
_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+")
# Leaves room in a name for the values of dimensions.
_HEAD_LENGTH, _TEMPLATE_HEAD_LENGTH = 40, 24


@dataclass(frozen=True, order=True)
class ListedMetric:
    """A metric as ListMetrics returns it; its dimensions are sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @property
    def looks_like_a_wildcard(self) -> bool:
        """True if a dimension's value is `*`, which detectors.yaml refuses."""
        return any(value == "*" for _, value in self.dimensions)


def usual_statistic(metric: str) -> str:
    """Return Sum for counts, p99 for durations, Average for the rest, with exceptions for well-known metrics."""
    found = (statistic for pattern, statistic in _STATISTICS if re.search(pattern, metric))
    return next(found, _OTHERWISE)


def detector_entries(
    metrics: Iterable[ListedMetric], statistic: str | None = None, period: int | None = None
) -> list[Entry]:
    """Return a detector for each metric, in the order of the metrics; `statistic` overrides the usual one."""
    listed = sorted(set(metrics))
    names = _unique_names(listed, _HEAD_LENGTH, NAME_MAX_LENGTH)
    return [
        {"name": names[metric]} | _metric_fields(metric, statistic, period, metric.dimensions)
        for metric in listed
    ]


def template_entries(
    metrics: Iterable[ListedMetric],
    for_each: str,
    statistic: str | None = None,
    period: int | None = None,
) -> list[Entry]:
    """Return a template for each group of metrics that differ only in the dimension `for_each`; skip other metrics."""
    counts: dict[ListedMetric, int] = defaultdict(int)
    for metric in set(metrics):
        fixed = tuple(each for each in metric.dimensions if each[0] != for_each)
        if fixed != metric.dimensions:
            counts[ListedMetric(metric.namespace, metric.name, fixed)] += 1
    names = _unique_names(list(counts), _TEMPLATE_HEAD_LENGTH, TEMPLATE_NAME_MAX_LENGTH)
    return [
        {"name": names[group], "for_each": for_each}
        | ({"limit": min(LARGEST_LIMIT, 2 * counts[group])} if counts[group] > USUAL_LIMIT else {})
        | _metric_fields(group, statistic, period, group.dimensions)
        for group in sorted(counts)
    ]


def stanza(entries: Sequence[Entry]) -> str:
    """Return the entries as a complete `detectors.yaml`."""
    return yaml.safe_dump(
        {"detectors": list(entries)}, sort_keys=False, allow_unicode=True, width=10_000
    )


def _metric_fields(
    metric: ListedMetric,
    statistic: str | None,
    period: int | None,
    dimensions: Sequence[tuple[str, str]],
) -> Entry:
    return {
        "namespace": metric.namespace,
        "metric": metric.name,
        **({"dimensions": dict(dimensions)} if dimensions else {}),
        "statistic": statistic or usual_statistic(metric.name),
        **({"period": period} if period else {}),
    }


def _unique_names(
    metrics: Sequence[ListedMetric], head_length: int, longest: int
) -> Mapping[ListedMetric, str]:
    """Name each metric by its name and dimension values; where two would share a name, add a digest."""
    names = {metric: _name(metric, head_length, longest) for metric in metrics}
    uses = Counter(names.values())
    return {
        metric: _name_with_digest(metric, head_length, longest) if uses[name] > 1 else name
        for metric, name in names.items()
    }


def _name(metric: ListedMetric, head_length: int, longest: int) -> str:
    head = _head(metric, head_length)
    values = "-".join(value for _, value in metric.dimensions)
    return detector_name(head, values, longest) if values else head


def _name_with_digest(metric: ListedMetric, head_length: int, longest: int) -> str:
    everything = json.dumps([metric.name, metric.dimensions])
    return detector_name(_head(metric, head_length), everything, longest)


def _head(metric: ListedMetric, length: int) -> str:
    words = _WORD_ENDS.sub("-", metric.name).strip("-").lower()
    return words[:length].rstrip("-") or "metric"
