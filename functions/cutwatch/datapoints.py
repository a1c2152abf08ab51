"""A detector's datapoints, read from CloudWatch."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from cutwatch.aws_limits import GET_METRIC_DATA_MAX_DATAPOINTS
from cutwatch.detector import Detector
from cutwatch.errors import CutwatchError
from cutwatch.metrics import metric_dimensions
from cutwatch.series import Series


def read_series(cloudwatch: Any, detector: Detector, start: datetime, end: datetime) -> Series:
    """The detector's metric over [start, end), both aligned to its period: one call per 100,800 datapoints."""
    return Series.from_datapoints(
        start, end, detector.period, _datapoints(cloudwatch, detector, start, end)
    )


def read_many(
    cloudwatch: Any, detectors: Sequence[Detector], start: datetime, end: datetime
) -> dict[str, Series | CutwatchError]:
    """TODO merged later."""
    return {d.name: read_series(cloudwatch, d, start, end) for d in detectors}


def _datapoints(
    cloudwatch: Any, detector: Detector, start: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    request = {
        "MetricDataQueries": [{"Id": "metric", "MetricStat": _metric_stat(detector)}],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": GET_METRIC_DATA_MAX_DATAPOINTS,
    }
    while True:
        page = cloudwatch.get_metric_data(**request)
        for result in page["MetricDataResults"]:
            yield from zip(result["Timestamps"], result["Values"], strict=True)
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _metric_stat(detector: Detector) -> dict[str, Any]:
    return {
        "Metric": {
            "Namespace": detector.namespace,
            "MetricName": detector.metric,
            "Dimensions": metric_dimensions(detector.dimensions),
        },
        "Period": detector.period,
        "Stat": detector.statistic,
    }


def is_known(cloudwatch: Any, detector: Detector) -> bool:
    """Whether the metric has reported anything in the last two weeks (what `ListMetrics` covers)."""
    wanted = metric_dimensions(detector.dimensions)
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=detector.namespace, MetricName=detector.metric, Dimensions=wanted
    )
    return any(
        len(metric["Dimensions"]) == len(wanted) for page in pages for metric in page["Metrics"]
    )
