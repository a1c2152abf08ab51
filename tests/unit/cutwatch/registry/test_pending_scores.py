"""Scores that CloudWatch does not show yet: which of a window, until when, and what is readable meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from cutwatch.registry.pending_scores import PendingScores, pending_after, unreadable

NOW = datetime(2026, 6, 8, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PERIOD = 900


def epochs(start: datetime, end: datetime) -> list[int]:
    return list(range(int(start.timestamp()), int(end.timestamp()), PERIOD))


def of_a_week() -> list[PendingScores]:
    return pending_after(epochs(NOW - 7 * DAY, NOW), PERIOD, NOW)


def test_a_window_has_a_part_for_each_delay_and_the_last_hours_are_readable_at_once() -> None:
    period = timedelta(seconds=PERIOD)
    assert of_a_week() == [
        PendingScores(NOW - 7 * DAY, NOW - DAY + period, NOW),
        PendingScores(NOW - DAY + period, NOW - 3 * HOUR + period, NOW),
    ]


def test_nothing_is_pending_of_the_last_hours_or_of_no_datapoint() -> None:
    assert pending_after(epochs(NOW - 3 * HOUR + HOUR / 60, NOW), PERIOD, NOW) == []
    assert pending_after([], PERIOD, NOW) == []


@pytest.mark.parametrize(("days", "kept"), [(0, 0), (1, 2), (3, 2), (4, 0), (7, 0)])
def test_earlier_windows_stay_pending_until_nobody_expects_them_and_a_repetition_replaces_its_own(
    days: int, kept: int
) -> None:
    later = NOW + days * DAY
    window = epochs(NOW - 7 * DAY if not days else later - DAY, later)
    found = pending_after(window, PERIOD, later, of_a_week())
    assert len(found) - len(pending_after(window, PERIOD, later)) == kept


def test_a_payload_is_read_as_it_was_written() -> None:
    for each in of_a_week():
        assert PendingScores.from_payload(each.to_payload()) == each


def test_a_part_is_pending_within_the_range_that_is_looked_at() -> None:
    old, young = of_a_week()
    assert unreadable([old, young], [], NOW - 2 * DAY, NOW - 4 * HOUR, NOW) == [
        PendingScores(NOW - 2 * DAY, old.end, NOW),
        PendingScores(young.start, NOW - 4 * HOUR, NOW),
    ]
    assert unreadable([old, young], [], NOW - HOUR, NOW, NOW) == []


def test_a_part_of_which_a_score_is_readable_is_no_longer_pending() -> None:
    old, young = of_a_week()
    readable = epochs(young.start, NOW)
    assert unreadable([old, young], readable, NOW - 8 * DAY, NOW, NOW) == [old]
    assert unreadable([old], [int(old.end.timestamp())], NOW - 8 * DAY, NOW, NOW) == [old]


@pytest.mark.parametrize(("days", "pending"), [(1, True), (3, True), (4, False)])
def test_scores_are_given_up_when_they_are_twice_as_late_as_aws_says(
    days: int, pending: object
) -> None:
    old, _ = of_a_week()
    assert bool(unreadable([old], [], NOW - 8 * DAY, NOW, NOW + days * DAY)) is pending
    assert old.expected_by == NOW + 2 * DAY
