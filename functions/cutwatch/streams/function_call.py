"""Calls of the Lambda functions that a stream names, its preprocessor and its postprocessor."""

import json
from collections.abc import Mapping
from typing import Any

from cutwatch.aws.clients import read_body
from cutwatch.errors import CutwatchError

# `Timeout` of the function that scores a stream, in seconds.
SCORING_SECONDS = 180
# A preprocessor may take two thirds of it: the rest is for scoring and writing the batch. A batch that takes longer is divided.
PREPROCESSOR_SECONDS = SCORING_SECONDS * 2 // 3
# A batch may have several incidents, and none of them may wait long for a function that hangs.
POSTPROCESSOR_SECONDS = 15


def call(client: Any, function: str, event: Mapping[str, Any], failure: type[CutwatchError]) -> bytes:  # fmt: skip
    """Return a function's answer to an event. Raises `failure` if it ended with an error, and the errors of `clients`."""
    response = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    answer = read_body("Invoke", {"Body": response["Payload"]})
    if response.get("FunctionError"):
        raise failure(f"{function} ended with an error: {_error_type(answer)}")
    return answer


def _error_type(answer: bytes) -> str:
    """Return the type of a function's error; its message may have the content of records."""
    try:
        return str(json.loads(answer)["errorType"])
    except (KeyError, TypeError, ValueError):
        return "unknown"
