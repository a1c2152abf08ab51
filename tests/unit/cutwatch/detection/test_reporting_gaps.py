"""Times without data."""

from datetime import timedelta

import pytest

from cutwatch.detection.reporting_gaps import ignored_outage
from cutwatch.timestamps import format_timestamp
from tests.support.builders import NOON, a_detector, a_series

START = int(NOON.timestamp())
REPORTED = 5.0


def gaps(*runs: tuple[int, int]) -> list[float | None]:
    """A hundred datapoints without those of each run, first and last included."""
    missing = {place for first, last in runs for place in range(first, last + 1)}
    return [None if place in missing else REPORTED for place in range(100)]


def at(place: int) -> str:
    return format_timestamp(NOON + place * timedelta(minutes=5))


@pytest.mark.parametrize(
    ("runs", "outage"),
    [
        ([(40, 51)], (at(40), at(51))),
        ([(40, 45)], (at(40), at(45))),
        ([(40, 44)], None),
        ([(10, 14), (40, 50)], (at(40), at(50))),
        ([(10, 14), (40, 49)], None),
        ([(10, 21), (40, 51), (70, 81)], None),
        ([], None),
    ],
)
def test_an_outage_is_longer_than_half_an_hour_and_twice_every_other_gap(
    runs: list[tuple[int, int]], outage: tuple[str, str] | None
) -> None:
    assert ignored_outage(a_series(gaps(*runs)), a_detector(), START) == outage


def test_an_outage_before_the_window_was_mentioned_before() -> None:
    window = START + 60 * 300
    assert ignored_outage(a_series(gaps((20, 40))), a_detector(), window) is None
    assert ignored_outage(a_series(gaps((20, 23), (70, 90))), a_detector(), window) is not None


def test_an_outage_that_grows_over_windows_is_mentioned_in_the_one_in_which_it_is_long_enough() -> (
    None
):
    series, detector = a_series(gaps((20, 40))), a_detector()
    [found] = {ignored_outage(series, detector, START + place * 300) for place in (20, 22, 25)}
    assert found == (at(20), at(40))
    assert ignored_outage(series, detector, START + 26 * 300) is None


def test_what_is_an_event_already_is_not_mentioned_again() -> None:
    counted = a_detector(missing_data="anomalous")
    assert ignored_outage(a_series(gaps((40, 60))), counted, START) is None
