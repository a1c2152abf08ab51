"""Settings of functions, from environment variables: one frozen dataclass per function, read inside the handler."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from cutwatch.errors import InvalidSetting

_READERS: Mapping[Any, Any] = {
    str: str,
    int: int,
    float: float,
    tuple[str, ...]: lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
}


@dataclass(frozen=True)
class Settings:
    """Base of all settings; each field is the environment variable of the same name in capitals."""

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read all fields. Raises `InvalidSetting`, which names the variable."""
        source = os.environ if environment is None else environment
        hints = get_type_hints(cls)
        values = {
            field.name: _read(field.name.upper(), source, hints[field.name], field.default)
            for field in fields(cls)
        }
        return cls(**values)


def _read(variable: str, source: Mapping[str, str], kind: Any, default: Any) -> Any:
    if variable not in source:
        if default is MISSING:
            raise InvalidSetting(f"environment variable {variable} is not set")
        return default
    try:
        return _value(kind, source[variable])
    except ValueError:
        expected = " or ".join(get_args(kind)) if get_origin(kind) is Literal else kind.__name__
        raise InvalidSetting(
            f"environment variable {variable} is {source[variable]!r}, expected {expected}"
        ) from None


def _value(kind: Any, text: str) -> Any:
    if get_origin(kind) is not Literal:
        return _READERS[kind](text)
    if text not in get_args(kind):
        raise ValueError(text)
    return text


@dataclass(frozen=True)
class ListDetectorsSettings(Settings):
    """Settings of List Detectors; `detectors_file` is relative to the functions' folder, `sagemaker_engine` is ENABLED or DISABLED."""

    table_name: str
    bucket_name: str
    batch_size: int
    sagemaker_engine: str
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class ForestSettings(Settings):
    """Settings of the functions that train and score forests themselves."""

    table_name: str
    bucket_name: str


@dataclass(frozen=True)
class StoreMetricDataSettings(Settings):
    """Settings of Store Metric Data; windows end `data_delay` before the scheduled time, so that late datapoints arrive first."""

    table_name: str
    bucket_name: str
    data_delay_minutes: int
    first_window_days: int
    training_instance_count: int = 1
    transform_instance_count: int = 1

    @property
    def data_delay(self) -> timedelta:
        """Time that late datapoints have to arrive."""
        return timedelta(minutes=self.data_delay_minutes)

    @property
    def first_window(self) -> timedelta:
        """Time that a new detector scores first."""
        return timedelta(days=self.first_window_days)

    @property
    def row_files(self) -> int:
        """Number of row files, at least one per instance of either job: `ShardedByS3Key` leaves other instances idle."""
        return max(self.training_instance_count, self.transform_instance_count)


@dataclass(frozen=True)
class SageMakerSettings(Settings):
    """Settings of SageMaker jobs and models."""

    bucket_name: str
    job_name_prefix: str
    role_arn: str
    image_uri: str
    kms_key_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobSettings(SageMakerSettings):
    """Instances and deadline of a job; the table, for waits for a quota."""

    table_name: str = ""
    instance_count: int = 1
    deadline_minutes: int = 60

    @property
    def deadline(self) -> timedelta:
        """Maximum duration of a job."""
        return timedelta(minutes=self.deadline_minutes)


@dataclass(frozen=True)
class TrainingJobSettings(JobSettings):
    """Instances and forest of a training job; the volume is in GB."""

    instance_type: str = "ml.m5.large"
    volume_size: int = 10
    num_trees: int = 50
    num_samples_per_tree: int = 256


@dataclass(frozen=True)
class TransformJobSettings(JobSettings):
    """Instances of a transform job; the table, for registered models that no longer exist too."""

    instance_type: str = "ml.c5.xlarge"


@dataclass(frozen=True)
class RegisterModelSettings(Settings):
    """Settings of Register Model; `cutoff_sigmas` is the default of detectors without their own."""

    table_name: str
    bucket_name: str
    cutoff_sigmas: float


