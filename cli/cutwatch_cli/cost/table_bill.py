"""A table's bill by endpoint or by forest: dollars a month for scoring, the endpoint, and its trainings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Literal

from cutwatch_cli.cost.bill import Line
from cutwatch_cli.cost.prices import Prices
from cutwatch_cli.cost.stream_bill import (
    RECORDS_PER_SQS_REQUEST,
    WRITES_PER_CHANGE,
    stream_usage,
)
from cutwatch_cli.cost.table_assumptions import TableAssumptions
from cutwatch_cli.cost.table_work import EndpointWork, ForestWork, TrainingWork

Way = Literal["instance", "serverless", "forest"]
Part = Literal["scoring", "endpoint", "training"]
PARTS: tuple[Part, ...] = ("scoring", "endpoint", "training")
Usage = Mapping[str, float]

_ITEMS: Mapping[str, tuple[str, str]] = {
    "lambda_gb_second": ("Lambda", "compute"),
    "lambda_request": ("Lambda", "invocations"),
    "endpoint_hour": ("SageMaker", "instances of the endpoint"),
    "serverless_gb_second": ("SageMaker", "serverless inference"),
    "serverless_gb": ("SageMaker", "rows and scores"),
    "training_hour": ("SageMaker", "training jobs"),
    "transform_hour": ("SageMaker", "transform jobs"),
    "glue_dpu_hour": ("Glue", "preparation jobs"),
    "state_transition": ("Step Functions", "state transitions"),
    "export_gb": ("DynamoDB", "exports"),
    "recovery_gb_month": ("DynamoDB", "point-in-time recovery"),
    "dynamodb_write": ("DynamoDB", "incidents"),
    "dynamodb_read": ("DynamoDB", "silences, cutoffs, items of trainings"),
    "s3_put": ("S3", "writing states and training data"),
    "s3_get": ("S3", "reading states and training data"),
    "s3_gb_month": ("S3", "storage"),
    "sqs_request": ("SQS", "rejected changes"),
    "eventbridge_event": ("EventBridge", "incidents"),
    "log_gb": ("CloudWatch", "logs"),
    "custom_metric": ("CloudWatch", "custom metrics"),
    "alarm": ("CloudWatch", "alarms"),
    "dashboard": ("CloudWatch", "dashboard"),
}
_SECONDS_PER_HOUR, _MINUTES_PER_HOUR, _HOURS_PER_DAY = 3_600, 60, 24
_GB, _MB_PER_GB = 1e9, 1_024
# Objects that the functions of a training write and read.
_TRAINING_OBJECTS = 20
_SMALL_FUNCTION_MB = 512


@dataclass(frozen=True)
class TableBill:
    """One month's bill of a table's stack, without the table and its stream's reads; free tiers are not deducted."""

    way: Way
    work: EndpointWork | ForestWork
    parts: Mapping[Part, Sequence[Line]]

    @property
    def total(self) -> float:
        return fsum(self.of_part(part) for part in self.parts)

    def of_part(self, part: Part) -> float:
        """Return the dollars of a part."""
        return fsum(line.dollars for line in self.parts.get(part, ()))

    @property
    def has_room(self) -> bool:
        """False if the states of forests cannot remember a day's changes."""
        return not isinstance(self.work, ForestWork) or self.work.has_room

    def to_payload(self) -> dict[str, Any]:
        """Return all numbers, unrounded, as JSON values."""
        work = self.work
        return {
            "way": self.way,
            "changes_per_second": work.load.records_per_second,
            "has_room": self.has_room,
            "changes_per_batch": work.batch,
            "seconds_per_batch": work.seconds,
            "busy": work.busy,
            "dollars_a_month": self.total,
            "parts": {part: self.of_part(part) for part in PARTS},
            "items": [
                {
                    "part": part,
                    "service": line.service,
                    "item": line.item,
                    "quantity": line.quantity,
                    "rate": line.price.rate,
                    "dollars": line.dollars,
                }
                for part, lines in self.parts.items()
                for line in lines
            ],
        }


