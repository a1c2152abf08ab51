"""A stream's bill: dollars a month and dollars a million records, item by item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from cutwatch_cli.cost.bill import Line
from cutwatch_cli.cost.prices import Prices
from cutwatch_cli.cost.stream_assumptions import StreamAssumptions
from cutwatch_cli.cost.stream_work import Load, StreamWork

ITEMS: Mapping[str, tuple[str, str]] = {
    "lambda_gb_second": ("Lambda", "compute"),
    "lambda_request": ("Lambda", "invocations"),
    "event_poller_hour": ("Lambda", "event pollers"),
    "endpoint_hour": ("SageMaker", "instances of the endpoint"),
    "s3_put": ("S3", "writing states, listing them each minute"),
    "s3_get": ("S3", "reading states and headers"),
    "s3_gb_month": ("S3", "storage"),
    "dynamodb_write": ("DynamoDB", "incidents"),
    "dynamodb_read": ("DynamoDB", "silences"),
    "sqs_request": ("SQS", "rejected records, results of a log"),
    "eventbridge_event": ("EventBridge", "incidents"),
    "log_gb": ("CloudWatch", "logs"),
    "custom_metric": ("CloudWatch", "custom metrics"),
    "alarm": ("CloudWatch", "alarms"),
    "dashboard": ("CloudWatch", "dashboard"),
}
SERVICES = ("Lambda", "SageMaker", "S3", "DynamoDB", "SQS", "EventBridge", "CloudWatch")
# Each change is recorded, marked, and its mail counted.
WRITES_PER_CHANGE = 3
RECORDS_PER_SQS_REQUEST = 10
_SQS_REQUESTS_PER_RESULT = 1.2
_SECONDS_PER_HOUR, _HOURS_PER_DAY = 3_600, 24
_MILLION, _GB = 1e6, 1e9
# Kinesis bills records in units of this size.
_PUT_UNIT_BYTES = 25 * 1_024


@dataclass(frozen=True)
class StreamBill:
    """One month's bill of a stream's stack, without the stream itself; free tiers are not deducted."""

    work: StreamWork
    lines: Sequence[Line]

    @property
    def total(self) -> float:
        return fsum(line.dollars for line in self.lines)

    @property
    def per_million(self) -> float:
        """Dollars a million records."""
        return self.total / millions(self.work.load, self.work.assume)

    def of_service(self, service: str) -> float:
        """Return the dollars of a service."""
        return fsum(line.dollars for line in self.lines if line.service == service)

    def to_payload(self) -> dict[str, Any]:
        """Return all numbers, unrounded, as JSON values."""
        work = self.work
        return {
            "batching_window_seconds": work.window,
            "keys": work.load.keys,
            "records_per_batch": work.batch,
            "buckets": work.buckets,
            "buckets_written_per_batch": work.writes,
            "seconds_per_batch": work.seconds,
            "busy": work.busy,
            "dollars_a_month": self.total,
            "dollars_a_million_records": self.per_million,
            "services": {service: self.of_service(service) for service in SERVICES},
            "items": [
                {
                    "service": line.service,
                    "item": line.item,
                    "quantity": line.quantity,
                    "rate": line.price.rate,
                    "dollars": line.dollars,
                }
                for line in self.lines
            ],
        }


def stream_bill(work: StreamWork, prices: Prices) -> StreamBill:
    """Return a month's bill."""
    used = stream_usage(work)
    lines = [Line(*ITEMS[name], used[name], prices[name]) for name in ITEMS if name in used]
    return StreamBill(work, lines)


def millions(load: Load, assume: StreamAssumptions) -> float:
    """Return the millions of records in a month."""
    return load.records_per_second * assume.hours_per_month * _SECONDS_PER_HOUR / _MILLION


def kinesis_dollars(load: Load, prices: Prices, assume: StreamAssumptions) -> float:
    """Return a month's dollars of the stream itself, with provisioned shards."""
    units = -(-load.record_bytes // _PUT_UNIT_BYTES) * millions(load, assume) * _MILLION
    hours = load.shards * assume.hours_per_month
    return hours * prices["kinesis_shard_hour"].each + units * prices["kinesis_put_unit"].each


def flink_dollars(prices: Prices, assume: StreamAssumptions) -> float:
    """Return a month's dollars of Managed Service for Apache Flink at its smallest."""
    hours = assume.flink_kpus * assume.hours_per_month
    stored = assume.flink_gb * prices["flink_gb_month"].each
    return hours * prices["flink_kpu_hour"].each + stored


def opensearch_dollars(prices: Prices, assume: StreamAssumptions) -> float:
    """Return a month's dollars of the data nodes of a small OpenSearch domain, without their volumes."""
    return assume.opensearch_nodes * assume.hours_per_month * prices["opensearch_hour"].each


def stream_usage(work: StreamWork) -> dict[str, float]:
    """Return monthly quantities in the units of the prices with the same names; a stream of Kinesis has no event pollers."""
    assume, hours = work.assume, work.assume.hours_per_month
    batches = work.batches * hours * _SECONDS_PER_HOUR
    sweeps = assume.sweeps_per_hour * hours
    changes = assume.incidents_per_day * hours / _HOURS_PER_DAY * assume.changes_per_incident
    records = millions(work.load, assume) * _MILLION
    scoring = batches * work.seconds * assume.memory_mb
    sweeping = sweeps * work.sweep_seconds * assume.sweep_memory_mb
    used = {
        "lambda_gb_second": (scoring + sweeping) / 1_024,
        "lambda_request": batches + sweeps,
        "s3_put": batches * work.writes + sweeps * work.listings,
        "s3_get": batches * work.reads + sweeps * work.swept_headers,
        "s3_gb_month": work.buckets * work.bucket_mb * _MILLION / _GB,
        "dynamodb_write": WRITES_PER_CHANGE * changes,
        "dynamodb_read": changes,
        "sqs_request": records * assume.rejected_share / RECORDS_PER_SQS_REQUEST,
        "eventbridge_event": changes,
        "log_gb": (batches + sweeps) * assume.log_kilobytes_per_invocation * 1e3 / _GB,
        "custom_metric": assume.metrics,
        "alarm": assume.alarm_metrics,
        "dashboard": assume.dashboards,
    }
    if work.stream.is_of_kafka:
        used["event_poller_hour"] = assume.event_poller_units * hours
        used["custom_metric"] += assume.log_metrics
        # A batch sends its results; ten of them are received, and ten deleted, at once.
        used["sqs_request"] += batches * _SQS_REQUESTS_PER_RESULT
    if work.stream.is_scored_by_endpoint:
        used["endpoint_hour"] = assume.endpoint_instances * hours
    return used
