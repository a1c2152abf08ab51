"""A job that runs every night at about the same time, on metrics generated from seeds of their own."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.backtest.simulation import EngineName, Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from tests.support.builders import a_detector
from tests.support.nightly_jobs import (
    PERIOD,
    START,
    TWO_O_CLOCK,
    NightlyJob,
    share_of_periods,
)

DAY = 288
DAYS, TRAINING = 35, timedelta(days=7)
JITTER = 20
LAST_NIGHT = DAYS - 3
ENGINES: tuple[EngineName, ...] = ("lambda", "sagemaker")


def nightly(seed: int, minutes: int, height: float, wave: float, jitter: int = JITTER) -> Floats:
    return NightlyJob(minutes, height, wave, jitter).values(seed, DAYS)


def events(values: Floats, engine: EngineName) -> Sequence[AnomalyEvent]:
    series = MetricSeries(PERIOD * 60, START, values.tolist())
    detector = a_detector(period=PERIOD * 60)
    return backtest(series, detector, TRAINING, Plan(engine, seed=1)).events


def day_of(event: AnomalyEvent) -> int:
    return (event.begins - START).days


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "seed", "minutes", "height", "wave"),
    [
        ("lambda", 32, 120, 40, 20),
        ("sagemaker", 31, 90, 70, 0),
        ("sagemaker", 32, 30, 60, 20),
    ],
)
def test_a_job_that_jitters_by_twenty_minutes_raises_at_most_two_low_events_a_month(
    engine: EngineName, seed: int, minutes: int, height: float, wave: float
) -> None:
    found = events(nightly(seed, minutes, height, wave), engine)

    assert len(found) <= 2
    assert {event.severity_word for event in found} <= {"low"}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_jittering_job_twice_as_high_or_at_another_time_is_an_event(engine: EngineName) -> None:
    values = nightly(33, 30, 70, 0)
    values += 70 * share_of_periods(DAYS, LAST_NIGHT - 3, 14 * 60, 30)
    values += 80 * share_of_periods(DAYS, LAST_NIGHT, TWO_O_CLOCK, 30)

    assert {LAST_NIGHT - 3, LAST_NIGHT} <= {day_of(event) for event in events(values, engine)}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_punctual_job_that_does_not_run_is_an_event(engine: EngineName) -> None:
    values = nightly(34, 30, 70, 0, jitter=0)
    night = slice(LAST_NIGHT * DAY, LAST_NIGHT * DAY + DAY // 4)
    values[night] = np.random.default_rng(35).normal(50, 2, DAY // 4)

    assert [day_of(event) for event in events(values, engine)] == [LAST_NIGHT]