@dataclass(frozen=True)
class PublishAnomaliesSettings(Settings):
    """Settings of Publish Anomalies; `anomaly_namespace` is the CloudWatch namespace of published metrics.

    `alarm_window_minutes` is the time over which an alarm counts anomalous datapoints, 0 without such an alarm.
    """

    table_name: str
    bucket_name: str
    anomaly_namespace: str
    alarm_window_minutes: int = 0

    @property
    def alarm_window(self) -> timedelta:
        """Time over which anomalous datapoints are counted for an alarm; zero without such an alarm."""
        return timedelta(minutes=self.alarm_window_minutes)


@dataclass(frozen=True)
class RegistrySettings(Settings):
    """Settings of functions that use only the registry."""

    table_name: str


@dataclass(frozen=True)
class SummarizeRunSettings(Settings):
    """Settings of Summarize Run: where totals and notifications go, and the stack that they name."""

    table_name: str
    bucket_name: str
    anomaly_namespace: str
    topic_arn: str
    operations_topic_arn: str
    notification_severity: Literal["low", "medium", "high"]
    stack_name: str
    aws_region: str


@dataclass(frozen=True)
class CheckFreshnessSettings(Settings):
    """Settings of Check Freshness: namespace of the ages, and the ages that count as overdue."""

    table_name: str
    anomaly_namespace: str
    model_overdue_days: float
    transform_overdue_hours: float


@dataclass(frozen=True)
class RetireDetectorsSettings(Settings):
    """Settings of Retire Detectors; `detectors_file` is relative to the functions' folder."""

    table_name: str
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class DrawWidgetSettings(Settings):
    """Settings of Draw Widget; `anomaly_namespace` is the CloudWatch namespace of published anomalies."""

    table_name: str
    anomaly_namespace: str
    aws_region: str


@dataclass(frozen=True)
class DestinationSettings(Settings):
    """Destinations of scores and incidents: the base stack's bucket, table and topics, and the queue of rejected records."""

    base_stack: str
    table_name: str
    bucket_name: str
    anomaly_namespace: str
    topic_arn: str
    operations_topic_arn: str
    rejected_records_url: str
    notification_severity: Literal["low", "medium", "high"]
    aws_region: str


@dataclass(frozen=True)
class StreamSettings(DestinationSettings):
    """Settings of the functions of stack `stack_name`: their stream in `detectors_file`, and its ARN, or `kafka:TOPIC,TOPIC`.

    `target_arn` gets every scored row, `results_url` a log's summaries, each empty for none; models of `cold_start_detector` are read,
    `scoring_function` has Kafka's lag, and `endpoint_name` is the endpoint that scores.
    """

    stream_name: str
    stream_arn: str
    target_arn: str = ""
    results_url: str = ""
    history_location: str = ""
    cold_start_detector: str = ""
    scoring_function: str = ""
    endpoint_name: str = ""
    stack_name: str = ""
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class LiveSettings(Settings):
    """Settings of Score Metrics: the base stack with its bucket, table and topics; the function's own name, to invoke itself.

    A datapoint that is missing for `gap_minutes` counts as a gap.
    """

    base_stack: str
    table_name: str
    bucket_name: str
    anomaly_namespace: str
    topic_arn: str
    operations_topic_arn: str
    notification_severity: Literal["low", "medium", "high"]
    aws_region: str
    aws_lambda_function_name: str
    gap_minutes: int = 15
    alarm_by_detector: Literal["ENABLED", "DISABLED"] = "ENABLED"
    detectors_file: str = "detectors.yaml"

    @property
    def gap(self) -> timedelta:
        """Time after which a missing datapoint counts as a gap."""
        return timedelta(minutes=self.gap_minutes)


@dataclass(frozen=True)
class TrainLogSettings(Settings):
    """Settings of Train Log: the stream of a log, the bucket of its models, the bucket and prefix of past records."""

    stream_name: str
    stream_arn: str
    bucket_name: str
    history_location: str
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class ReportHourSettings(Settings):
    """Settings of Report Hour: the stream of a log, the queue of its summaries, the bucket of the reports."""

    stream_name: str
    bucket_name: str
    results_url: str
