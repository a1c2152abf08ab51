"""What a function is told by its environment: one frozen dataclass per function, read inside the handler."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from typing import Any, Self, get_type_hints

from cutwatch.errors import InvalidSetting

_READERS: Mapping[Any, Any] = {
    str: str,
    int: int,
    float: float,
    tuple[str, ...]: lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
}


@dataclass(frozen=True)
class Settings:
    """Every field is the environment variable of the same name in capitals."""

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read all fields, or raise `InvalidSetting` naming the variable."""
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
        return _READERS[kind](source[variable])
    except ValueError:
        raise InvalidSetting(
            f"environment variable {variable} is {source[variable]!r}, expected {kind.__name__}"
        ) from None


@dataclass(frozen=True)
class ListDetectorsSettings(Settings):
    """`detectors_file` is relative to the functions' folder; `sagemaker_engine` is ENABLED or DISABLED."""

    table_name: str
    bucket_name: str
    batch_size: int
    sagemaker_engine: str
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class ForestSettings(Settings):
    """For the functions that train and score forests themselves."""

    table_name: str
    bucket_name: str


@dataclass(frozen=True)
class StoreMetricDataSettings(Settings):
    """Windows end `data_delay` before the scheduled time, so that late datapoints arrive first."""

    table_name: str
    bucket_name: str
    data_delay_minutes: int
    first_window_days: int
    training_instance_count: int = 1
    transform_instance_count: int = 1

    @property
    def data_delay(self) -> timedelta:
        """How late a datapoint may arrive and still be seen."""
        return timedelta(minutes=self.data_delay_minutes)

    @property
    def first_window(self) -> timedelta:
        """How much of the past a new detector scores first."""
        return timedelta(days=self.first_window_days)

    @property
    def row_files(self) -> int:
        """At least one object for each instance of either job: `ShardedByS3Key` leaves the others idle."""
        return max(self.training_instance_count, self.transform_instance_count)


@dataclass(frozen=True)
class SageMakerSettings(Settings):
    """What jobs and models are made with."""

    bucket_name: str
    job_name_prefix: str
    role_arn: str
    image_uri: str
    kms_key_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingJobSettings(SageMakerSettings):
    """Instances, forest and deadline of a training job; the volume is in GB."""

    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_size: int = 10
    num_trees: int = 50
    num_samples_per_tree: int = 256
    deadline_minutes: int = 60

    @property
    def deadline(self) -> timedelta:
        """How long a job may take."""
        return timedelta(minutes=self.deadline_minutes)


@dataclass(frozen=True)
class TransformJobSettings(SageMakerSettings):
    """Instances and deadline of a transform job; the table, for a registered model that is gone."""

    table_name: str = ""
    instance_type: str = "ml.c5.xlarge"
    instance_count: int = 1
    deadline_minutes: int = 60

    @property
    def deadline(self) -> timedelta:
        """How long a job may take."""
        return timedelta(minutes=self.deadline_minutes)


@dataclass(frozen=True)
class RegisterModelSettings(Settings):
    """`cutoff_sigmas` applies to detectors that do not choose their own."""

    table_name: str
    bucket_name: str
    cutoff_sigmas: float


@dataclass(frozen=True)
class PublishAnomaliesSettings(Settings):
    """`anomaly_namespace` is the CloudWatch namespace that anomalies are published to.

    Where an alarm asks how many anomalous datapoints were within some minutes, `alarm_window_minutes` says how many.
    """

    table_name: str
    bucket_name: str
    anomaly_namespace: str
    alarm_window_minutes: int = 0

    @property
    def alarm_window(self) -> timedelta:
        """In which anomalous datapoints are counted for an alarm; none asks if it is zero."""
        return timedelta(minutes=self.alarm_window_minutes)


@dataclass(frozen=True)
class RegistrySettings(Settings):
    """For functions that only touch the registry."""

    table_name: str


@dataclass(frozen=True)
class SummarizeRunSettings(Settings):
    """Where totals and notifications go, and the stack that they name."""

    table_name: str
    bucket_name: str
    anomaly_namespace: str
    topic_arn: str
    operations_topic_arn: str
    stack_name: str
    aws_region: str


@dataclass(frozen=True)
class CheckFreshnessSettings(Settings):
    """What is looked at, where its age is published, and from which age on it is named."""

    table_name: str
    anomaly_namespace: str
    model_overdue_days: float
    transform_overdue_hours: float


@dataclass(frozen=True)
class RetireDetectorsSettings(Settings):
    """`detectors_file` is relative to the functions' folder."""

    table_name: str
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class DrawWidgetSettings(Settings):
    """`anomaly_namespace` is the CloudWatch namespace that anomalies were published to."""

    table_name: str
    anomaly_namespace: str
    aws_region: str
