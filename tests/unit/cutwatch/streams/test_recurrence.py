import json

import pytest

from cutwatch.streams.recurrence import RecurringPeaks

DAY, WEEK = 86_400, 7 * 86_400
START = 1_780_000_200


def after(times: list[float], severity: float = 2.0) -> RecurringPeaks:
    """Return the peaks of a key that begins at `START` and has rows of a severity at some times."""
    peaks = RecurringPeaks()
    peaks.exceeding(0.0, START)
    for time in times:
        peaks.exceeding(severity, time)
    return peaks


def test_what_happens_daily_must_be_exceeded() -> None:
    peaks = after([START + day * DAY for day in range(1, 5)])
    assert peaks.exceeding(2.0, START + 5 * DAY) == pytest.approx(2.0 / 2.6)
    assert peaks.exceeding(5.2, START + 5 * DAY + 900) == pytest.approx(2.0)


def test_another_time_of_day_has_another_height() -> None:
    peaks = after([START + day * DAY for day in range(1, 5)])
    assert peaks.exceeding(2.0, START + 5 * DAY + 7_200) == 2.0


def test_two_of_the_last_seven_days_are_no_rule() -> None:
    peaks = after([START + day * DAY for day in (6, 7)])
    assert peaks.exceeding(2.0, START + 8 * DAY) == 2.0


def test_what_happens_weekly_must_be_exceeded() -> None:
    peaks = after([START + week * WEEK for week in range(1, 4)])
    assert peaks.exceeding(2.0, START + 4 * WEEK) < 1


def test_the_first_day_knows_nothing() -> None:
    assert after([START + 60]).exceeding(2.0, START + 600) == 2.0


def test_three_weeks_are_remembered() -> None:
    peaks = after([START + hour * 3_600 for hour in range(24 * 60)])
    assert len(peaks.highest) <= 3 * 7 * 24 + 2


def test_low_severities_cost_no_memory() -> None:
    assert after([START + day * DAY for day in range(5)], 0.5).highest == {}


def test_peaks_are_restored_from_json() -> None:
    peaks = after([START + day * DAY for day in range(1, 5)])
    restored = RecurringPeaks.from_payload(json.loads(json.dumps(peaks.to_payload())))
    assert restored == peaks
