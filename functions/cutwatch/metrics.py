"""CloudWatch metrics: reading a detector's datapoints, publishing its anomalies."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from cutwatch.aws_limits import GET_METRIC_DATA_MAX_DATAPOINTS, PUT_METRIC_DATA_MAX_DATUMS
from cutwatch.detector import Detector
from cutwatch.series import Series

Datum = Mapping[str, Any]


def read_series(cloudwatch: Any, detector: Detector, start: datetime, end: datetime) -> Series:
    """The detector's metric over [start, end), both aligned to its period: one call per 100,800 datapoints."""
    return Series.from_datapoints(
        start, end, detector.period, _datapoints(cloudwatch, detector, start, end)
    )


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
            "Dimensions": _dimensions(detector.dimensions),
        },
        "Period": detector.period,
        "Stat": detector.statistic,
    }


def is_known(cloudwatch: Any, detector: Detector) -> bool:
    """Whether the metric has reported anything in the last two weeks (what `ListMetrics` covers)."""
    wanted = _dimensions(detector.dimensions)
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=detector.namespace, MetricName=detector.metric, Dimensions=wanted
    )
    return any(
        len(metric["Dimensions"]) == len(wanted) for page in pages for metric in page["Metrics"]
    )


def datum(
    name: str, value: float, moment: datetime, dimensions: Mapping[str, str] | None = None
) -> Datum:
    """One value at one timestamp."""
    return {
        "MetricName": name,
        "Dimensions": _dimensions(dimensions or {}),
        "Timestamp": moment,
        "Value": value,
    }


def publish(cloudwatch: Any, namespace: str, datums: Sequence[Datum]) -> int:
    """Put all datums with as few calls as CloudWatch allows; the number of calls.

    Doing it again changes no Maximum, but doubles Sum and SampleCount: read these series with Maximum.
    """
    calls = 0
    for chunk in _chunks(datums):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=chunk)
        calls += 1
    return calls


def _chunks(datums: Sequence[Datum]) -> Iterator[list[Datum]]:
    for start in range(0, len(datums), PUT_METRIC_DATA_MAX_DATUMS):
        yield list(datums[start : start + PUT_METRIC_DATA_MAX_DATUMS])


def _dimensions(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in sorted(dimensions.items())]
