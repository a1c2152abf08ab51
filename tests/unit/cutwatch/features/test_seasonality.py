from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutwatch.features.seasonality import Profile, _utc_offsets
from cutwatch.timeseries.series import Series

BERLIN, HOUR = "Europe/Berlin", 3_600
# A Monday at midnight.
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def hourly(days: int, start: datetime = MONDAY) -> Series:
    """A series of `days` days whose value is to be set."""
    return Series(start, HOUR, np.zeros(24 * days))


def local_hours(series: Series, zone: str) -> NDArray[np.int64]:
    moments = [datetime.fromtimestamp(epoch, ZoneInfo(zone)) for epoch in series.epochs.tolist()]
    return np.array([moment.hour for moment in moments])


def with_values(series: Series, values: NDArray[np.float64]) -> Series:
    return Series(series.start, series.period, values.astype(np.float64))


def by_the_hour(series: Series, zone: str = "UTC") -> Series:
    """100 in the night, 200 from eight to twenty by the zone's clock, a little noise."""
    hours = local_hours(series, zone)
    noise = np.random.default_rng(1).normal(0, 1, len(series))
    return with_values(series, np.where((hours >= 8) & (hours < 20), 200, 100) + noise)


def usual_at(profile: Profile, *moments: datetime) -> list[float]:
    values: list[float] = profile.at(
        np.array([int(moment.timestamp()) for moment in moments])
    ).tolist()
    return values


def test_a_daily_rhythm_is_learned() -> None:
    profile = Profile.fit(by_the_hour(hourly(7)), "UTC")

    later = MONDAY + timedelta(days=20)
    usual = usual_at(profile, later + timedelta(hours=3), later + timedelta(hours=14))
    assert usual == pytest.approx([100, 200], abs=2)


@pytest.mark.parametrize(
    "change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
)
def test_a_rhythm_follows_the_clock_of_its_zone_when_that_changes(change: datetime) -> None:
    history = by_the_hour(hourly(10, change - timedelta(days=12)), BERLIN)
    profile = Profile.fit(history, BERLIN)

    after = by_the_hour(hourly(5, change + timedelta(days=2)), BERLIN)

    middle = np.isin(local_hours(after, BERLIN), [0, 1, 2, 3, 4, 11, 12, 13, 14, 15, 16])
    error = np.abs(after.values - profile.at(after.epochs))[middle]
    assert error.max() < 10


def test_in_utc_the_same_rhythm_is_an_hour_off_after_the_change() -> None:
    change = datetime(2026, 3, 29, tzinfo=UTC)
    profile = Profile.fit(by_the_hour(hourly(10, change - timedelta(days=12)), BERLIN), "UTC")

    after = by_the_hour(hourly(5, change + timedelta(days=2)), BERLIN)

    assert np.abs(after.values - profile.at(after.epochs)).max() > 50


@pytest.mark.parametrize(("days", "kinds"), [(7, 1), (14, 2), (28, 7)])
def test_longer_histories_tell_more_kinds_of_day_apart(days: int, kinds: int) -> None:
    assert Profile.fit(by_the_hour(hourly(days)), "UTC").day_kinds == kinds


def test_weekends_have_their_own_rhythm_from_two_weeks_on() -> None:
    series = by_the_hour(hourly(14))
    weekend = np.arange(len(series)) // 24 % 7 >= 5
    profile = Profile.fit(with_values(series, np.where(weekend, 50, series.values)), "UTC")

    saturday = MONDAY + timedelta(days=19, hours=14)
    usual = usual_at(profile, saturday - timedelta(days=1), saturday)
    assert usual == pytest.approx([200, 50], abs=2)


def test_noise_has_no_rhythm_and_one_usual_value() -> None:
    values = np.random.default_rng(2).normal(100, 5, 24 * 28)
    profile = Profile.fit(with_values(hourly(28), values), "UTC")

    assert len(profile.medians) == 1
    assert usual_at(profile, MONDAY) == [pytest.approx(100, abs=1)]


@pytest.mark.parametrize("days", [0, 1])
def test_a_history_of_less_than_two_days_has_no_rhythm(days: int) -> None:
    assert len(Profile.fit(by_the_hour(hourly(days)), "UTC").medians) == 1


def test_an_incident_in_the_history_does_not_become_usual() -> None:
    series = by_the_hour(hourly(7))
    series.values[24 * 3 + 10 : 24 * 3 + 14] = 10_000

    profile = Profile.fit(series, "UTC")

    assert profile.at(series.epochs).max() < 250


def test_the_range_holds_nine_of_ten_datapoints() -> None:
    series = by_the_hour(hourly(28))
    profile = Profile.fit(series, "UTC")

    around = series.values - profile.at(series.epochs)
    inside = (around >= profile.low) & (around <= profile.high)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)


def test_gaps_are_neither_usual_nor_in_the_way() -> None:
    series = by_the_hour(hourly(7))
    series.values[30:60] = np.nan

    profile = Profile.fit(series, "UTC")

    assert np.isfinite(profile.at(series.epochs)).all()
    assert len(profile.medians) == 24


def test_a_profile_is_read_back_as_it_was_stored() -> None:
    profile = Profile.fit(by_the_hour(hourly(14)), BERLIN)
    assert Profile.from_payload(profile.to_payload()) == profile


@given(
    st.sampled_from(["UTC", BERLIN, "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.integers(1_000_000_000, 1_900_000_000),
    st.integers(1, 60),
    st.sampled_from([900, 3_600, 86_400]),
)
def test_offsets_are_those_of_the_time_zone_database(
    zone: str, start: int, count: int, step: int
) -> None:
    epochs = start - start % 900 + step * np.arange(count, dtype=np.int64)

    offsets = _utc_offsets(epochs, zone)

    for epoch, offset in zip(epochs.tolist(), offsets.tolist(), strict=True):
        expected = datetime.fromtimestamp(epoch, ZoneInfo(zone)).utcoffset()
        assert timedelta(seconds=offset) == expected
