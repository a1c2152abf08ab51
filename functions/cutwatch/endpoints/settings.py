"""Settings of the functions that deploy models to an endpoint."""

from dataclasses import dataclass
from datetime import timedelta

from cutwatch.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ModelSettings(Settings):
    """Settings of the functions that keep the models of a watched table; `table_name` is the registry."""

    watched_table: str
    table_name: str
    bucket_name: str
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True, kw_only=True)
class EndpointSettings(ModelSettings):
    """Settings of the functions that deploy.

    With `serverless_memory` (MB), the endpoint is serverless and has no instances. With `max_instance_count`, it has more than
    `instance_count` when it gets more than `invocations_per_instance` requests a minute. `rollback_alarms` move traffic back to the model
    before while a new one bakes.
    """

    endpoint_name: str
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    max_instance_count: int = 0
    invocations_per_instance: int = 600
    serverless_memory: int = 0
    serverless_concurrency: int = 5
    rollback_alarms: tuple[str, ...] = ()
    bake_seconds: int = 600
    deadline_minutes: int = 60
    kms_key_id: str = ""

    @property
    def deadline(self) -> timedelta:
        """Maximum duration of a deployment."""
        return timedelta(minutes=self.deadline_minutes)
