import json
from typing import Any

import pytest

from cutwatch.streams.preprocessing import Preprocessed, PythonPreprocessor
from cutwatch.streams.record import RawRecord, Reason

RECORD = RawRecord(b"secret", "0", 7, 0.0)


def outcome(answer: Any) -> Preprocessed:
    [found] = PythonPreprocessor(lambda _: answer).process([RECORD])
    return found


def test_a_record_becomes_none_one_or_several() -> None:
    assert outcome(None) == outcome([]) == Preprocessed()
    assert outcome({"x": 1}) == outcome([{"x": 1}]) == Preprocessed(({"x": 1},))
    assert outcome([{"x": 1}, {"x": 2}]).contents == ({"x": 1}, {"x": 2})


@pytest.mark.parametrize("answer", [1, "text", b"bytes", [1], ({"x": 1},)])
def test_any_other_answer_rejects_the_record(answer: object) -> None:
    rejected = outcome(answer).rejected
    assert rejected is not None
    assert (rejected.reason, rejected.lane, rejected.position) == (Reason.PREPROCESSOR_ANSWER, "0", 7)  # fmt: skip
    assert "expected a dict, a list of dicts or None" in rejected.detail


def test_an_exception_rejects_that_record_and_does_not_show_its_content() -> None:
    def read(data: bytes) -> Any:
        return json.loads(data)

    good = RECORD._replace(data=b'{"x": 1}')
    first, second = PythonPreprocessor(read).process([RECORD, good])

    assert first.rejected is not None
    assert first.rejected.reason is Reason.PREPROCESSOR_FAILED
    assert first.rejected.detail.startswith("the function raised JSONDecodeError in line ")
    assert second == Preprocessed(({"x": 1},))
