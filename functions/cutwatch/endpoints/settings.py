"""Settings of the functions that deploy models to an endpoint."""

from dataclasses import dataclass
from datetime import timedelta

from cutwatch.settings import Settings


@dataclass(frozen=True)
class EndpointSettings(Settings):
    """Settings of the endpoint's state machine. `table_name` is the registry.

    With `serverless_memory` (MB), the endpoint is serverless and has no instances. `rollback_alarms` move traffic back to the model
    before while a new one bakes.
    """

    watched_table: str
    endpoint_name: str
    table_name: str
    bucket_name: str
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    serverless_memory: int = 0
    serverless_concurrency: int = 5
    rollback_alarms: tuple[str, ...] = ()
    bake_seconds: int = 600
    deadline_minutes: int = 60
    kms_key_id: str = ""
    detectors_file: str = "detectors.yaml"

    @property
    def deadline(self) -> timedelta:
        """Maximum duration of a deployment."""
        return timedelta(minutes=self.deadline_minutes)
