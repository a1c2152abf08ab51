"""Dollars a month of live detection, at each interval of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, fsum
from typing import Any

from rich.table import Table

from cutwatch.detectors.detector import Detector
from cutwatch.timeseries.queries import query_count
from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.prices import Prices

INTERVALS = (1, 5, 15, 60)
# Detectors that one invocation scores, as the function divides them.
_BUCKET = 250
# Datapoints after which a detector's series is stored again, on average.
_STORED_AFTER = 500
_METRICS_OF_DATAPOINTS = 2
_ALARM_METRICS = 4
_KILOBYTES_A_GB = 1_024**2


@dataclass(frozen=True)
class LiveCost:
    """Dollars a month with runs every `minutes`: by item for each metric, and by item for the stack, however many there are."""

    minutes: int
    detectors: int
    each: Mapping[str, float]
    shared: Mapping[str, float]

    @property
    def per_metric(self) -> float:
        """Dollars a metric and month, without what the stack costs."""
        return fsum(self.each.values())

    @property
    def total(self) -> float:
        """Dollars a month."""
        return self.per_metric * self.detectors + fsum(self.shared.values())

    def to_payload(self) -> dict[str, Any]:
        """Return the cost as JSON values."""
        return {
            "minutes": self.minutes,
            "dollars_per_metric": self.per_metric,
            "dollars_shared": fsum(self.shared.values()),
            "dollars": self.total,
            "per_metric": dict(self.each),
            "shared": dict(self.shared),
        }


def live_costs(
    detectors: Sequence[Detector], count: int, prices: Prices, assume: Assumptions
) -> list[LiveCost]:
    """Return the cost of live detection of these detectors, `count` copies of each, at each interval.

    A metric is read in each run, as one with this period is; one with a longer period costs less.
    """
    if not detectors:
        return []
    queries = sum(query_count(each) - bool(each.expression) for each in detectors) / len(detectors)
    publish_all = sum(each.publish == "all" for each in detectors) / len(detectors)
    return [
        LiveCost(
            minutes,
            len(detectors) * count,
            _each(minutes, queries, publish_all, prices, assume),
            _shared(minutes, len(detectors) * count, publish_all, prices, assume),
        )
        for minutes in INTERVALS
    ]


def _each(
    minutes: int, queries: float, publish_all: float, prices: Prices, assume: Assumptions
) -> dict[str, float]:
    runs = assume.hours_per_month * 60 / minutes
    seconds, gigabytes = runs * assume.live_milliseconds / 1_000, assume.batch_memory_mb / 1_024
    incidents = assume.live_incident_share
    metrics = publish_all * _METRICS_OF_DATAPOINTS + incidents
    return {
        "metrics read": runs * queries * prices["get_metric_data"].each,
        "compute": seconds * gigabytes * prices["lambda_gb_second"].each,
        "series stored again": runs
        / _STORED_AFTER
        * (prices["s3_put"].each + prices["s3_get"].each),
        "custom metrics": metrics * prices["custom_metric"].each,
        "alarm by detector": incidents * assume.alarms_by_detector * prices["alarm"].each,
    }


def _shared(
    minutes: int, detectors: int, publish_all: float, prices: Prices, assume: Assumptions
) -> dict[str, float]:
    runs = assume.hours_per_month * 60 / minutes
    buckets = ceil(detectors / _BUCKET)
    invocations = runs * (buckets + (buckets > 1))
    gigabytes = assume.batch_memory_mb / 1_024
    seconds = invocations * assume.function_start_seconds
    published = 1.0 if publish_all else min(assume.live_incident_share * detectors, 1.0)
    kilobytes = invocations * assume.log_kilobytes_per_invocation
    return {
        "start of runs": seconds * gigabytes * prices["lambda_gb_second"].each,
        "invocations": invocations * prices["lambda_request"].each,
        "turns of buckets": runs * buckets * (buckets > 1) * prices["dynamodb_write"].each,
        "states": runs * buckets * (prices["s3_put"].each + 3 * prices["s3_get"].each),
        "logs": kilobytes / _KILOBYTES_A_GB * prices["log_gb"].each,
        "publishing": runs * buckets * published * prices["put_metric_data"].each,
        "custom metric": published * prices["custom_metric"].each,
        "alarms": _ALARM_METRICS * prices["alarm"].each,
    }


def live_table(costs: Sequence[LiveCost], alarm: float, batch: float) -> Table:
    """Return a row for each interval next to CloudWatch's anomaly detection alarm and the batch, each a metric and month."""
    table = Table(box=None, pad_edge=False)
    for heading in (
        "Runs every",
        "a metric",
        "for the stack",
        "all",
        "CloudWatch's alarm",
        "batch",
    ):
        table.add_column(heading, justify="right")
    for cost in costs:
        table.add_row(
            f"{cost.minutes} min",
            f"${cost.per_metric:.4f}",
            f"${fsum(cost.shared.values()):.2f}",
            f"${cost.total:,.2f}",
            f"${alarm:.2f}",
            f"${batch:.4f}",
        )
    return table
