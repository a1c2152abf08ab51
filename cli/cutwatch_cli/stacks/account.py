"""The AWS account of the default credential chain, and explanations of AWS errors."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
# The AWS CLI reads both, in this order; boto3 reads only the second.
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_NO_CREDENTIALS = "no usable AWS credentials; sign in, set AWS_PROFILE, or use --profile"
# The IAM action of each operation that the commands call; botocore's errors only name the operation.
_ACTIONS = {
    "DeleteItem": "dynamodb:DeleteItem",
    "DescribeEndpoint": "sagemaker:DescribeEndpoint",
    "DescribeExecution": "states:DescribeExecution",
    "DescribeStacks": "cloudformation:DescribeStacks",
    "FilterLogEvents": "logs:FilterLogEvents",
    "GetFunctionConfiguration": "lambda:GetFunctionConfiguration",
    "GetItem": "dynamodb:GetItem",
    "GetMetricData": "cloudwatch:GetMetricData",
    "GetObject": "s3:GetObject",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "GetRecords": "kinesis:GetRecords",
    "GetShardIterator": "kinesis:GetShardIterator",
    "Invoke": "lambda:InvokeFunction",
    "ListEventSourceMappings": "lambda:ListEventSourceMappings",
    "ListExecutions": "states:ListExecutions",
    "ListMetrics": "cloudwatch:ListMetrics",
    "ListObjectsV2": "s3:ListBucket",
    "ListShards": "kinesis:ListShards",
    "ListStackResources": "cloudformation:ListStackResources",
    "PutItem": "dynamodb:PutItem",
    "Query": "dynamodb:Query",
    "StartExecution": "states:StartExecution",
}
# AWS's message may name another action, for example if a key's policy denies access.
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)")


@dataclass(frozen=True)
class Account:
    """A session; it calls AWS only when a client does."""

    session: Any

    @classmethod
    def reached_by(
        cls, profile: str | None, region: str | None, configured: str | None = None
    ) -> "Account":
        """Open a session for a profile or the default chain.

        The region is the given one, that of the environment, the `configured` one, or the profile's.
        """
        chosen = region or next(filter(None, map(os.environ.get, _REGION_VARIABLES)), configured)
        return cls(boto3.session.Session(profile_name=profile, region_name=chosen))

    @property
    def region(self) -> str | None:
        """The region, if known."""
        region: str | None = self.session.region_name
        return region

    def client(self, service: str) -> Any:
        """Return a client with short timeouts for interactive use."""
        config = Config(retries={"mode": "standard"}, connect_timeout=3, read_timeout=12)
        return self.session.client(service, config=config)


def time_of(answer: Mapping[str, Any]) -> datetime:
    """Return the account's time: the `Date` header of a response, else this machine's time."""
    written = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(written) if written else datetime.now(UTC).replace(microsecond=0)


def explanation(error: Exception, region: str | None) -> str:
    """Explain an AWS error in one line, with a remedy."""
    said = " ".join(str(error).split())
    reasons: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
        ((exceptions.ClientError,), _refusal(error, region)),
        ((exceptions.ProfileNotFound,), f"--profile: {said}"),
        ((exceptions.NoRegionError,), "no region; set AWS_REGION, or use --region"),
        (
            (
                exceptions.ConnectionError,
                exceptions.HTTPClientError,
                exceptions.InvalidRegionError,
            ),
            _unreachable(region, said),
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


def _unreachable(region: str | None, said: str) -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return (
            f"no local AWS responds at {endpoint} (AWS_ENDPOINT_URL); start it with: cutwatch local, or unset "
            "the variable to reach AWS"
        )
    return f"cannot reach AWS in region {region!r}; check the region: {said}"


def error_code(error: Exception) -> str:
    """Return AWS's error code."""
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
