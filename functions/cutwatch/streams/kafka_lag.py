"""Lag of Kafka topics: the metric OffsetLag that Lambda publishes of the function that reads them, of each topic."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import (
        DimensionTypeDef,
        MetricDataQueryTypeDef,
        MetricTypeDef,
    )

# A datapoint that is older says nothing about now.
_CURRENT = timedelta(minutes=5)
_PERIOD = 60
# Without the metric, as with a consumer outside Lambda, topics that are silent for this long were read to the end.
_SILENT = timedelta(minutes=15)


def is_read_to_the_end(
    cloudwatch: "CloudWatchClient", function: str, newest: float, now: datetime
) -> bool:
    """Return True if no record waits in any topic that a function reads; `newest` is the arrival of the newest applied record.

    A record that was put within the last minute may be missed, as one that is still on its way.
    """
    lag = _latest(cloudwatch, function, now)
    if lag is not None:
        return lag == 0
    return now - datetime.fromtimestamp(newest, UTC) >= _SILENT


def _lag_of(function: str) -> "MetricDataQueryTypeDef":
    dimension: DimensionTypeDef = {"Name": "FunctionName", "Value": function}
    metric: MetricTypeDef = {
        "Namespace": "AWS/Lambda",
        "MetricName": "OffsetLag",
        "Dimensions": [dimension],
    }
    return {"Id": "lag", "MetricStat": {"Metric": metric, "Period": _PERIOD, "Stat": "Maximum"}}


def _latest(cloudwatch: "CloudWatchClient", function: str, now: datetime) -> float | None:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[_lag_of(function)],
        StartTime=now - _CURRENT,
        EndTime=now + timedelta(seconds=_PERIOD),
        ScanBy="TimestampDescending",
    )
    [found] = answer["MetricDataResults"]
    return next(iter(found["Values"]), None)
