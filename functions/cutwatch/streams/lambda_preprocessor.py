"""Preprocessing by a Lambda function with the contract of Kinesis Data Analytics for SQL.

The event has `records` of `recordId` and base64 `data`; the answer has each `recordId` once, with a `result`: `Ok` and new
`data`, `Dropped`, or `ProcessingFailed`.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cutwatch.aws.limits import LAMBDA_PAYLOAD_MAX_BYTES
from cutwatch.errors import PreprocessorError
from cutwatch.streams.function_call import call
from cutwatch.streams.preprocessing import Preprocessed, rejected
from cutwatch.streams.record import RawRecord, Reason

# Answers have the same limit as requests, and often more fields.
_REQUEST_BYTES = LAMBDA_PAYLOAD_MAX_BYTES // 2
# The fields around a record's data, and around the records.
_OVERHEAD = 1_024
_RECORDS_PER_CALL = 1_000
_MILLISECONDS = 1_000


class LambdaPreprocessor:
    """A Lambda function, called with many records at a time; `client` is boto3's for Lambda."""

    def __init__(self, client: Any, function_arn: str, stream_arn: str) -> None:
        self._client = client
        self._function = function_arn
        self._stream = stream_arn

    def process(self, records: Sequence[RawRecord]) -> Sequence[Preprocessed]:
        """Return the outcome of each record.

        Raises `PreprocessorError` if the function ended with an error or its answer is not JSON, and the errors of
        `clients` if the call failed: the batch is to be tried again.
        """
        outcomes: list[Preprocessed] = []
        for part in _parts(records):
            outcomes += self._processed(part)
        return outcomes

    def _processed(self, records: Sequence[RawRecord]) -> list[Preprocessed]:
        if _size(records[0]) > LAMBDA_PAYLOAD_MAX_BYTES:
            detail = f"the record is larger than a call of Lambda can be, {LAMBDA_PAYLOAD_MAX_BYTES:,} bytes in base64"
            return [rejected(records[0], Reason.PREPROCESSOR_FAILED, detail)]
        answers = self._answers(records)
        return [_outcome(record, answers.get(str(number))) for number, record in enumerate(records)]

    def _answers(self, records: Sequence[RawRecord]) -> Mapping[str, Sequence[Any]]:
        """Call the function; return its answers by record id."""
        event = {
            "invocationId": f"{records[0].lane}:{records[0].position}",
            "applicationArn": self._stream,
            "streamArn": self._stream,
            "records": [_event_record(number, each) for number, each in enumerate(records)],
        }
        payload = call(self._client, self._function, event, PreprocessorError)
        try:
            answered = json.loads(payload)["records"]
            found: dict[str, list[Any]] = {}
            for each in answered:
                found.setdefault(str(each["recordId"]), []).append(each)
        except (KeyError, TypeError, ValueError) as error:
            raise PreprocessorError(
                f"{self._function}: the answer is not {{'records': [{{'recordId': …}}, …]}}: {error!r}"
            ) from None
        return found


def _event_record(number: int, record: RawRecord) -> dict[str, Any]:
    return {
        "recordId": str(number),
        "kinesisStreamRecordMetadata": {
            "shardId": record.lane,
            "sequenceNumber": str(record.position),
            "partitionKey": record.partition,
            "approximateArrivalTimestamp": int(record.arrival * _MILLISECONDS),
        },
        "data": b64encode(record.data).decode(),
    }


def _outcome(record: RawRecord, answers: Sequence[Any] | None) -> Preprocessed:
    if answers is None or len(answers) != 1:
        detail = f"the answer has the recordId {len(answers or ())} times; expected once"
        return rejected(record, Reason.PREPROCESSOR_ANSWER, detail)
    [answer] = answers
    match answer.get("result"):
        case "Dropped":
            return Preprocessed()
        case "ProcessingFailed":
            return rejected(record, Reason.PREPROCESSOR_FAILED, "the result is ProcessingFailed")
        case "Ok":
            return _changed(record, answer.get("data"))
    detail = "the result is not Ok, Dropped or ProcessingFailed"
    return rejected(record, Reason.PREPROCESSOR_ANSWER, detail)


def _changed(record: RawRecord, data: Any) -> Preprocessed:
    try:
        return Preprocessed((b64decode(data, validate=True),))
    except (TypeError, ValueError, binascii.Error):
        return rejected(record, Reason.PREPROCESSOR_ANSWER, "data is not in base64")


def _parts(records: Sequence[RawRecord]) -> Iterator[list[RawRecord]]:
    """Yield records in order, as many at a time as fit into a request; a larger record comes alone."""
    part: list[RawRecord] = []
    size = 0
    for record in records:
        if part and (size + _size(record) > _REQUEST_BYTES or len(part) == _RECORDS_PER_CALL):
            yield part
            part, size = [], 0
        part.append(record)
        size += _size(record)
    if part:
        yield part


def _size(record: RawRecord) -> int:
    """Return the most bytes that a record takes in a request."""
    return len(record.data) * 4 // 3 + _OVERHEAD
