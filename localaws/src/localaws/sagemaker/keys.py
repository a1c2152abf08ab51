"""The KMS keys of jobs: what SageMaker does with them in the role of a job."""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.iam.keys import ENCRYPT, key_arn
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, role_name
from localaws.sagemaker.jobs import JobFailure

Demand = Callable[[str, Need], None]

# SageMaker lends the key to EC2, which holds the volume; a grant to an AWS service, as the condition key says.
_FOR_AWS = {"kms:grantisforawsresource": "true"}


class JobKeys:
    """Checks the rights of jobs' roles; `demand` raises AccessDenied for a role without a right."""

    def __init__(self, region: str, demand: Demand) -> None:
        self._region = region
        self._demand = demand

    def check(self, role_arn: str, output: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
        """Raise JobFailure unless the role may use the keys of a job's output and volumes."""
        if key := key_arn(output.get("KmsKeyId", ""), self._region):
            self._demand_all(role_arn, Need(ENCRYPT, key))
        if key := key_arn(resources.get("VolumeKmsKeyId", ""), self._region):
            self._demand_all(
                role_arn, Need("kms:DescribeKey", key), Need("kms:CreateGrant", key, _FOR_AWS)
            )

    def _demand_all(self, role_arn: str, *needs: Need) -> None:
        try:
            for need in needs:
                self._demand(role_name(role_arn), need)
        except AccessDenied as denied:
            raise JobFailure(f"ClientError: {denied}") from denied
