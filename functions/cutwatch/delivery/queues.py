"""Messages to SQS queues and records to Kinesis streams, in as few requests as their limits allow."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import sleep
from typing import TYPE_CHECKING, Any, Protocol

from cutwatch.aws.limits import (
    PUT_RECORDS_MAX_BYTES,
    PUT_RECORDS_MAX_RECORDS,
    SEND_MESSAGE_BATCH_MAX_BYTES,
    SEND_MESSAGE_BATCH_MAX_ENTRIES,
)
from cutwatch.errors import RejectedRequest, ServiceFault, Throttled

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_sqs import SQSClient

_PAUSES = (0.1, 0.4, 1.6)
# Of an entry's fields other than its body.
_OVERHEAD = 512

Row = Mapping[str, Any]


class RowTarget(Protocol):
    """A place for scored rows."""

    def put(self, rows: Sequence[Row]) -> None:
        """Put rows; raises an `AwsError` if any was not taken."""


class QueueTarget:
    """A queue that gets a message per row; `find_url` is asked when there are rows, for a queue that is gone must not stop the scoring."""

    def __init__(self, sqs: "SQSClient", find_url: Callable[[], str]) -> None:
        self._sqs, self._find_url = sqs, find_url

    def put(self, rows: Sequence[Row]) -> None:
        """Send a message per row."""
        messages = [{"MessageBody": json.dumps(row)} for row in rows]
        send_messages(self._sqs, self._find_url(), messages)


class StreamTarget:
    """A Kinesis stream that gets a record per row, with the row's key as its partition key."""

    def __init__(self, kinesis: "KinesisClient", arn: str) -> None:
        self._kinesis, self._arn = kinesis, arn

    def put(self, rows: Sequence[Row]) -> None:
        """Put a record per row; what the stream throttles is put again."""
        texts = [(json.dumps(row).encode(), row["key"] or "-") for row in rows]
        records = [{"Data": data, "PartitionKey": key} for data, key in texts]
        sizes = [len(data) + len(key.encode()) for data, key in texts]
        for chunk in _chunks(records, sizes, PUT_RECORDS_MAX_RECORDS, PUT_RECORDS_MAX_BYTES):
            self._put(chunk)

    def _put(self, left: Sequence[Any]) -> None:
        for pause in (*_PAUSES, None):
            answer = self._kinesis.put_records(StreamARN=self._arn, Records=left)
            refused = [
                (record, result)
                for record, result in zip(left, answer["Records"], strict=True)
                if "ErrorCode" in result
            ]
            if not refused:
                return
            if pause is None:
                error = refused[0][1]
                reason = error.get("ErrorMessage", "no reason given")
                text = f"{len(refused)} records refused: {reason}"
                raise Throttled("PutRecords", error["ErrorCode"], text)
            left = [record for record, _ in refused]
            sleep(pause)


def send_messages(sqs: "SQSClient", url: str, messages: Sequence[Mapping[str, Any]]) -> None:
    """Send messages; what the queue refuses for a reason of its own is sent again, and at last `ServiceFault` raised."""
    sizes = [len(each["MessageBody"].encode()) + _OVERHEAD for each in messages]
    entries = [{"Id": str(number), **each} for number, each in enumerate(messages)]
    chunks = _chunks(entries, sizes, SEND_MESSAGE_BATCH_MAX_ENTRIES, SEND_MESSAGE_BATCH_MAX_BYTES)
    for chunk in chunks:
        _send(sqs, url, chunk)


def _send(sqs: "SQSClient", url: str, left: Sequence[Any]) -> None:
    for pause in (*_PAUSES, None):
        failed = sqs.send_message_batch(QueueUrl=url, Entries=left).get("Failed", [])
        if not failed:
            return
        first = failed[0]
        if first["SenderFault"] or pause is None:
            kind = RejectedRequest if first["SenderFault"] else ServiceFault
            text = f"{len(failed)} messages refused: {first.get('Message', 'no reason given')}"
            raise kind("SendMessageBatch", first["Code"], text)
        ids = {each["Id"] for each in failed}
        left = [entry for entry in left if entry["Id"] in ids]
        sleep(pause)


def _chunks(
    entries: Iterable[Any], sizes: Iterable[int], most: int, most_bytes: int
) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    room = most_bytes
    for entry, size in zip(entries, sizes, strict=True):
        if chunk and (len(chunk) == most or size > room):
            yield chunk
            chunk, room = [], most_bytes
        chunk.append(entry)
        room -= size
    if chunk:
        yield chunk
