from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch_cli.stacks.durations import longest_gap, parse_duration

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 999))
def test_days_hours_and_minutes_add_up(days: int, hours: int, minutes: int) -> None:
    text = f"{days}d{hours}h{minutes}m"
    if not days + hours + minutes:
        return
    assert parse_duration(text, "--for") == days * DAY + hours * HOUR + minutes * MINUTE


def test_weeks_are_seven_days() -> None:
    assert parse_duration("1w", "--since") == 7 * DAY
    assert parse_duration("2w1d", "--since") == 15 * DAY


@given(st.text("0123456789dhmw .-", max_size=8))
def test_whatever_is_typed_is_a_time_or_a_mistake(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text, "--for") > timedelta(0)


@pytest.mark.parametrize(
    "text", ["", "3", "d", "-3d", "3y", "1d2w", "3d 12h", "12h3d", "0m", "1.5d"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text, "--since")


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("cron(0 4 ? * MON *)", 7 * DAY),
        ("cron(0 4 * * ? *)", DAY),
        ("cron(5 * * * ? *)", HOUR),
        ("cron(0 3 1 * ? *)", 31 * DAY),
        ("rate(7 days)", 7 * DAY),
        ("rate(1 hour)", HOUR),
        ("rate(90 minutes)", 90 * MINUTE),
    ],
)
def test_a_schedules_longest_gap_is_that_of_its_coarsest_field(
    schedule: str, gap: timedelta
) -> None:
    assert longest_gap(schedule) == gap
