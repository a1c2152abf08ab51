"""ARNs of SageMaker's resources, and the role that a request names."""

import json

from localaws.api_response import ApiError
from localaws.embedded_ministack import ACCOUNT_ID, account_scope, service


def arn(region: str, kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{kind}/{name}"


def check_role(role_arn: str, region: str) -> None:
    """Refuse a role that does not exist or does not trust SageMaker."""
    with account_scope(region):
        role = service("iam")._roles.get(role_arn.rpartition("/")[2])
    if role is None or not _trusts_sagemaker(role["AssumeRolePolicyDocument"]):
        raise ApiError(
            "ValidationException",
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows "
            "principal 'sagemaker.amazonaws.com' to assume the role.",
        )


def _trusts_sagemaker(policy: object) -> bool:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    return "sagemaker.amazonaws.com" in text
