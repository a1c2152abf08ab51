"""Stream of a call to Kinesis; a call may name it by its ARN, its name or an iterator alone."""

from collections.abc import Mapping
from typing import Any

from localaws.api_response import ApiError
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.kinesis.iterators import ShardIterator


def stream_arn(parameters: Mapping[str, Any], region: str) -> str:
    """Return the ARN of the stream of a call, `*` if it is about no stream."""
    for name in ("StreamARN", "ResourceARN"):
        if name in parameters:
            return str(parameters[name])
    if "StreamName" in parameters:
        return f"arn:aws:kinesis:{region}:{ACCOUNT_ID}:stream/{parameters['StreamName']}"
    return _of_iterator(parameters.get("ShardIterator", ""))


def _of_iterator(token: str) -> str:
    try:
        return ShardIterator.parse(token).stream
    except ApiError:  # refused by the service in its own words
        return "*"
