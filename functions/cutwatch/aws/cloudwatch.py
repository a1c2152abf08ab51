"""Publishing of CloudWatch metrics."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cutwatch.aws.limits import PUT_METRIC_DATA_MAX_DATUMS

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDatumTypeDef

    Datum = MetricDatumTypeDef
else:
    Datum = Mapping[str, Any]


def datum(
    name: str, value: float, timestamp: datetime, dimensions: Mapping[str, str] | None = None
) -> Datum:
    """Return one value at one timestamp for PutMetricData."""
    return {
        "MetricName": name,
        "Dimensions": metric_dimensions(dimensions or {}),
        "Timestamp": timestamp,
        "Value": value,
    }


def publish(cloudwatch: "CloudWatchClient", namespace: str, datums: Sequence[Datum]) -> int:
    """Put all datums with as few calls as CloudWatch allows; the number of calls.

    A repetition does not change Maximum but doubles Sum and SampleCount: read these metrics with Maximum.
    """
    calls = 0
    for chunk in _chunks(datums):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=chunk)
        calls += 1
    return calls


def _chunks(datums: Sequence[Datum]) -> Iterator[list[Datum]]:
    for start in range(0, len(datums), PUT_METRIC_DATA_MAX_DATUMS):
        yield list(datums[start : start + PUT_METRIC_DATA_MAX_DATUMS])


def metric_dimensions(dimensions: Mapping[str, str]) -> "list[DimensionTypeDef]":
    """Return dimensions as CloudWatch's API spells them."""
    return [{"Name": name, "Value": value} for name, value in sorted(dimensions.items())]
