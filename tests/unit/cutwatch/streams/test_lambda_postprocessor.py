import io
import json
from typing import Any

import pytest

from cutwatch.errors import AccessDenied, ConnectionLost, ServiceFault, Throttled
from cutwatch.streams.lambda_postprocessor import LambdaPostprocessor
from cutwatch.streams.postprocessing import Postprocessor

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:extend"
EVENT = {"id": "sensors:1", "change": "began", "severity": "high"}
THROTTLED = Throttled("Invoke", "TooManyRequestsException", "Rate Exceeded.")
FAULT = ServiceFault("Invoke", "ServiceException", "try again")


class Lambda:
    """Lambda with one function, whose answers come one after the other; errors are raised."""

    def __init__(self, *answers: Any, **response: Any) -> None:
        self.answers, self.response = [*answers], response
        self.events: list[Any] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == ARN
        self.events.append(json.loads(Payload))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Payload": io.BytesIO(answer)} | self.response


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("cutwatch.streams.lambda_postprocessor.sleep", slept.append)
    return slept


def added(client: Lambda) -> Any:
    return Postprocessor(LambdaPostprocessor(client, ARN)).extended(EVENT)["added"]


def test_the_function_gets_the_event_and_its_answer_is_added() -> None:
    client = Lambda(b'{"room": 7}')
    assert added(client) == {"room": 7}
    assert client.events == [EVENT]


def test_a_function_that_answers_nothing_adds_nothing() -> None:
    assert added(Lambda(b"null")) == {}


def test_a_throttled_call_is_tried_again(pauses: list[float]) -> None:
    client = Lambda(THROTTLED, FAULT, b"{}")
    assert added(client) == {}
    assert client.events == [EVENT] * 3
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("client", "calls", "error"),
    [
        (Lambda(THROTTLED, THROTTLED, THROTTLED), 3, "Throttled: Invoke: Rate Exceeded."),
        (Lambda(ConnectionLost("Invoke", "ReadTimeoutError", "late")), 1, "ConnectionLost: Invoke: late"),
        (Lambda(AccessDenied("Invoke", "AccessDeniedException", "no")), 1, "AccessDenied: Invoke: no"),
        (Lambda(b"<html>"), 1, f"PostprocessorError: {ARN}: the answer is not JSON"),
        (Lambda(b"[1]"), 1, "returned list; expected a dict or None"),
        (
            Lambda(b'{"errorType": "KeyError", "errorMessage": "patient"}', FunctionError="Unhandled"),
            1,
            f"PostprocessorError: {ARN} ended with an error: KeyError",
        ),
    ],
    ids=["throttled", "lost", "denied", "not JSON", "a list", "failed"],
)  # fmt: skip
def test_a_failure_is_named_and_never_stops_the_event(
    client: Lambda, calls: int, error: str
) -> None:
    assert added(client)["error"].startswith(f"postprocess: {error}")
    assert len(client.events) == calls
