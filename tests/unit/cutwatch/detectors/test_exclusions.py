from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.exclusions import WEEKDAYS, Exclusion, excluded

BERLIN = ZoneInfo("Europe/Berlin")
# A Monday.
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)

times = st.times().map(lambda time: f"{time:%H:%M}")
moments = st.integers(0, 7 * 24 * 60 - 1).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


def at(day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("clock", "covered"), [("01:59", False), ("02:00", True), ("03:59", True), ("04:00", False)]
)
def test_a_daily_range_includes_its_start_and_not_its_end(clock: str, covered: object) -> None:
    daily = Exclusion("02:00", "04:00")
    assert all(daily.covers(at(day, clock)) is covered for day in range(7))


def test_a_range_that_ends_before_it_starts_runs_into_the_next_day() -> None:
    night = Exclusion("22:00", "06:00", ("friday",))

    assert not night.covers(at(4, "21:59"))
    assert night.covers(at(4, "22:00"))
    assert night.covers(at(5, "05:59"))
    assert not night.covers(at(5, "06:00"))
    assert not night.covers(at(4, "05:00"))


def test_the_night_from_sunday_to_monday_belongs_to_sunday() -> None:
    night = Exclusion("22:00", "06:00", ("sunday",))

    assert night.covers(at(6, "23:00"))
    assert night.covers(at(0, "05:00"))


def test_a_range_of_one_time_is_the_whole_day() -> None:
    assert all(Exclusion("00:00", "00:00").covers(at(0, clock)) for clock in ("00:00", "23:59"))


@given(times, times, st.sets(st.sampled_from(WEEKDAYS), min_size=1), moments)
def test_what_days_leave_out_and_take_in_is_all_there_is(
    start: str, end: str, days: set[str], moment: datetime
) -> None:
    """Either a range is of one of the chosen days, or of one of the others."""
    chosen = tuple(day for day in WEEKDAYS if day in days)
    others = tuple(day for day in WEEKDAYS if day not in days)
    covered = [Exclusion(start, end, chosen).covers(moment)]
    covered += [Exclusion(start, end, others).covers(moment)] if others else []

    assert any(covered) == Exclusion(start, end).covers(moment)


def test_a_range_between_two_moments_is_excluded_once() -> None:
    holidays = Exclusion("2026-12-24", "2026-12-27T12:00")

    assert not holidays.covers(datetime(2026, 12, 23, 23, 59, tzinfo=UTC))
    assert holidays.covers(datetime(2026, 12, 24, tzinfo=UTC))
    assert holidays.covers(datetime(2026, 12, 27, 11, 59, tzinfo=UTC))
    assert not holidays.covers(datetime(2026, 12, 27, 12, 0, tzinfo=UTC))


def test_moments_without_a_zone_are_the_detectors_and_those_with_one_their_own() -> None:
    local = Exclusion("2026-12-24T00:00", "2026-12-24T01:00")
    absolute = Exclusion("2026-12-24T00:00Z", "2026-12-24T01:00Z")
    midnight_in_berlin = datetime(2026, 12, 24, tzinfo=BERLIN)

    assert local.covers(midnight_in_berlin)
    assert not absolute.covers(midnight_in_berlin)
    assert absolute.covers(midnight_in_berlin + timedelta(hours=1))


def test_times_of_day_follow_the_clock_of_the_zone_through_the_change_to_summer() -> None:
    morning = [Exclusion("08:00", "09:00")]
    before = datetime(2026, 3, 28, 8, 30, tzinfo=BERLIN)
    after = datetime(2026, 3, 29, 8, 30, tzinfo=BERLIN)
    epochs = [int(moment.timestamp()) for moment in (before, after)]

    assert epochs[1] - epochs[0] == 23 * 3_600
    assert excluded(epochs, morning, "Europe/Berlin") == [True, True]
    assert excluded(epochs, morning, "UTC") == [False, False]


def test_without_exclusions_nothing_is_excluded() -> None:
    assert excluded([0, 60], [], "UTC") == [False, False]


def test_one_of_several_is_enough() -> None:
    ranges = [Exclusion("01:00", "02:00"), Exclusion("03:00", "04:00")]
    epochs = [int(at(0, clock).timestamp()) for clock in ("01:30", "02:30", "03:30")]

    assert excluded(epochs, ranges, "UTC") == [True, False, True]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("22:00", "later", ()),
        ("24:00", "25:00", ()),
        ("9:00", "10:00", ()),
        ("22:00", "2026-12-24", ()),
        ("2026-12-24", "2026-12-24", ()),
        ("2026-12-27", "2026-12-24", ()),
        ("2026-12-24", "2026-12-27", ("monday",)),
    ],
)
def test_anything_else_is_refused(start: str, end: str, days: tuple[str, ...]) -> None:
    with pytest.raises(
        ValueError,
        match=r"expected two times of day|is not after|days requires|is not a time of day",
    ):
        Exclusion(start, end, days)  # type: ignore[arg-type]
