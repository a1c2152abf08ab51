"""Metric filters: datapoints of the log events that match a pattern."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from localaws.logs.filter_pattern import FilterPattern, document_of, select

# AWS's limit of dimensions of a filter's metric.
MOST_DIMENSIONS = 3

LogEvent = Mapping[str, Any]


def check(metric_filter: Mapping[str, Any]) -> None:
    """Raise `ValueError` for a filter that AWS, or the local AWS, does not take."""
    FilterPattern(metric_filter.get("filterPattern", ""))
    transformations = metric_filter.get("metricTransformations", ())
    if len(transformations) != 1:
        raise ValueError("metricTransformations must have exactly one element")
    dimensions = transformations[0].get("dimensions", {})
    if len(dimensions) > MOST_DIMENSIONS:
        raise ValueError(f"a metric filter has at most {MOST_DIMENSIONS} dimensions")
    if dimensions and "defaultValue" in transformations[0]:
        raise ValueError("a metric filter has dimensions or a default value, not both")


def put_requests(
    metric_filter: Mapping[str, Any], events: Sequence[LogEvent]
) -> Iterator[dict[str, Any]]:
    """Yield the parameters of a PutMetricData for each event that matches, or one with the default value."""
    pattern = FilterPattern(metric_filter["filterPattern"])
    matching = [event for event in events if pattern.matches(event["message"])]
    for transformation in metric_filter["metricTransformations"]:
        for event in matching:
            yield from _of_event(transformation, event)
        if events and not matching and "defaultValue" in transformation:
            default = float(transformation["defaultValue"])
            yield _request(transformation, events[-1], default, {})


def _of_event(transformation: Mapping[str, Any], event: LogEvent) -> Iterator[dict[str, Any]]:
    document = document_of(event["message"])
    value = _number(transformation["metricValue"], document)
    dimensions = {
        name: select(document, selector)
        for name, selector in transformation.get("dimensions", {}).items()
    }
    if value is not None and None not in dimensions.values():
        yield _request(transformation, event, value, dimensions)


def _number(given: str, document: Any) -> float | None:
    """Return a literal number, or that of a selector; None if the event has none there."""
    found = select(document, given) if given.startswith("$") else given
    try:
        return None if found is None or isinstance(found, bool) else float(found)
    except (TypeError, ValueError):
        return None


def _request(
    transformation: Mapping[str, Any],
    event: LogEvent,
    value: float,
    dimensions: Mapping[str, Any],
) -> dict[str, Any]:
    datum = {
        "MetricName": transformation["metricName"],
        "Dimensions": [{"Name": name, "Value": str(each)} for name, each in dimensions.items()],
        "Timestamp": datetime.fromtimestamp(event["timestamp"] / 1_000, UTC),
        "Unit": transformation.get("unit", "None"),
        "Values": [value],
    }
    return {"Namespace": transformation["metricNamespace"], "MetricData": [datum]}
