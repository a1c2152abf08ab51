"""Assumptions of the cost estimate: defaults of template parameters, and guesses to replace with measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Self


def assume(value: float, meaning: str) -> float:
    number: float = field(default=value, metadata={"meaning": meaning})
    return number


@dataclass(frozen=True)
class NamedAssumptions:
    """Assumed numbers, each a field with its meaning in its metadata."""

    def with_values(self, given: Mapping[str, float]) -> Self:
        """Return a copy with some values replaced."""
        return replace(self, **given)

    def explained(self) -> list[tuple[str, float, str]]:
        """Return the name, value and meaning of each assumption."""
        return [
            (one.name, getattr(self, one.name), one.metadata["meaning"]) for one in fields(self)
        ]


@dataclass(frozen=True)
class Assumptions(NamedAssumptions):
    """Assumed numbers. Each field's metadata holds its meaning, which `explained` returns."""

    hours_per_month: float = assume(730, "hours per month, as in the AWS Pricing Calculator")
    metric_hours_per_publication: float = assume(
        1,
        "billed hours of a custom metric per publication: AWS prorates by the hour in which data is "
        "sent (from memory); 730 bills the whole month",
    )
    stack_alarm_metrics: float = assume(
        14, "metrics of the stack's own alarms: eight alarms have one, two have three"
    )
    dashboards: float = assume(1, "the stack's dashboard; an account's first three are free")
    alarms_by_detector: float = assume(
        1,
        "AlarmByDetector: metrics of a detector that an alarm on a Metrics Insights query is billed for, in the hours "
        "that they have data (from memory); 0 for DISABLED",
    )
    alarms_per_detector: float = assume(0, "your own alarms; emails need none")
    training_job_minutes: float = assume(4, "billed minutes of a SageMaker training job (guess)")
    transform_job_minutes: float = assume(4, "billed minutes of a SageMaker transform job (guess)")
    job_start_minutes: float = assume(
        2, "minutes before a job's instance is ready, not billed (guess)"
    )
    training_instances: float = assume(1, "TrainingInstanceCount")
    transform_instances: float = assume(1, "TransformInstanceCount")
    poll_seconds: float = assume(60, "PollSeconds")
    sagemaker_concurrency: float = assume(4, "MaxConcurrency: SageMaker jobs at once")
    lambda_concurrency: float = assume(10, "LambdaConcurrency: batches at once")
    batch_size: float = assume(100, "BatchSize: detectors per function call")
    batch_bytes: float = assume(
        100_000, "bytes of detectors in a batch at most, of the 256 KB limit of a state"
    )
    batch_memory_mb: float = assume(1_769, "memory of the functions that compute: one processor")
    function_memory_mb: float = assume(512, "memory of all other functions")
    function_start_seconds: float = assume(
        0.5, "billed seconds of an invocation before its work, cold starts spread over all (guess)"
    )
    call_seconds: float = assume(0.05, "seconds per call to AWS, sequentially (guess)")
    forest_milliseconds: float = assume(
        0.088,
        "milliseconds to score and learn one datapoint inside Lambda (measured, docs/performance.md)",
    )
    handling_milliseconds: float = assume(
        0.03,
        "milliseconds to read, store and classify one datapoint, over all functions (measured in part)",
    )
    publishing_milliseconds: float = assume(
        0.05,
        "milliseconds to build and send the two datums of one datapoint (measured, without the network)",
    )
    stored_bytes_per_datapoint: float = assume(80, "row, timestamp, value and score in S3")
    forest_kilobytes: float = assume(
        800, "a stored forest inside Lambda, one feature; 2,270 for three (measured)"
    )
    model_kilobytes: float = assume(1_000, "a SageMaker model artefact (guess)")
    data_days: float = assume(90, "DataExpirationDays")
    model_days: float = assume(400, "ModelExpirationDays")
    log_kilobytes_per_invocation: float = assume(3, "log lines of an invocation (guess)")
    log_kilobytes_per_detector: float = assume(
        1, "further log lines for each detector of a run (guess)"
    )


NAMES = [one.name for one in fields(Assumptions)]
