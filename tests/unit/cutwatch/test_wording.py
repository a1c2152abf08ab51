"""Numbers, durations and moments in the words of the widget."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cutwatch.widget.axes import value_ticks
from cutwatch.wording import count, number_in_words, span_in_words, tick_labels, time_in_words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0, "0"),
        (8.0, "8"),
        (118.459, "118.5"),
        (0.25, "0.25"),
        (0.00031, "0.00031"),
        (12_500, "12,500"),
        (-4_321.5, "-4,322"),
        (1_234_567, "1.235 M"),
        (5e15, "5e+15"),
    ],
)
def test_numbers_are_short_and_exact_enough(number: float | None, words: str) -> None:
    assert number_in_words(number) == words


@given(st.floats())
def test_no_number_is_long(number: float) -> None:
    assert 0 < len(number_in_words(number)) <= 11


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0, 100, 200], ["0", "100", "200"]),
        ([1000, 1000.5, 1001], ["1,000.0", "1,000.5", "1,001.0"]),
        ([-0.1, 0.0, 0.1], ["-0.1", "0.0", "0.1"]),
        ([0.95, 0.975, 1.0], ["0.950", "0.975", "1.000"]),
        ([0, 2e6, 4e6], ["0 M", "2 M", "4 M"]),
        ([1.2e9, 1.2025e9], ["1.2000 G", "1.2025 G"]),
        ([0, 2.5e-5], ["0.000000", "0.000025"]),
        ([0, 1e-12], ["0", "1e-12"]),
        ([5], ["5"]),
        ([], []),
    ],
)
def test_the_labels_of_an_axis_are_alike(ticks: list[float], labels: list[str]) -> None:
    assert tick_labels(ticks) == labels


@given(st.floats(-1e13, 1e13), st.floats(1e-9, 1e12), st.integers(1, 8))
def test_no_two_ticks_of_an_axis_have_the_same_label(low: float, span: float, most: int) -> None:
    assume(span > 1e-6 * abs(low))
    labels = tick_labels(value_ticks(low, low + span, most))
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= 16 for label in labels)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(minutes=55), "55 min"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=1, hours=6, minutes=3), "1 d 6 h"),
        (timedelta(days=63), "63 d"),
    ],
)
def test_spans_have_their_two_largest_units(span: timedelta, words: str) -> None:
    assert span_in_words(span) == words


def test_times_are_those_of_the_zone() -> None:
    time = datetime(2026, 6, 9, 23, 5, tzinfo=UTC)
    assert time_in_words(time, UTC) == "2026-06-09 23:05"
    assert time_in_words(time, timezone(timedelta(hours=2))) == "2026-06-10 01:05"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 events"), (1, "1 event"), (1_200, "1,200 events")]
)
def test_a_count_has_its_noun_in_the_right_number(number: int, words: str) -> None:
    assert count(number, "event") == words
