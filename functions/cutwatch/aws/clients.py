"""The only module that imports boto3: clients that raise Cutwatch's errors, and DynamoDB's item format."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from typing import Any

import boto3
import botocore.session
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.utils import parse_timestamp

from cutwatch.errors import (
    AccessDenied,
    AwsError,
    ConditionFailed,
    ConnectionLost,
    NameInUse,
    NotFound,
    QuotaExceeded,
    QuotaTooSmall,
    RejectedRequest,
    ServiceFault,
    Throttled,
)

CONNECT_SECONDS = 3
# AWS allows 60. Whoever sends rows tries again in four fifths of a function's time, and the last try must end before it does.
ENDPOINT_ANSWER_SECONDS = 30

# botocore knows most of these only as a plain ClientError; the code is in the response.
ERROR_CLASSES: Mapping[str, type[AwsError]] = {
    **dict.fromkeys(
        (
            "BandwidthLimitExceeded",
            "KMSThrottling",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
            "TransactionConflictException",
            "TransactionInProgressException",
        ),
        Throttled,
    ),
    **dict.fromkeys(
        (
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "InternalServiceError",
            "InternalServiceException",
            "InternalServiceFault",
            "OperationTimeoutException",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ),
        ServiceFault,
    ),
    **dict.fromkeys(
        (
            "ConcurrentRunsExceededException",
            "LimitExceededException",
            "ResourceLimitExceeded",
            "ResourceNumberLimitExceededException",
            "ServiceQuotaExceededException",
        ),
        QuotaExceeded,
    ),
    **dict.fromkeys(("ResourceInUse", "ResourceInUseException"), NameInUse),
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "AuthorizationErrorException",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidClientTokenId",
            "KMSAccessDenied",
            "KMSAccessDeniedException",
            "UnauthorizedOperation",
            "UnrecognizedClientException",
        ),
        AccessDenied,
    ),
    **dict.fromkeys(
        (
            "404",
            "EntityNotFoundException",
            "ExportNotFoundException",
            "NoSuchBucket",
            "NoSuchKey",
            "NoSuchTagSet",
            "NotFound",
            "NotFoundException",
            "ObjectNotFoundException",
            "ResourceNotFound",
            "ResourceNotFoundException",
        ),
        NotFound,
    ),
    **dict.fromkeys(
        # DynamoDB, then S3: of its two, one says that a write came before, the other that it goes on.
        (
            "ConditionalCheckFailedException",
            "PreconditionFailed",
            "ConditionalRequestConflict",
        ),
        ConditionFailed,
    ),
}

# SageMaker answers a request that names something unknown with a ValidationException.
_QUOTA = re.compile(r"is (?P<quota>\d+) Instances.*request delta of (?P<asked>\d+)", re.DOTALL)
_SAGEMAKER_NOT_FOUND = ("could not find", "does not exist", "not found")
_SAGEMAKER_NAME_IN_USE = ("already existing", "already exists")


def translate(operation: str, error: ClientError | BotoCoreError) -> AwsError:
    """Translate an error of boto3 to a Cutwatch error."""
    if not isinstance(error, ClientError):
        lost = isinstance(error, HTTPClientError | NoConnectionError | IncompleteReadError)
        return (ConnectionLost if lost else RejectedRequest)(
            operation, type(error).__name__, str(error)
        )
    detail = error.response.get("Error", {})
    code, message = str(detail.get("Code", "Unknown")), str(detail.get("Message", error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = _class_of(code, message, status, error.response)
    return kind(operation, code, message)


def _class_of(code: str, message: str, status: int, response: Mapping[str, Any]) -> type[AwsError]:
    if code in _CLASS_OF_RESPONSE:
        return _CLASS_OF_RESPONSE[code](response)
    if code == "ResourceLimitExceeded" and _asks_for_more_than_all(message):
        return QuotaTooSmall
    if code in ERROR_CLASSES:
        return ERROR_CLASSES[code]
    # SageMaker's runtime has a name of its own for it.
    if code in ("ValidationException", "ValidationError"):
        return _class_of_validation(message.lower())
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled
    return ServiceFault if status >= HTTPStatus.INTERNAL_SERVER_ERROR else RejectedRequest


def _asks_for_more_than_all(message: str) -> bool:
    """Return True for a request that exceeds the whole quota, unlike one that has to wait for its share."""
    found = _QUOTA.search(message)
    return found is not None and int(found["asked"]) > int(found["quota"])


def _class_of_validation(message: str) -> type[AwsError]:
    if any(words in message for words in _SAGEMAKER_NAME_IN_USE):
        return NameInUse
    if any(words in message for words in _SAGEMAKER_NOT_FOUND):
        return NotFound
    return RejectedRequest


def _class_of_model_error(response: Mapping[str, Any]) -> type[AwsError]:
    """Return the class for the error of an endpoint's container, which has a status of its own."""
    status = response.get("OriginalStatusCode", HTTPStatus.INTERNAL_SERVER_ERROR)
    return ServiceFault if status >= HTTPStatus.INTERNAL_SERVER_ERROR else RejectedRequest


