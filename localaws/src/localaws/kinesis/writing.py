"""PutRecord and PutRecords."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_response import ApiError
from localaws.kinesis.stream import Stream
from localaws.limits import KINESIS_PUT_RECORDS_MAX_BYTES

_Parameters = Mapping[str, Any]


class Writing:
    """`now` returns epoch seconds; `written` is called with a stream that records have been put into."""

    def __init__(self, now: Callable[[], float], written: Callable[[Stream], None]) -> None:
        self._now = now
        self._written = written

    def put_record(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        answer = self._put(parameters, _size(parameters, stream), stream)
        self._written(stream)
        return answer | _encryption(stream)

    def put_records(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        """Store each record for itself; a shard's refusal fails its record only."""
        records = parameters["Records"]
        sizes = [_size(record, stream) for record in records]
        if sum(sizes) > KINESIS_PUT_RECORDS_MAX_BYTES:
            raise ApiError(
                "InvalidArgumentException",
                f"Records size exceeds {KINESIS_PUT_RECORDS_MAX_BYTES // 1024**2} MB limit",
            )
        put = [self._put_or_say_why(*each, stream) for each in zip(records, sizes, strict=True)]
        self._written(stream)
        failed = sum("ErrorCode" in each for each in put)
        return {"FailedRecordCount": failed, "Records": put, **_encryption(stream)}

    def _put_or_say_why(self, record: _Parameters, size: int, stream: Stream) -> dict[str, Any]:
        try:
            return self._put(record, size, stream)
        except ApiError as error:
            if error.code != "ProvisionedThroughputExceededException":
                raise
            return {"ErrorCode": error.code, "ErrorMessage": error.message}

    def _put(self, record: _Parameters, size: int, stream: Stream) -> dict[str, Any]:
        key = record["PartitionKey"]
        shard = stream.shard_for(key, record.get("ExplicitHashKey"))
        number = stream.add(shard, key, record["Data"], size, self._now())
        return {"ShardId": shard.id, "SequenceNumber": str(number)}


def _size(record: _Parameters, stream: Stream) -> int:
    """Return the bytes of data and partition key, which together are limited."""
    if "PartitionKey" not in record:  # only streams that distribute records themselves take none
        raise ApiError("InvalidArgumentException", "PartitionKey must not be null")
    try:
        data = base64.b64decode(record["Data"], validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ApiError("SerializationException", "Data is not base64") from None
    size = len(data) + len(record["PartitionKey"].encode())
    if size > stream.max_record_kib * 1024:
        raise ApiError(
            "InvalidArgumentException",
            f"Record size of {size} bytes exceeds the stream's maximum of "
            f"{stream.max_record_kib * 1024} bytes for data and partition key",
        )
    return size


def _encryption(stream: Stream) -> dict[str, str]:
    return {"EncryptionType": "KMS"} if stream.key else {}