def endpoint_bill(
    work: EndpointWork, training: TrainingWork, prices: Prices, *, is_serverless: bool
) -> TableBill:
    """Return a month's bill with an endpoint of instances, or a serverless one."""
    serving = _serverless_usage(work) if is_serverless else _instance_usage(work.assume)
    parts: Mapping[Part, Usage] = {
        "scoring": _scoring_usage(work),
        "endpoint": serving,
        "training": _training_usage(training),
    }
    return TableBill("serverless" if is_serverless else "instance", work, _lines(parts, prices))


def forest_bill(work: ForestWork, prices: Prices) -> TableBill:
    """Return a month's bill with forests that learn."""
    return TableBill("forest", work, _lines({"scoring": stream_usage(work)}, prices))


def _lines(parts: Mapping[Part, Usage], prices: Prices) -> dict[Part, list[Line]]:
    return {
        part: [Line(*_ITEMS[name], used[name], prices[name]) for name in _ITEMS if used.get(name)]
        for part, used in parts.items()
    }


def _scoring_usage(work: EndpointWork) -> Usage:
    """Return monthly quantities of scoring without the endpoint itself."""
    assume, hours = work.assume, work.assume.hours_per_month
    batches = work.batches * hours * _SECONDS_PER_HOUR
    sweeps = assume.endpoint_sweeps_per_hour * hours
    changes = assume.incidents_per_day * hours / _HOURS_PER_DAY * assume.changes_per_incident
    scoring = batches * work.seconds * assume.memory_mb
    sweeping = sweeps * assume.sweep_seconds * assume.endpoint_sweep_memory_mb
    rejected = work.load.records_per_second * hours * _SECONDS_PER_HOUR * assume.rejected_share
    return {
        "lambda_gb_second": (scoring + sweeping) / _MB_PER_GB,
        "lambda_request": batches + sweeps,
        "s3_put": batches * work.writes,
        "s3_get": batches + sweeps,
        "dynamodb_write": WRITES_PER_CHANGE * changes,
        # A cutoff is kept for a minute.
        "dynamodb_read": changes + min(batches, hours * _MINUTES_PER_HOUR),
        "sqs_request": rejected / RECORDS_PER_SQS_REQUEST,
        "eventbridge_event": changes,
        "log_gb": (batches + sweeps) * assume.log_kilobytes_per_invocation * 1e3 / _GB,
        "custom_metric": assume.metrics,
        "alarm": assume.endpoint_alarm_metrics,
        "dashboard": assume.dashboards,
    }


def _instance_usage(assume: TableAssumptions) -> Usage:
    trainings = assume.hours_per_month / assume.hours_between_trainings
    hours = assume.hours_per_month + trainings * assume.overlap_hours
    return {"endpoint_hour": hours * assume.endpoint_instances}


def _serverless_usage(work: EndpointWork) -> Usage:
    assume, seconds = work.assume, work.assume.hours_per_month * _SECONDS_PER_HOUR
    rows = work.load.records_per_second * seconds
    busy = work.batches * seconds * work.endpoint_seconds
    return {
        "serverless_gb_second": busy * assume.serverless_memory_mb / _MB_PER_GB,
        "serverless_gb": rows * assume.endpoint_row_bytes / _GB,
    }


def _training_usage(work: TrainingWork) -> Usage:
    """Return monthly quantities of all trainings."""
    assume = work.assume
    trainings = assume.hours_per_month / assume.hours_between_trainings
    seconds = work.preparation_seconds * assume.preparation_memory_mb
    seconds += assume.training_invocations * _SMALL_FUNCTION_MB
    gigabytes = work.bytes / _GB if work.uses_glue else 0.0
    each = {
        "lambda_gb_second": seconds / _MB_PER_GB,
        "lambda_request": assume.training_invocations,
        "training_hour": assume.training_job_minutes / _MINUTES_PER_HOUR,
        "transform_hour": assume.transform_job_minutes / _MINUTES_PER_HOUR,
        "glue_dpu_hour": work.glue_hours,
        "state_transition": assume.training_transitions,
        "export_gb": gigabytes,
        "dynamodb_read": work.read_units,
        "s3_put": _TRAINING_OBJECTS,
        "s3_get": _TRAINING_OBJECTS,
    }
    monthly = {name: trainings * quantity for name, quantity in each.items()}
    return monthly | {"recovery_gb_month": gigabytes}
