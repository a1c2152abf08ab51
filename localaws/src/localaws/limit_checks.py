"""AWS's limits on calls of services that MiniStack serves without them."""

import json
from collections.abc import Callable, Mapping

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError
from localaws.limits import (
    LAMBDA_PAYLOAD_MAX_BYTES,
    SNS_MESSAGE_MAX_BYTES,
    SNS_SUBJECT_MAX_LENGTH,
    STATE_PAYLOAD_MAX_BYTES,
)

_DYNAMODB_ITEM_MAX_BYTES = 400 * 1024


def check_limits(request: ApiRequest) -> None:
    """Refuse what AWS refuses."""
    check = _CHECKS.get((request.service, request.operation))
    if check is not None:
        check(request)


def _start_execution(request: ApiRequest) -> None:
    text = str(request.parameters.get("input", "{}"))
    size = len(text.encode())
    if size > STATE_PAYLOAD_MAX_BYTES:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {STATE_PAYLOAD_MAX_BYTES}",
        )
    try:
        json.loads(text)
    except ValueError as error:
        raise ApiError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
        ) from None


def _invoke(request: ApiRequest) -> None:
    if len(request.body) > LAMBDA_PAYLOAD_MAX_BYTES:
        raise ApiError(
            "RequestTooLargeException",
            f"Request must be smaller than {LAMBDA_PAYLOAD_MAX_BYTES} bytes for the "
            "InvokeFunction operation",
            413,
        )


def _publish(request: ApiRequest) -> None:
    if len(str(request.parameters.get("Message", "")).encode()) > SNS_MESSAGE_MAX_BYTES:
        raise ApiError("InvalidParameter", "Invalid parameter: Message too long")
    subject = request.parameters.get("Subject")
    if subject is not None and not _is_subject(subject):
        raise ApiError("InvalidParameter", "Invalid parameter: Subject")


def _is_subject(subject: str) -> bool:
    return (
        0 < len(subject) <= SNS_SUBJECT_MAX_LENGTH
        and subject.isascii()
        and subject.isprintable()
        and not subject[0].isspace()
    )


def _put_item(request: ApiRequest) -> None:
    if len(request.body) > _DYNAMODB_ITEM_MAX_BYTES:
        raise ApiError("ValidationException", "Item size has exceeded the maximum allowed size")


_CHECKS: Mapping[tuple[str, str], Callable[[ApiRequest], None]] = {
    ("stepfunctions", "StartExecution"): _start_execution,
    ("lambda", "Invoke"): _invoke,
    ("sns", "Publish"): _publish,
    ("dynamodb", "PutItem"): _put_item,
}
