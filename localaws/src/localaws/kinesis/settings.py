"""Changing a stream's settings: retention, mode, size of records, encryption."""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_response import ApiError
from localaws.kinesis.stream import Stream
from localaws.limits import KINESIS_RETENTION_HOURS

_Parameters = Mapping[str, Any]


class Settings:
    """`now` returns epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def increase_retention(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        hours = _retention(parameters)
        if hours < stream.retention_hours:
            raise _cannot_become(hours, "less than", stream)
        stream.retention_hours = hours
        return {}

    def decrease_retention(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        hours = _retention(parameters)
        if hours > stream.retention_hours:
            raise _cannot_become(hours, "greater than", stream)
        stream.retention_hours = hours
        stream.expire(self._now())
        return {}

    def change_mode(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        stream.mode = parameters["StreamModeDetails"]["StreamMode"]
        return {}

    def change_record_size(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        stream.max_record_kib = parameters["MaxRecordSizeInKiB"]
        return {}

    def encrypt(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        stream.key = parameters["KeyId"]
        return {}

    def decrypt(self, _: _Parameters, stream: Stream) -> dict[str, Any]:
        stream.key = None
        return {}


def _retention(parameters: _Parameters) -> int:
    hours = int(parameters["RetentionPeriodHours"])
    if hours not in KINESIS_RETENTION_HOURS:
        least, most = KINESIS_RETENTION_HOURS.start, KINESIS_RETENTION_HOURS.stop - 1
        raise ApiError(
            "InvalidArgumentException",
            f"Minimum allowed retention period is {least} hours and maximum is {most} hours. "
            f"Requested retention period ({hours} hours) is not valid.",
        )
    return hours


def _cannot_become(hours: int, compared: str, stream: Stream) -> ApiError:
    return ApiError(
        "InvalidArgumentException",
        f"Requested retention period ({hours} hours) for stream {stream.name} can not be "
        f"{compared} existing retention period ({stream.retention_hours} hours).",
    )
