from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.report.wording import moment_in_words, number_in_words, span_in_words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=45), "45 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=3, minutes=20, seconds=10), "3 h 20 min"),
        (timedelta(days=1, minutes=30), "1 d"),
        (timedelta(days=63), "63 d"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(span: timedelta, words: str) -> None:
    assert span_in_words(span) == words


def test_a_moment_is_told_in_the_zone_of_the_reader() -> None:
    evening = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)
    assert moment_in_words(evening, UTC) == "2026-03-29 23:30"
    assert moment_in_words(evening, ZoneInfo("Europe/Berlin")) == "2026-03-30 01:30"


@pytest.mark.parametrize(
    ("number", "words"),
    [(float("nan"), "–"), (1234567.8, "1,234,568"), (-1500, "-1,500"), (0.13372, "0.1337")],
)
def test_a_number_is_written_with_as_many_digits_as_matter(number: float, words: str) -> None:
    assert number_in_words(number) == words
