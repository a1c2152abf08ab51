"""The AWS account that the default credential chain reaches, and what its refusals mean to a person."""

import re
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

LACKS_PERMISSION = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
)
_NOT_ACCEPTED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_NO_CREDENTIALS = "no usable AWS credentials; sign in, set AWS_PROFILE, or give --profile"
# IAM's name for each operation that the commands ask for; botocore's errors name the operation alone.
_ACTIONS = {
    "DeleteItem": "dynamodb:DeleteItem",
    "DescribeExecution": "states:DescribeExecution",
    "DescribeStacks": "cloudformation:DescribeStacks",
    "FilterLogEvents": "logs:FilterLogEvents",
    "GetItem": "dynamodb:GetItem",
    "GetMetricData": "cloudwatch:GetMetricData",
    "GetObject": "s3:GetObject",
    "ListMetrics": "cloudwatch:ListMetrics",
    "ListObjectsV2": "s3:ListBucket",
    "PutItem": "dynamodb:PutItem",
    "Query": "dynamodb:Query",
    "StartExecution": "states:StartExecution",
}
# AWS's own words, where it says more than the operation does: a key's policy may be what refuses.
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)")


@dataclass(frozen=True)
class Account:
    """A session; nothing is asked of AWS before the first call of a client."""

    session: Any

    @classmethod
    def reached_by(cls, profile: str | None, region: str | None) -> "Account":
        """By a profile or the default chain, in a region or the chain's own."""
        return cls(boto3.session.Session(profile_name=profile, region_name=region))

    @property
    def region(self) -> str | None:
        """The region that is asked, if any is known."""
        region: str | None = self.session.region_name
        return region

    def client(self, service: str) -> Any:
        """A client that gives up before a person does."""
        config = Config(retries={"mode": "standard"}, connect_timeout=3, read_timeout=12)
        return self.session.client(service, config=config)


def explanation(error: Exception, region: str | None) -> str:
    """One line: what went wrong, and what to do about it."""
    said = " ".join(str(error).split())
    reasons: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
        ((exceptions.ClientError,), _refusal(error, region)),
        ((exceptions.ProfileNotFound,), f"--profile: {said}"),
        ((exceptions.NoRegionError,), "no region; set AWS_REGION, or give --region"),
        (
            (
                exceptions.ConnectionError,
                exceptions.HTTPClientError,
                exceptions.InvalidRegionError,
            ),
            f"AWS cannot be reached in region {region!r}; is the region right? {said}",
        ),
        (
            (exceptions.NoCredentialsError, exceptions.PartialCredentialsError),
            _NO_CREDENTIALS,
        ),
        (
            (exceptions.CredentialRetrievalError, exceptions.SSOError),
            f"{_NO_CREDENTIALS}: {said}",
        ),
    )
    return next((reason for kinds, reason in reasons if isinstance(error, kinds)), said)


def error_code(error: Exception) -> str:
    """AWS's code of a refusal."""
    return str(_detail(error).get("Code"))


def _detail(error: Exception) -> dict[str, Any]:
    detail: dict[str, Any] = getattr(error, "response", {}).get("Error", {})
    return detail


def _refusal(error: Exception, region: str | None) -> str:
    code, message = error_code(error), " ".join(str(_detail(error).get("Message")).split())
    operation = getattr(error, "operation_name", "")
    if code in LACKS_PERMISSION:
        return f"these credentials lack the permission {_action(operation, message)}: {message}"
    if code in _NOT_ACCEPTED:
        return (
            f"AWS does not accept these credentials in region {region!r}; are they current, and is "
            f"the region enabled? {message} ({code})"
        )
    return f"{operation}: {message} ({code})"


def _action(operation: str, message: str) -> str:
    named = _NAMED_ACTION.search(message)
    return named[1] if named else _ACTIONS.get(operation, f"for {operation}")
