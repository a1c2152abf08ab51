from typing import Any

import jmespath
import pytest

from cutwatch.streams.places import compile_place

RECORD = {"a": {"b": {"c": 1}, "with-dash": 2}, "list": [{"x": 3}], "null": None, "text": "t"}


@pytest.mark.parametrize(
    "place",
    ["a", "a.b", "a.b.c", 'a."with-dash"', "list[0].x", "list[*].x | [0]", "none", "none.b", "text.b", "null.b", "a.b.c.d", "length(text)"],
)  # fmt: skip
def test_a_place_reads_what_jmespath_reads(place: str) -> None:
    assert compile_place(place)(RECORD) == jmespath.search(place, RECORD)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("record", [None, 5, [], "text"])
def test_a_record_that_is_not_an_object_has_nothing(record: Any) -> None:
    assert compile_place("a")(record) is None
    assert compile_place("a.b")(record) is None


def test_a_function_that_does_not_fit_the_value_finds_nothing() -> None:
    assert compile_place("length(a)")({"a": 5}) is None
