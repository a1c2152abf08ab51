"""Check of a detectors file against CloudWatch: the metrics that do not exist, and the nearest ones that do."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any

from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.detectors.templates import Configuration, DetectorTemplate

# A whole namespace is read only to name the nearest metric; 10,000 metrics are enough for that.
_MOST_PAGES = 20
_SILENT = "CloudWatch lists metrics with datapoints in the last two weeks, in one region"

Dimensions = Mapping[str, str]


def unknown_metrics(cloudwatch: Any, configuration: Configuration) -> list[str]:
    """Return a line for each metric that CloudWatch does not list, and for each template without values or with too many."""
    listing = _Listing(cloudwatch)
    lines = [
        f"detector {detector.name!r}: {problem}"
        for detector in configuration.detectors
        for source in detector.sources
        if (problem := _problem(listing, source))
    ]
    lines += [
        f"template {template.name!r}: {problem}"
        for template in configuration.templates
        if (problem := _template_problem(listing, template))
    ]
    return lines


class _Listing:
    """ListMetrics, called once for each namespace and metric name."""

    def __init__(self, cloudwatch: Any) -> None:
        self._paginator = cloudwatch.get_paginator("list_metrics")
        self.dimensions = cache(self._dimensions)
        self.names = cache(self._names)
        self.namespaces = cache(self._namespaces)

    def _dimensions(self, namespace: str, metric: str) -> list[Dimensions]:
        found = self._listed(None, Namespace=namespace, MetricName=metric)
        return [{each["Name"]: each["Value"] for each in one["Dimensions"]} for one in found]

    def _names(self, namespace: str) -> list[str]:
        found = self._listed(_MOST_PAGES, Namespace=namespace)
        return sorted({metric["MetricName"] for metric in found})

    def _namespaces(self, metric: str) -> list[str]:
        found = self._listed(_MOST_PAGES, MetricName=metric)
        return sorted({each["Namespace"] for each in found})

    def _listed(self, pages: int | None, **filters: str) -> Iterator[Mapping[str, Any]]:
        for page in islice(self._paginator.paginate(**filters), pages):
            yield from page["Metrics"]


def _problem(listing: _Listing, source: SourceMetric) -> str | None:
    known = listing.dimensions(source.namespace, source.metric)
    if source.dimensions in known:
        return None
    named = f"{source.namespace} {source.metric}"
    if not known:
        return f"no metric {named}; {_other_name(listing, source)}"
    wanted = f"{named} with {_shown(source.dimensions) or 'no dimensions'}"
    [nearest] = _nearest(_shown(source.dimensions), [_shown(each) for each in known])
    return f"no metric {wanted}; the nearest has {nearest or 'no dimensions'}"


def _other_name(listing: _Listing, source: SourceMetric) -> str:
    """Return the nearest metric of the namespace, else the namespace that has a metric of this name."""
    if names := listing.names(source.namespace):
        [nearest] = _nearest(source.metric, names)
        return f"the nearest in {source.namespace} is {nearest}"
    if namespaces := listing.namespaces(source.metric):
        [nearest] = _nearest(source.namespace, namespaces)
        return f"the namespace has no metrics, but {nearest} has {source.metric}"
    return f"the namespace has no metrics; {_SILENT}"


def _template_problem(listing: _Listing, template: DetectorTemplate) -> str | None:
    source = template.pattern.sources[0]
    known = listing.dimensions(source.namespace, source.metric)
    if not known:
        return f"no metric {source.namespace} {source.metric}; {_other_name(listing, source)}"
    wanted = set(source.dimensions) | {template.for_each}
    values = [
        each for each in known if set(each) == wanted and source.dimensions.items() <= each.items()
    ]
    if not values:
        [nearest] = _nearest(", ".join(sorted(wanted)), [", ".join(sorted(each)) for each in known])
        return (
            f"no {source.namespace} {source.metric} with exactly the dimensions "
            f"{', '.join(sorted(wanted))}; the nearest has {nearest or 'no dimensions'}"
        )
    if len(values) > template.limit:
        return f"{len(values)} values of {template.for_each}, but its limit is {template.limit}"
    return None


def _shown(dimensions: Dimensions) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(dimensions.items()))


def _nearest(wanted: str, known: Sequence[str]) -> list[str]:
    """Return the one text nearest to the wanted one, without regard to case."""
    by_lower = {text.lower(): text for text in known}
    found = get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0)
    return [by_lower[text] for text in found]
