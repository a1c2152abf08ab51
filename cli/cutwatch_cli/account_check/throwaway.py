"""The throw-away stack of a check: its names, detectors and settings."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cutwatch.detectors.detector import Detector, Engine
from cutwatch.detectors.metric_source import SourceMetric
from cutwatch_cli.stacks.account import Account

METRIC = "Requests"
PERIOD = 60
HISTORY_DAYS = 1
# CloudFormation shortens longer names in those of roles, so policies by prefix would not hold.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,24}")
_SETTINGS = {"ScheduleState": "DISABLED", "DataDelayMinutes": "0"}


@dataclass(frozen=True)
class Throwaway:
    """A stack that a check deploys and removes. `kms_key` and `sagemaker` are the options of the command."""

    account: Account
    account_id: str
    stack: str
    sagemaker: bool = True
    kms_key: str = ""

    @property
    def job_prefix(self) -> str:
        """Prefix of SageMaker's names that no other stack has, so that removal by prefix is safe."""
        whole = f"{self.account_id}/{self.account.region}/{self.stack}"
        return f"check-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"

    @property
    def artefacts(self) -> str:
        """The bucket of the packaged sources."""
        return f"{self.job_prefix}-artefacts"

    @property
    def source_namespace(self) -> str:
        """The namespace of the generated metric."""
        return f"CutwatchCheck/{self.stack}"

    @property
    def detectors(self) -> Sequence[Detector]:
        """One detector for each engine.

        CloudWatch shows datapoints of yesterday only after two days, so the expression has zeros in their place.
        """
        engines: tuple[Engine, ...] = ("lambda", "sagemaker") if self.sagemaker else ("lambda",)
        return [
            Detector(
                name=f"requests-{engine}",
                expression="FILL(requests, 0)",
                metrics={
                    "requests": SourceMetric(
                        namespace=self.source_namespace, metric=METRIC, statistic="Sum"
                    )
                },
                period=PERIOD,
                history_days=HISTORY_DAYS,
                engine=engine,
            )
            for engine in engines
        ]

    @property
    def settings(self) -> Mapping[str, str]:
        """Settings of the template: no schedules, and windows up to the minute."""
        return _SETTINGS

    @property
    def parameters(self) -> Mapping[str, str]:
        """Parameters of the template."""
        return {
            "Environment": "dev",
            "JobNamePrefix": self.job_prefix,
            "AnomalyNamespace": f"CutwatchCheck/{self.stack}/Anomalies",
            "SageMakerEngine": "ENABLED" if self.sagemaker else "DISABLED",
            **({"KmsKeyArn": self.kms_key} if self.kms_key else {}),
        }


def is_stack_name(name: str) -> bool:
    """Return True for a name that CloudFormation and the roles' names allow."""
    return _NAME.fullmatch(name) is not None
