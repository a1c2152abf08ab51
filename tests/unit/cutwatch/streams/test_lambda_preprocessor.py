import io
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest

from cutwatch.aws.limits import LAMBDA_PAYLOAD_MAX_BYTES
from cutwatch.errors import PreprocessorError, Throttled
from cutwatch.streams.lambda_preprocessor import LambdaPreprocessor
from cutwatch.streams.record import RawRecord, Reason

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:clean"
STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/vitals"
RECORDS = [RawRecord(b"record %d" % n, "shard", 100 + n, 1_780_000_000.5) for n in range(3)]


class Lambda:
    """Lambda with one function, which gets the event's records and returns its answer's."""

    def __init__(self, function: Callable[[list[dict[str, Any]]], Any], **response: Any) -> None:
        self.function, self.response = function, response
        self.events: list[dict[str, Any]] = []
        self.sizes: list[int] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == ARN
        self.events.append(json.loads(Payload))
        self.sizes.append(len(Payload))
        answer = self.function(self.events[-1]["records"])
        return {"Payload": io.BytesIO(json.dumps(answer).encode())} | self.response


def result(record: dict[str, Any], kind: str = "Ok", data: bytes = b"new") -> dict[str, Any]:
    return {"recordId": record["recordId"], "result": kind, "data": b64encode(data).decode()}


def upper(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {"records": [result(each, data=b64decode(each["data"]).upper()) for each in records]}


def process(client: Lambda, records: list[RawRecord] = RECORDS) -> list[Any]:
    return [*LambdaPreprocessor(client, ARN, STREAM).process(records)]


def test_the_event_is_that_of_kinesis_data_analytics() -> None:
    client = Lambda(upper)
    process(client)
    [event] = client.events

    assert set(event) == {"invocationId", "applicationArn", "streamArn", "records"}
    assert event["records"][1] == {
        "recordId": "1",
        "kinesisStreamRecordMetadata": {
            "shardId": "shard",
            "sequenceNumber": "101",
            "partitionKey": "",
            "approximateArrivalTimestamp": 1_780_000_000_500,
        },
        "data": b64encode(b"record 1").decode(),
    }


def test_changed_records_keep_their_order_whatever_that_of_the_answer() -> None:
    def backwards(records: list[dict[str, Any]]) -> Any:
        return {"records": upper(records)["records"][::-1]}

    outcomes = process(Lambda(backwards))
    assert [each.contents for each in outcomes] == [(b"RECORD 0",), (b"RECORD 1",), (b"RECORD 2",)]


def test_dropped_and_failed_records_are_told_apart() -> None:
    kinds = ("Dropped", "ProcessingFailed", "Ok")
    outcomes = process(Lambda(lambda records: {"records": [result(each, kind) for each, kind in zip(records, kinds, strict=True)]}))  # fmt: skip

    assert (outcomes[0].contents, outcomes[0].rejected) == ((), None)
    assert (outcomes[1].rejected.reason, outcomes[1].rejected.position) == (Reason.PREPROCESSOR_FAILED, 101)  # fmt: skip
    assert outcomes[2].contents == (b"new",)


@pytest.mark.parametrize(
    ("wrong", "detail"),
    [
        (lambda _: [], "the answer has the recordId 0 times; expected once"),
        (lambda record: [result(record)] * 2, "the answer has the recordId 2 times; expected once"),
        (lambda record: [result(record, "OK")], "the result is not Ok, Dropped or ProcessingFailed"),
        (lambda record: [result(record) | {"data": "%"}], "data is not in base64"),
        (lambda record: [{"recordId": record["recordId"], "result": "Ok"}], "data is not in base64"),
        (lambda record: [result(record) | {"recordId": "other"}], "the answer has the recordId 0 times; expected once"),
    ],
)  # fmt: skip
def test_a_wrong_answer_rejects_its_record_only(wrong: Any, detail: str) -> None:
    def answer(records: list[dict[str, Any]]) -> Any:
        return {"records": [*wrong(records[0]), *upper(records[1:])["records"]]}

    first, *others = process(Lambda(answer))
    assert (first.rejected.reason, first.rejected.detail) == (Reason.PREPROCESSOR_ANSWER, detail)
    assert [each.contents for each in others] == [(b"RECORD 1",), (b"RECORD 2",)]


@pytest.mark.parametrize("answer", [None, {}, {"records": 1}, {"records": [1]}, {"records": [{}]}, "text"])  # fmt: skip
def test_an_answer_of_another_form_is_tried_again(answer: Any) -> None:
    with pytest.raises(PreprocessorError, match="the answer is not"):
        process(Lambda(lambda _: answer))


def test_an_error_of_the_function_is_tried_again_and_does_not_show_records() -> None:
    failed = {"errorType": "KeyError", "errorMessage": "secret"}
    with pytest.raises(PreprocessorError, match=r"function:clean ended with an error: KeyError$"):
        process(Lambda(lambda _: failed, FunctionError="Unhandled"))


def test_a_throttle_is_tried_again() -> None:
    def throttled(_: Any) -> Any:
        raise Throttled("Invoke", "TooManyRequestsException", "slow down")

    with pytest.raises(Throttled):
        process(Lambda(throttled))


def test_records_are_divided_among_calls_that_fit() -> None:
    client = Lambda(upper)
    large = [RawRecord(b"x" * 1_000_000, "s", n, 0.0) for n in range(5)]
    outcomes = process(client, large)

    assert [each.contents[0][:1] for each in outcomes] == [b"X"] * 5
    assert [len(event["records"]) for event in client.events] == [2, 2, 1]
    assert max(client.sizes) < LAMBDA_PAYLOAD_MAX_BYTES / 2


def test_a_record_that_no_call_can_have_is_rejected_without_one() -> None:
    client = Lambda(upper)
    outcomes = process(client, [RECORDS[0], RawRecord(b"x" * 5_000_000, "s", 9, 0.0), RECORDS[1]])

    assert outcomes[1].rejected.reason is Reason.PREPROCESSOR_FAILED
    assert "larger than a call of Lambda" in outcomes[1].rejected.detail
    assert [len(event["records"]) for event in client.events] == [1, 1]


def test_no_records_are_no_call() -> None:
    client = Lambda(upper)
    assert process(client, []) == []
    assert client.events == []