def _class_of_transaction(response: Mapping[str, Any]) -> type[AwsError]:
    codes = {reason.get("Code") for reason in response.get("CancellationReasons", [])}
    if "ConditionalCheckFailed" in codes:
        return ConditionFailed
    return Throttled if codes & {"TransactionConflict", "ThrottlingError"} else RejectedRequest


_CLASS_OF_RESPONSE: Mapping[str, Callable[[Mapping[str, Any]], type[AwsError]]] = {
    "ModelError": _class_of_model_error,
    "TransactionCanceledException": _class_of_transaction,
}


class _TranslatingClient:
    """Mixin for every client class (boto3's `creating-client-class` event), so that paginators and waiters translate errors too."""

    def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> Any:
        try:
            return super()._make_api_call(operation_name, api_params)  # type: ignore[misc]
        except (ClientError, BotoCoreError) as error:
            raise translate(operation_name, error) from error


def _translate_errors(base_classes: list[type], **_: object) -> None:
    base_classes.insert(0, _TranslatingClient)


def translate_errors_of(session: Any) -> None:
    """Let the clients that a session of boto3 creates from now on raise Cutwatch's errors."""
    session.events.register("creating-client-class", _translate_errors)


def _parsed_timestamp(value: Any) -> datetime:
    """Parse a timestamp as botocore does, but without the local time zone, which takes half the time of reading datapoints."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    parsed: datetime = parse_timestamp(value)
    return parsed


@cache
def _session() -> Any:
    """Return the only session; loading its region and credential data takes as long as creating a client."""
    core: Any = botocore.session.get_session()
    core.get_component("response_parser_factory").set_parser_defaults(
        timestamp_parser=_parsed_timestamp
    )
    session: Any = boto3.session.Session(botocore_session=core)
    translate_errors_of(session)
    return session


@cache
def client(service: str, region: str | None = None, *, answer_seconds: int | None = None) -> Any:
    """Return a client of the default credential chain, created once per execution environment.

    Without a Region, it is that of the function. With `answer_seconds`, a call may take that long and is not repeated.
    """
    # CloudWatch alone is asked by many batches at once; adaptive clients slow down together once it throttles.
    is_cloudwatch = service == "cloudwatch"
    if service == "sagemaker-runtime":
        answer_seconds = ENDPOINT_ANSWER_SECONDS
    config = Config(
        retries={
            "mode": "adaptive" if is_cloudwatch else "standard",
            "total_max_attempts": 1 if answer_seconds else 3,
        },
        connect_timeout=CONNECT_SECONDS,
        read_timeout=answer_seconds or 12,
        # Networks drop connections that are silent for minutes.
        tcp_keepalive=bool(answer_seconds),
        # Of a thousand datums it takes a third of the call; CloudWatch checks them itself.
        parameter_validation=not is_cloudwatch,
    )
    return _session().client(service, region_name=region, config=config)


def read_body(operation: str, response: Mapping[str, Any]) -> bytes:
    """Read a response's streamed body. Raises `ConnectionLost` if the connection is lost meanwhile."""
    try:
        content: bytes = response["Body"].read()
    except BotoCoreError as error:
        raise translate(operation, error) from error
    return content


def to_item(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Convert JSON values to a DynamoDB item; floats become exact decimals of their shortest form."""
    exact = json.loads(json.dumps(attributes), parse_float=Decimal)
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in exact.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a DynamoDB item to JSON values."""
    deserializer = TypeDeserializer()
    return {name: _plain(deserializer.deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value
