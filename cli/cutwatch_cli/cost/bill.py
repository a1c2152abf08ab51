"""Dollars per month, item by item, and the price of CloudWatch anomaly detection for comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.fleet import Detectors, Schedule
from cutwatch_cli.cost.prices import Price, Prices
from cutwatch_cli.cost.usage import Usage, usage

ITEMS: Mapping[str, tuple[str, str]] = {
    "training_hour": ("SageMaker", "training jobs"),
    "transform_hour": ("SageMaker", "transform jobs"),
    "lambda_gb_second": ("Lambda", "compute"),
    "lambda_request": ("Lambda", "invocations"),
    "state_transition": ("Step Functions", "state transitions"),
    "custom_metric": ("CloudWatch", "custom metrics"),
    "custom_metric_beyond": ("CloudWatch", "custom metrics beyond 10,000"),
    "get_metric_data": ("CloudWatch", "metrics read"),
    "put_metric_data": ("CloudWatch", "publishing"),
    "alarm": ("CloudWatch", "alarms"),
    "dashboard": ("CloudWatch", "dashboard"),
    "log_gb": ("CloudWatch", "logs"),
    "s3_put": ("S3", "writing"),
    "s3_get": ("S3", "reading"),
    "s3_gb_month": ("S3", "storage"),
    "dynamodb_write": ("DynamoDB", "writing"),
    "dynamodb_read": ("DynamoDB", "reading"),
}


@dataclass(frozen=True)
class Line:
    """One item of the bill."""

    service: str
    item: str
    quantity: float
    price: Price

    @property
    def dollars(self) -> float:
        return self.quantity * self.price.each


@dataclass(frozen=True)
class Bill:
    """One month's bill. `unprorated` is the total if custom metrics are billed for the whole month, however rarely published."""

    lines: Sequence[Line]
    detectors: int
    unprorated: float
    own_alarms: float

    @property
    def total(self) -> float:
        return fsum(line.dollars for line in self.lines)

    @property
    def per_detector(self) -> float:
        return self.total / self.detectors

    def of_services(self, *services: str) -> float:
        """Return the dollars of some services."""
        return fsum(line.dollars for line in self.lines if line.service in services)


def bill(
    groups: Sequence[Detectors], schedule: Schedule, prices: Prices, assume: Assumptions
) -> Bill:
    """Return a month's bill for the detectors in regular operation; free tiers are not deducted."""
    whole_month = assume.with_values({"metric_hours_per_publication": assume.hours_per_month})
    detectors = sum(group.count for group in groups)
    return Bill(
        _lines(usage(groups, schedule, assume), prices),
        detectors,
        fsum(line.dollars for line in _lines(usage(groups, schedule, whole_month), prices)),
        detectors * prices["anomaly_alarm"].each,
    )


def _lines(used: Usage, prices: Prices) -> list[Line]:
    """Return the items in use."""
    return [Line(*ITEMS[name], used[name], prices[name]) for name in ITEMS if used.get(name, 0) > 0]
