"""`cutwatch train`: a file, the stack's function, and a rollback, on moto."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.streams.model_register import ModelRegister
from tests.support.command_line import assert_one_line_mistake, cutwatch
from tests.support.kafka_logs import log_line
from tests.support.kafka_stack import DETECTORS, DETECTORS_OF_ENDPOINT
from tests.support.log_events import ordinary_events
from tests.support.operated_streams import OPTIONS, OperatedStream, operated_stream


@pytest.fixture
def stack() -> Iterator[OperatedStream]:
    with operated_stream() as found:
        found.join_kafka()
        yield found


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Records and detectors file, in a folder of their own, where the command writes its model."""
    monkeypatch.chdir(tmp_path)
    records, detectors = tmp_path / "access.jsonl", tmp_path / "detectors.yaml"
    records.write_bytes(b"\n".join(log_line(each) for each in ordinary_events(500)))
    detectors.write_text(DETECTORS)
    return records, detectors


@pytest.mark.slow
def test_an_uploaded_model_is_current(stack: OperatedStream, files: tuple[Path, Path]) -> None:
    records, detectors = files
    result = cutwatch(
        "train", records, "--stream", "shop", "--upload", "--detectors", detectors, "--json", *OPTIONS
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    [stream] = load_configuration(detectors).streams
    register = ModelRegister(Bucket(stack.bucket.s3, "data"), stream)
    assert register.read().version == printed["model_version"]
    assert printed["records"] == 400
    assert Path(printed["file"]).is_file()


class Lambda:
    """The training function: what it was asked, and what it answers."""

    def __init__(self, **answer: Any) -> None:
        self.answer, self.requests = answer, list[dict[str, Any]]()

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        self.requests.append({"function": FunctionName, **json.loads(Payload)})
        failed = {"FunctionError": "Unhandled"} if "errorType" in self.answer else {}
        body = type("Body", (), {"read": lambda _: json.dumps(self.answer).encode()})
        return {"Payload": body(), **failed}


def deployed(monkeypatch: pytest.MonkeyPatch, function: Lambda) -> None:
    real = Session.client
    monkeypatch.setattr(
        Session,
        "client",
        lambda self, name, **rest: function if name == "lambda" else real(self, name, **rest),
    )


TRAINED = {
    "outcome": "trained",
    "version": "0f3c5a7b9d12",
    "records": 400,
    "anomalous": 0.01,
    "versions": ["0f3c5a7b9d12", "1f3c5a7b9d12"],
}


def test_without_a_file_the_stacks_function_trains(
    stack: OperatedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Lambda(**TRAINED)
    deployed(monkeypatch, function)
    result = cutwatch("train", "--stream", "shop", "--force", *OPTIONS)
    assert function.requests == [{"function": "cutwatch-shop-TrainLog", "force": True}]
    assert result.stdout.splitlines() == [
        "trained; 400 records; 1.00% of the later rows anomalous",
        "model_version: 0f3c5a7b9d12",
        "others: 1f3c5a7b9d12",
    ]


@pytest.mark.parametrize(("to", "asked"), [("previous", True), ("1f3c5a7b9d12", "1f3c5a7b9d12")])
def test_a_rollback_names_the_version_or_the_one_before(
    stack: OperatedStream, monkeypatch: pytest.MonkeyPatch, to: str, asked: Any
) -> None:
    function = Lambda(**TRAINED | {"outcome": "rolled back"})
    deployed(monkeypatch, function)
    assert cutwatch("train", "--stream", "shop", "--roll-back", to, *OPTIONS).exit_code == 0
    assert function.requests == [{"function": "cutwatch-shop-TrainLog", "roll_back": asked}]


def test_a_refused_training_is_one_line_with_its_reason(
    stack: OperatedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Lambda(errorType="TrainingRefused", errorMessage="the new model finds 9.0% ...")
    deployed(monkeypatch, function)
    result = cutwatch("train", "--stream", "shop", *OPTIONS)
    assert_one_line_mistake(result, "TrainingRefused: the new model finds 9.0%")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--stream", "shop", "--upload"], "--upload stores the model of RECORDS"),
        (["x", "--stream", "shop", "--roll-back", "previous"], "--roll-back trains nothing"),
        ([], "--stream is missing"),
        (["--stream", "shopp", *OPTIONS], "no deployed stream 'shopp'; did you mean 'shop'?"),
        (["--stream", "sensors", *OPTIONS], "has no training function"),
    ],
)
def test_what_cannot_be_done_is_refused(
    stack: OperatedStream, arguments: list[str], words: str
) -> None:
    assert_one_line_mistake(cutwatch("train", *arguments), words)


def test_a_stack_without_an_endpoint_is_refused_before_anything_is_trained(
    stack: OperatedStream, files: tuple[Path, Path]
) -> None:
    records, detectors = files
    detectors.write_text(DETECTORS_OF_ENDPOINT)
    arguments = (records, "--stream", "shop", "--upload", "--detectors", detectors, *OPTIONS)
    assert_one_line_mistake(
        cutwatch("train", *arguments), "has no endpoint; deploy it with EndpointName"
    )
    assert [*stack.bucket.list("data/")] == []
