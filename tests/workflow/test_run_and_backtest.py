"""`run` and `backtest` give the same events for the same schedule; docs/cli.md has the reasons for which they may differ."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import CutoffRule, Detector, MinimumDeviation
from cutwatch.detectors.exclusions import Exclusion
from cutwatch_cli.backtest.deployed_forest import deployed_engine
from cutwatch_cli.backtest.simulation import Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.entries.entry import replayable
from cutwatch_cli.replay.replay import replay

# Three windows, and 252 rows before the first: SageMaker needs 200.
PERIOD, DAYS, LEARNED = 1_800, 21, timedelta(days=5.25)
START = datetime(2026, 3, 2, 5, 30, tzinfo=UTC)
CHECKOUT = Detector("checkout", "Shop", "Orders", "Sum", period=PERIOD, engine="lambda")
# Every field of an entry that changes what is detected, several at once.
ENTRIES: dict[str, dict[str, Any]] = {
    "gaps are zero, high sensitivity, minimum deviation, features": {
        "missing_data": "zero",
        "sensitivity": "high",
        "minimum_deviation": MinimumDeviation(absolute=15, relative=0.2),
        "features": ("value", "residual"),
    },
    "gaps are anomalous, below, excluded nights, time zone": {
        "missing_data": "anomalous",
        "direction": "below",
        "exclude": (Exclusion("22:00", "06:00"),),
        "time_zone": "America/New_York",
    },
}
# Less than it has when it is trained at last.
SHORT_HISTORY: dict[str, Any] = {
    "missing_data": "previous",
    "shingle_size": 4,
    "history_days": 5,
    "cutoff": CutoffRule("training", 2.5),
}


def generated(seed: int) -> MetricSeries:
    """A day's rhythm with noise, spikes and dips of up to two hours, and a gap across the end of a window."""
    random = np.random.default_rng(seed)
    count = DAYS * 86_400 // PERIOD
    day = 2 * np.pi * np.arange(count) * PERIOD / 86_400
    values = 100 + 20 * np.sin(day) + random.normal(0, 2, count)
    for first in random.integers(count // 4, count - 20, 6):
        values[first : first + random.integers(1, 9)] *= random.choice([0.3, 1.8])
    first = int(random.integers(count // 4, count - 40))
    values[first : first + 30] = np.nan
    return MetricSeries(PERIOD, START, values.tolist())


def both(
    detector: Detector, series: MetricSeries, learned: timedelta = LEARNED
) -> tuple[list[AnomalyEvent], list[AnomalyEvent]]:
    replayed = replay(series, replayable(detector), learned)
    plan = Plan(detector.engine)
    simulated = backtest(series, detector, learned, plan, deployed_engine(detector))
    return replayed.events, list(simulated.events)


def test_every_setting_of_an_entry_is_compared() -> None:
    source = {"name", "namespace", "metric", "statistic", "dimensions", "expression", "metrics"}
    of_deployments = {"log_group", "live", "publish", "unit"}
    compared = {name for entry in (*ENTRIES.values(), SHORT_HISTORY) for name in entry}
    assert compared | source | of_deployments | {"period", "engine"} == {
        each.name for each in fields(Detector)
    }


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "entry"), enumerate(ENTRIES, 3), ids=str)
def test_run_and_backtest_report_the_same_events(seed: int, entry: str) -> None:
    replayed, simulated = both(replace(CHECKOUT, **ENTRIES[entry]), generated(seed))

    assert len(replayed) > 2
    assert simulated == replayed


@pytest.mark.slow
def test_a_detector_that_is_too_young_for_its_training_is_trained_by_its_next_transform() -> None:
    detector = replace(CHECKOUT, **SHORT_HISTORY)
    replayed, simulated = both(detector, generated(2), learned=timedelta(hours=12))

    assert len(replayed) > 2
    assert simulated == replayed


@pytest.mark.slow
def test_the_samples_of_sagemakers_forest_change_slight_events_only() -> None:
    replayed, simulated = both(replace(CHECKOUT, engine="sagemaker"), generated(1))

    def clear(events: list[AnomalyEvent]) -> list[str]:
        return [event.start for event in events if event.comparable_severity >= 1.5]

    assert len(clear(replayed)) > 2
    assert clear(simulated) == clear(replayed)
