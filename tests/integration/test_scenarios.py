"""Seeded histories with a known truth: what each engine must find in them, and what it must leave alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.simulation import Backtest, EngineName, Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries

Floats = NDArray[np.float64]

START = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
PERIOD, HOUR, DAY, WEEK = 1_800, 2, 48, 336
WEEKS = 6
LEARNED = timedelta(weeks=2)
DETECTOR = Detector(name="m", namespace="N", metric="m", statistic="Average", period=PERIOD)

positions = np.arange(WEEKS * WEEK)


def daily(noise: float = 0.01, seed: int = 1) -> Floats:
    """Smooth: a wave a day around 1,000; noise as a share of it."""
    wave = 1_000 + 400 * np.sin(2 * np.pi * positions / DAY)
    return wave * (1 + noise * _random(seed).normal(size=len(positions)))


def noisy(seed: int = 2) -> Floats:
    """No pattern: 100 ± 10."""
    return _random(seed).normal(100, 10, len(positions))


def weekly_only(seed: int = 3) -> Floats:
    """Busy from Monday to Friday, next to nothing at the weekend."""
    busy = positions % WEEK < 5 * DAY
    return np.where(busy, 500.0, 50.0) * (1 + 0.02 * _random(seed).normal(size=len(positions)))


def heavy_tailed(seed: int = 4) -> Floats:
    """Every now and then something many times as large as usual."""
    return 10 + _random(seed).standard_t(2.5, len(positions))


def counter(seed: int = 5) -> Floats:
    """Nothing but a single error now and then."""
    return (_random(seed).random(len(positions)) < 0.01).astype(np.float64)


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(params=["sagemaker", "lambda"])
def engine(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


def judged(
    values: Floats, engine: EngineName, detector: Detector = DETECTOR, start: datetime = START
) -> Backtest:
    metric = MetricSeries(PERIOD, start, values.tolist())
    return backtest(metric, detector, LEARNED, Plan(engine))


def raised(result: Backtest) -> list[int]:
    return np.flatnonzero(result.raised > 0).tolist()


def found(result: Backtest, at: int, length: int) -> list[int]:
    """Where events were raised between an hour before an incident and an hour after it."""
    return [row for row in raised(result) if at - HOUR <= row <= at + length + HOUR]


def elsewhere(result: Backtest, *incidents: tuple[int, int]) -> list[int]:
    allowed = {row for at, length in incidents for row in found(result, at, length)}
    return [row for row in raised(result) if row not in allowed]


# A Wednesday, the Friday after it, and the Wednesday of the last week.
AT = 4 * WEEK + 2 * DAY + 19
AT_SPIKE, AT_SURGE = AT + 2 * DAY, AT + WEEK


def changed(values: Floats, at: int, length: int, change: Callable[[Floats], Floats]) -> Floats:
    copy = values.copy()
    copy[at : at + length] = change(copy[at : at + length])
    return copy


def spike(values: Floats) -> Floats:
    return changed(values, AT_SPIKE, 1, lambda part: part + 6 * np.ptp(values) + 10)


def dip(values: Floats) -> Floats:
    return changed(values, AT, 2 * HOUR, lambda part: 0.2 * part)


def surge(values: Floats) -> Floats:
    return changed(values, AT_SURGE, 4 * HOUR, lambda part: 2 * part + 10)


def never_more_than(per_week: float) -> int:
    """Of the four weeks that are scored."""
    return round(per_week * (WEEKS - 2))


KINDS = {
    "daily": (daily, 0.25),
    "noisy": (noisy, 1.25),
    "weekly only": (weekly_only, 0.25),
    "heavy-tailed": (heavy_tailed, 1.25),
    "counter at zero": (counter, 0),
}
KIND_AND_RATE = pytest.mark.parametrize(("kind", "per_week"), KINDS.values(), ids=KINDS)


@KIND_AND_RATE
def test_a_quiet_history_raises_next_to_nothing(
    kind: Callable[[], Floats], per_week: float, engine: EngineName
) -> None:
    assert len(raised(judged(kind(), engine))) <= never_more_than(per_week)


@KIND_AND_RATE
def test_a_spike_a_surge_and_a_dip_are_one_event_each(
    kind: Callable[[], Floats], per_week: float, engine: EngineName
) -> None:
    """The dip comes first: next to what a forest has learned of the others, it would be small."""
    result = judged(surge(spike(dip(kind()))), engine)
    incidents = [(AT_SPIKE, 1), (AT_SURGE, 4 * HOUR)]
    # What is at zero already cannot dip.
    incidents += [] if kind is counter else [(AT, 2 * HOUR)]
    assert [len(found(result, *incident)) for incident in incidents] == [1] * len(incidents)
    assert len(elsewhere(result, *incidents)) <= never_more_than(per_week)


@pytest.mark.parametrize("kind", [daily, noisy])
def test_a_new_level_is_one_event_where_it_begins_and_then_usual(
    kind: Callable[[], Floats], engine: EngineName
) -> None:
    values = changed(kind(), AT, len(positions), lambda part: 1.8 * part)
    result = judged(values, engine)
    assert len(found(result, AT, 2 * HOUR)) == 1
    last_week = [row for row in raised(result) if row >= (WEEKS - 1) * WEEK]
    assert len(last_week) <= 3


def test_two_incidents_four_hours_apart_are_two_events(engine: EngineName) -> None:
    second = AT + 4 * HOUR
    values = changed(daily(), AT, 2, lambda part: 0.4 * part)
    values = changed(values, second, 2, lambda part: 0.4 * part)
    result = judged(values, engine)
    assert (len(found(result, AT, 2)), len(found(result, second, 2))) == (1, 1)


def test_seven_incidents_in_one_week_are_seven_events(engine: EngineName) -> None:
    incidents = [(4 * WEEK + day * DAY + 10 + 11 * day, 2) for day in range(7)]
    values = daily()
    for at, length in incidents:
        values = changed(values, at, length, lambda part: 0.5 * part)
    result = judged(values, engine)
    assert [len(found(result, *incident)) for incident in incidents] == [1] * 7
    assert elsewhere(result, *incidents) == []


def test_slow_drift_is_no_event(engine: EngineName) -> None:
    values = daily() + np.linspace(0, 200, len(positions))
    assert len(raised(judged(values, engine))) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [daily, noisy])
def test_missing_datapoints_are_no_event_unless_asked_for(
    kind: Callable[[], Floats], engine: EngineName
) -> None:
    silence = 10 * HOUR
    values = changed(kind(), AT, silence, lambda part: part * np.nan)
    ignored = judged(values, engine)
    watched = judged(values, engine, replace(DETECTOR, missing_data="anomalous"))
    assert found(ignored, AT, silence) == []
    assert len(found(watched, AT, silence)) == 1
    assert (watched.anomalies[AT : AT + silence] == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize(("level", "at"), [(0.0, 20), (1e9, DAY - 1)])
def test_one_unit_on_a_near_constant_series_is_an_event_if_it_lasts_and_ten_are_at_once(
    level: float, at: int, engine: EngineName
) -> None:
    one_at, lasting_at, ten_at = (AT + at + days * DAY for days in (0, 3, 6))
    values = changed(np.full(len(positions), level), one_at, 1, lambda part: part + 1)
    values = changed(values, lasting_at, 4 * HOUR, lambda part: part + 1)
    values = changed(values, ten_at, 1, lambda part: part + 10)
    result = judged(values, engine)
    assert found(result, one_at, 1) == []
    assert len(found(result, lasting_at, 4 * HOUR)) == 1
    assert len(found(result, ten_at, 1)) == 1
    assert elsewhere(result, (lasting_at, 4 * HOUR), (ten_at, 1)) == []


@pytest.mark.parametrize("features", ["auto", ("residual",)])
def test_an_evening_peak_that_does_not_come_is_found(features: Any, engine: EngineName) -> None:
    """All its values and steps are usual ones; only for the time of day they are not."""
    flat = changed(daily(), AT // DAY * DAY, DAY, lambda part: np.full_like(part, 1_000))
    incident = (AT // DAY * DAY, DAY)
    result = judged(flat, engine, replace(DETECTOR, features=features))
    assert found(result, *incident)
    assert len(elsewhere(result, incident)) <= 1


BERLIN = "Europe/Berlin"
AUTUMN = datetime(2026, 9, 28, tzinfo=UTC)  # a Monday
# The clocks go back on 25 October 2026, at the end of the fourth week.
SUMMER_TIME_ENDS = 3 * WEEK + 6 * DAY


def office_hours(weeks: int = 5) -> Floats:
    """Busy from 9 to 17 on Berlin's clocks."""
    moments = [AUTUMN + timedelta(seconds=PERIOD * row) for row in range(weeks * WEEK)]
    busy = np.array([9 <= moment.astimezone(ZoneInfo(BERLIN)).hour < 17 for moment in moments])
    return np.where(busy, 500.0, 50.0) * (1 + 0.02 * _random(6).normal(size=len(busy)))


@pytest.mark.slow
def test_the_clocks_going_back_are_no_event_in_the_metrics_own_time_zone(
    engine: EngineName,
) -> None:
    by_residual = replace(DETECTOR, features=("residual",))
    at_home = judged(office_hours(), engine, replace(by_residual, time_zone=BERLIN), AUTUMN)
    elsewhere_in_time = judged(office_hours(), engine, by_residual, AUTUMN)
    week_after = (SUMMER_TIME_ENDS, WEEK)
    assert found(at_home, *week_after) == []
    assert found(elsewhere_in_time, *week_after)
