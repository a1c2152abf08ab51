"""Rows of items: numbers of the declared types, or one reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.endpoints.invocation import csv_line
from cutwatch.streams.record import Reason
from cutwatch.tables.recipe import NoRow, TableRecipe
from tests.support.watched_tables import watched

NUMBERS = TableRecipe(("a", "b"))
TEXTS = TableRecipe(("a", "b"), numbers_in_text=True)


def test_a_row_has_the_attributes_in_their_order() -> None:
    assert NUMBERS.row({"b": {"N": "-2.5"}, "a": {"N": "1E+2"}, "id": {"S": "x"}}) == (100.0, -2.5)


@pytest.mark.parametrize("text", ["", " 1", "1\n", "1_0", "NaN", "inf", "1d", "٣", "0x1", "1,0"])
def test_texts_that_are_numbers_in_some_language_only_are_rejected(text: str) -> None:
    found = TEXTS.row({"a": {"S": text}, "b": {"N": "1"}})
    assert found == NoRow(Reason.NOT_A_NUMBER, "a is not a number")


def test_numbers_in_text_are_read_only_if_they_are_declared() -> None:
    item = {"a": {"S": "8127"}, "b": {"N": "1"}}
    assert TEXTS.row(item) == (8127.0, 1.0)
    assert NUMBERS.row(item) == NoRow(Reason.NOT_A_NUMBER, "a is not a number")


def test_the_first_reason_counts_and_names_no_content() -> None:
    found = NUMBERS.row({"b": {"N": "secret"}})
    assert found == NoRow(Reason.MISSING_FIELD, "a is missing")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30))
def test_a_line_of_csv_keeps_every_number(number: float) -> None:
    row = NUMBERS.row({"a": {"N": repr(number)}, "b": {"N": "0"}})
    assert not isinstance(row, NoRow)
    assert tuple(map(float, csv_line(row).strip().split(","))) == (number, 0.0)


def test_the_jobs_recipe_names_attributes_types_and_limits() -> None:
    recipe = json.loads(TableRecipe.of(watched(numbers_in_text=True)).to_json())
    assert recipe["attributes"] == ["ridecount"]
    assert recipe["types"] == ["N", "S"]
    assert recipe["largest"] == 1e30
