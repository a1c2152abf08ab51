"""Metrics in log lines: CloudWatch's embedded metric format, whose lines become datapoints as PutMetricData does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any


def put_requests(log: str) -> Iterator[dict[str, Any]]:
    """Yield the parameters of a PutMetricData for each directive in a log; CloudWatch ignores lines that are not valid."""
    for line in log.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line)
            yield from [*_directives(document)]
        except (ValueError, KeyError, TypeError):
            continue


def _directives(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    metadata = document["_aws"]
    time = datetime.fromtimestamp(metadata["Timestamp"] / 1_000, UTC)
    for directive in metadata["CloudWatchMetrics"]:
        datums = [
            _datum(document, dimensions, metric, time)
            for dimensions in directive["Dimensions"]
            for metric in directive["Metrics"]
        ]
        yield {"Namespace": directive["Namespace"], "MetricData": datums}


def _datum(
    document: Mapping[str, Any],
    dimensions: list[str],
    metric: Mapping[str, str],
    time: datetime,
) -> dict[str, Any]:
    value = document[metric["Name"]]
    return {
        "MetricName": metric["Name"],
        "Dimensions": [{"Name": name, "Value": str(document[name])} for name in dimensions],
        "Timestamp": time,
        "Unit": metric.get("Unit", "None"),
        "Values": value if isinstance(value, list) else [value],
    }
