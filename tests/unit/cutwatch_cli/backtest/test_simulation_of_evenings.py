"""A rhythm that breaks slowly, on metrics generated from seeds of their own."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.backtest.simulation import EngineName, Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from tests.support.builders import a_detector

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
PERIOD, DAY, HOUR = timedelta(minutes=15), 96, 4
DAYS = 35
ENGINES: tuple[EngineName, ...] = ("lambda", "sagemaker")


def events(values: Floats, engine: EngineName) -> Sequence[AnomalyEvent]:
    seconds = int(PERIOD.total_seconds())
    series = MetricSeries(seconds, START, values.tolist())
    plan = Plan(engine, seed=1)
    return backtest(series, a_detector(period=seconds), timedelta(days=14), plan).events


def at(day: int, hour: float) -> datetime:
    return START + timedelta(days=day, hours=hour)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_evening_that_does_not_come_is_one_event(engine: EngineName) -> None:
    """Before five o'clock users leave for a moment, and the usual rise from then on does not come."""
    random = np.random.default_rng(52)
    hours = np.arange(DAYS * DAY) % DAY / HOUR
    usual = 400 + 100 * np.cos(2 * np.pi * (hours - 15) / 24)
    usual += 500 * np.exp(-(((hours - 20.5) / 1.8) ** 2))
    values = usual * (1 + random.normal(0, 0.01, len(usual)))
    begins, ends = 31 * DAY + 16 * HOUR + 3, 31 * DAY + 23 * HOUR + 2
    values[begins:ends] = np.minimum(values[begins:ends], 495 + random.normal(0, 4, ends - begins))
    values[begins] *= 0.85

    [event] = events(values, engine)

    assert event.begins == at(31, 16.75)
    assert at(31, 22.5) <= event.ends <= at(32, 0.5)
