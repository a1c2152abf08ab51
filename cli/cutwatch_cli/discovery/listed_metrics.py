"""Metrics that ListMetrics returns for a namespace."""

from collections.abc import Iterator, Sequence
from typing import Any

from cutwatch_cli.discovery.suggestions import ListedMetric


def listed_metrics(
    cloudwatch: Any, namespace: str, metric: str | None, dimensions: Sequence[str]
) -> Iterator[ListedMetric]:
    """Yield the namespace's metrics, filtered by name and by dimensions such as `Stage` or `Stage=prod`."""
    request: dict[str, Any] = {"Namespace": namespace}
    if metric:
        request["MetricName"] = metric
    if dimensions:
        request["Dimensions"] = [_dimension_filter(each) for each in dimensions]
    for page in cloudwatch.get_paginator("list_metrics").paginate(**request):
        for found in page["Metrics"]:
            pairs = sorted((each["Name"], each["Value"]) for each in found["Dimensions"])
            yield ListedMetric(found["Namespace"], found["MetricName"], tuple(pairs))


def _dimension_filter(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    return {"Name": name, "Value": value} if equals else {"Name": name}
