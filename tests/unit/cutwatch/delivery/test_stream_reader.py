import io
import json
from pathlib import Path
from typing import Any

import pytest

from cutwatch.delivery.stream_reader import stream_postprocessor, stream_reader
from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidDetectors
from cutwatch.streams.function_call import POSTPROCESSOR_SECONDS, PREPROCESSOR_SECONDS
from cutwatch.streams.record import Record
from tests.support.streams import a_record, a_stream

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:clean"
EXTEND = ARN.replace("clean", "extend")
REFERENCE = ReferenceData("s3://my-bucket/machines.csv", "id", "id")


class Aws:
    """Lambda with a function that answers with its records, and S3 with one object."""

    def __init__(self) -> None:
        self.services: list[str] = []

    def client(self, service: str, *, answer_seconds: int = 0) -> "Aws":
        self.services.append(service)
        self.answer_seconds = answer_seconds
        return self

    def invoke(self, **request: Any) -> dict[str, Any]:
        event = json.loads(request["Payload"])
        if request["FunctionName"] == EXTEND:
            return {"Payload": io.BytesIO(b'{"a": 1}')}
        assert (request["FunctionName"], event["streamArn"]) == (ARN, "stream-arn")
        answers = [each | {"result": "Ok"} for each in event["records"]]
        return {"Payload": io.BytesIO(json.dumps({"records": answers}).encode())}

    def head_object(self, **_: str) -> dict[str, Any]:
        return {"ETag": "1", "ContentLength": 1}

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"ETag": "1", "Body": io.BytesIO(b"id\na\n")}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    monkeypatch.setattr("cutwatch.delivery.stream_reader.client", aws.client)
    return aws


def read(stream: Stream, folder: Path) -> list[Any]:
    [(_, contents)] = stream_reader(stream, folder, "stream-arn").read([a_record(x=3)])
    return [*contents]


def test_a_stream_without_functions_needs_no_client(aws: Aws, tmp_path: Path) -> None:
    [record] = read(a_stream(), tmp_path)
    assert isinstance(record, Record)
    assert aws.services == []


def test_a_lambda_function_and_reference_data_are_reached(aws: Aws, tmp_path: Path) -> None:
    [record] = read(a_stream(preprocess=ARN, reference=REFERENCE), tmp_path)
    assert isinstance(record, Record)
    assert aws.services == ["s3", "lambda"]


def test_lambda_functions_have_the_time_that_the_scoring_functions_deadline_leaves(
    aws: Aws, tmp_path: Path
) -> None:
    read(a_stream(preprocess=ARN), tmp_path)
    assert aws.answer_seconds == PREPROCESSOR_SECONDS

    postprocessor = stream_postprocessor(a_stream(postprocess=EXTEND), tmp_path)
    assert aws.answer_seconds == POSTPROCESSOR_SECONDS
    assert postprocessor is not None
    assert postprocessor.extended({}) == {"added": {"a": 1}}


def test_python_functions_come_from_the_folder(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def drop(data): return None\ndef extend(event): return {'a': 1}\n")  # fmt: skip
    stream = a_stream(preprocess="own:drop", postprocess="own:extend")
    postprocessor = stream_postprocessor(stream, tmp_path)

    assert read(stream, tmp_path) == []
    assert postprocessor is not None
    assert postprocessor.extended({}) == {"added": {"a": 1}}
    assert stream_postprocessor(a_stream(), tmp_path) is None


def test_a_function_that_is_missing_stops_the_start(aws: Aws, tmp_path: Path) -> None:
    with pytest.raises(InvalidDetectors, match=r"there is no file own\.py"):
        read(a_stream(preprocess="own:clean"), tmp_path)
