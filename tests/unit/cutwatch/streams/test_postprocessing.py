from typing import Any

import pytest

from cutwatch.streams.postprocessing import Postprocessor

EVENT = {"id": "1", "columns": {"x": {"value": 5}}}


def added(answer: Any) -> Any:
    extended = Postprocessor(lambda _: answer).extended(EVENT)
    assert {name: extended[name] for name in EVENT} == EVENT
    return extended["added"]


def test_the_functions_fields_are_added_apart() -> None:
    assert added({"id": "2", "room": 7}) == {"id": "2", "room": 7}
    assert added(None) == {}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([1], "returned list; expected a dict or None"),
        ({"x": object()}, "TypeError: "),
        ({"x": float("nan")}, "ValueError: "),
        ({"x": "y" * 20_000}, "returned 20,009 bytes; at most 16,384 are added"),
    ],
)
def test_an_answer_that_cannot_be_sent_is_named_and_stops_nothing(answer: Any, error: str) -> None:
    assert added(answer)["error"].startswith(f"postprocess: {error}")


def test_an_exception_is_named_and_stops_nothing() -> None:
    def fail(event: dict[str, Any]) -> Any:
        return event["room"]

    extended = Postprocessor(fail).extended(EVENT)
    assert extended == {**EVENT, "added": {"error": "postprocess: KeyError: 'room'"}}


def test_the_function_cannot_change_the_event() -> None:
    def change(event: dict[str, Any]) -> None:
        event["columns"]["x"]["value"] = 6

    assert Postprocessor(change).extended(EVENT)["columns"]["x"]["value"] == 5
