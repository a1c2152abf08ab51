"""Metrics that ListMetrics returns: those with datapoints in the last two weeks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cutwatch.aws.limits import LIST_METRICS_MAX_DIMENSION_FILTERS
from cutwatch.detectors.metric_source import SourceMetric

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionFilterTypeDef


def listed_dimensions(
    cloudwatch: "CloudWatchClient", source: SourceMetric, *further: str
) -> Iterator[dict[str, str]]:
    """Return the dimensions of the metrics that have exactly the source's, and one of each further name."""
    wanted: list[DimensionFilterTypeDef] = [
        {"Name": name, "Value": value} for name, value in sorted(source.dimensions.items())
    ]
    wanted += [{"Name": name} for name in further]
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=source.namespace,
        MetricName=source.metric,
        Dimensions=wanted[:LIST_METRICS_MAX_DIMENSION_FILTERS],
    )
    for page in pages:
        for metric in page["Metrics"]:
            found = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            fixed = {name: value for name, value in found.items() if name not in further}
            if fixed == source.dimensions and len(found) == len(wanted):
                yield found
