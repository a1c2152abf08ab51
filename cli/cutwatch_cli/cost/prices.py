"""AWS prices: one table, each with its unit and its source."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Certainty = Literal["list price", "third-party table", "from memory", "given"]

AS_OF = "November 2026"
REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """Price of `per` units in dollars."""

    dollars: float
    per: int
    unit: str
    certainty: Certainty

    @property
    def each(self) -> float:
        """Dollars per unit."""
        return self.dollars / self.per

    @property
    def rate(self) -> str:
        """`$0.01 per 1,000 metrics requested`."""
        amount = f"{self.per:,} " if self.per > 1 else ""
        return f"${self.dollars:.12g} per {amount}{self.unit}"


Prices = Mapping[str, Price]

PRICES: Prices = {
    "custom_metric": Price(0.30, 1, "metric-month, first 10,000", "third-party table"),
    "custom_metric_beyond": Price(0.10, 1, "metric-month, beyond 10,000", "third-party table"),
    "get_metric_data": Price(0.01, 1_000, "metrics requested", "third-party table"),
    "put_metric_data": Price(0.01, 1_000, "requests", "from memory"),
    "alarm": Price(0.10, 1, "alarm-month", "third-party table"),
    "dashboard": Price(3.00, 1, "dashboard-month", "from memory"),
    "anomaly_alarm": Price(0.30, 1, "alarm-month, anomaly detection", "third-party table"),
    "log_gb": Price(0.50, 1, "GB of logs", "from memory"),
    "lambda_gb_second": Price(13.3334, 1_000_000, "GB-seconds, arm64", "from memory"),
    "lambda_request": Price(0.20, 1_000_000, "requests", "from memory"),
    "state_transition": Price(0.025, 1_000, "transitions, standard", "from memory"),
    "training_hour": Price(0.115, 1, "hour of ml.m5.large", "third-party table"),
    "transform_hour": Price(0.204, 1, "hour of ml.c5.xlarge", "third-party table"),
    "s3_put": Price(0.005, 1_000, "requests", "from memory"),
    "s3_get": Price(0.0004, 1_000, "requests", "from memory"),
    "s3_gb_month": Price(0.023, 1, "GB-month", "from memory"),
    "dynamodb_write": Price(0.625, 1_000_000, "write units", "from memory"),
    "dynamodb_read": Price(0.125, 1_000_000, "read units", "from memory"),
}


_OF_STREAMS = (
    "custom_metric",
    "alarm",
    "dashboard",
    "log_gb",
    "lambda_gb_second",
    "lambda_request",
    "s3_put",
    "s3_get",
    "s3_gb_month",
    "dynamodb_write",
    "dynamodb_read",
)
STREAM_PRICES: Prices = {name: PRICES[name] for name in _OF_STREAMS} | {
    "sqs_request": Price(0.50, 1_000_000, "requests, FIFO", "from memory"),
    "eventbridge_event": Price(1.00, 1_000_000, "custom events", "from memory"),
    "kinesis_shard_hour": Price(0.015, 1, "shard-hour, provisioned", "from memory"),
    "kinesis_put_unit": Price(0.014, 1_000_000, "records of up to 25 kB", "from memory"),
    "event_poller_hour": Price(0.185, 1, "event poller unit-hour, Kafka", "from memory"),
    "endpoint_hour": Price(0.102, 1, "hour of ml.c5.large, inference", "from memory"),
    "flink_kpu_hour": Price(0.11, 1, "KPU-hour, Managed Service for Apache Flink", "from memory"),
    "flink_gb_month": Price(0.10, 1, "GB-month of running storage", "from memory"),
    "opensearch_hour": Price(0.167, 1, "hour of r6g.large.search", "from memory"),
}

_OF_TABLES = (
    *_OF_STREAMS,
    "training_hour",
    "transform_hour",
    "state_transition",
)
TABLE_PRICES: Prices = {name: PRICES[name] for name in _OF_TABLES} | {
    "sqs_request": STREAM_PRICES["sqs_request"],
    "eventbridge_event": STREAM_PRICES["eventbridge_event"],
    "endpoint_hour": STREAM_PRICES["endpoint_hour"],
    "serverless_gb_second": Price(20, 1_000_000, "GB-seconds, serverless inference", "from memory"),
    "serverless_gb": Price(0.016, 1, "GB in and out, serverless inference", "from memory"),
    "glue_dpu_hour": Price(0.308, 1, "DPU-hour, Glue 6.0", "from memory"),
    "export_gb": Price(0.10, 1, "GB exported to S3", "from memory"),
    "recovery_gb_month": Price(0.20, 1, "GB-month of point-in-time recovery", "from memory"),
}


def with_prices(given: Mapping[str, float], table: Prices = PRICES) -> Prices:
    """Return a table with some prices replaced, in dollars for the same unit."""
    changed = {
        name: replace(table[name], dollars=dollars, certainty="given")
        for name, dollars in given.items()
    }
    return {**table, **changed}
