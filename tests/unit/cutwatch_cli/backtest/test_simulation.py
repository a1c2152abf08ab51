import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest

from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch_cli.backtest.files import (
    Options,
    backtest_file,
    write_nab_results,
    write_rows,
)
from cutwatch_cli.backtest.inputs import InputFile
from cutwatch_cli.backtest.simulation import (
    Backtest,
    EngineName,
    Plan,
    backtest,
    default_training_time,
)
from cutwatch_cli.csv_files.csv_series import CsvError
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from tests.support.project import PROJECT

START = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = 3_600
DETECTOR = Detector(
    name="m", namespace="N", metric="m", statistic="Average", period=HOUR, history_days=30
)
LEARNED = timedelta(days=10)


def of_file(_: Path, series: MetricSeries) -> Detector:
    return replace(DETECTOR, period=series.period_seconds, time_zone=series.time_zone)


@pytest.fixture(autouse=True, scope="module")
def _short_histories() -> Iterator[None]:
    """Let ten days of hours be enough for these tests."""
    with patch.dict(MINIMUM_TRAINING_ROWS, sagemaker=100):
        yield


def usual(days: int = 31) -> npt.NDArray[np.float64]:
    hours = np.arange(days * 24)
    noise = np.random.default_rng(1).normal(0, 1, len(hours))
    return 100 + 10 * np.sin(2 * np.pi * hours / 24) + noise


def metric(values: npt.NDArray[np.float64]) -> MetricSeries:
    return MetricSeries(HOUR, START, values.tolist())


def with_incident(at: int = 20 * 24, hours: int = 4) -> npt.NDArray[np.float64]:
    values = usual()
    values[at : at + hours] = 300
    return values


PLANS = [
    Plan(engine, schedule, causal)
    for engine in ("sagemaker", "lambda")
    for schedule in ("monthly", "weekly")
    for causal in (False, True)
]


@pytest.fixture(scope="module", params=PLANS, ids=str)
def plan(request: pytest.FixtureRequest) -> Plan:
    chosen: Plan = request.param
    return chosen


@cache
def of_incident(plan: Plan) -> Backtest:
    return backtest(metric(with_incident()), DETECTOR, LEARNED, plan)


@pytest.fixture(scope="module")
def found(plan: Plan) -> Backtest:
    return of_incident(plan)


def test_an_incident_raises_one_event_where_it_begins(found: Backtest) -> None:
    around = found.raised[20 * 24 - 2 : 20 * 24 + 6]
    (raised,) = np.flatnonzero(around > 0)
    assert 1 <= raised <= 3
    assert (found.anomalies[20 * 24 + 1 : 20 * 24 + 4] == 1).all()


def test_nothing_is_scored_before_there_is_a_model(found: Backtest) -> None:
    learned = LEARNED // timedelta(hours=1)
    for column in (found.scores, found.severities, found.anomalies, found.raised):
        assert np.isnan(column[:learned]).all()
        assert not np.isnan(column[learned:]).any()


def test_every_event_is_raised_on_one_row_of_its_own(found: Backtest) -> None:
    assert np.count_nonzero(found.raised > 0) == len(found.events)
    assert all(found.anomalies[np.flatnonzero(found.raised > 0)] == 1)


# Scores are given before events are raised, so that causal plans have the same.
@pytest.mark.parametrize("plan", [each for each in PLANS if not each.causal], ids=str)
def test_what_comes_later_changes_no_score_given_before(plan: Plan) -> None:
    changed = usual()
    changed[24 * 24 :] += 500
    before, after = (
        backtest(metric(values), DETECTOR, LEARNED, plan) for values in (usual(), changed)
    )
    earlier = slice(0, 24 * 24)
    assert np.array_equal(before.scores[earlier], after.scores[earlier], equal_nan=True)


@pytest.mark.parametrize("engine", ["sagemaker", "lambda"])
def test_without_look_ahead_what_comes_later_changes_nothing_at_all(engine: EngineName) -> None:
    changed = with_incident()
    changed[20 * 24 + 9 :] += 500
    plan = Plan(engine, causal=True)
    before, after = of_incident(plan), backtest(metric(changed), DETECTOR, LEARNED, plan)
    earlier = slice(0, 20 * 24 + 9)
    for name in ("scores", "severities", "anomalies", "raised"):
        one, other = getattr(before, name)[earlier], getattr(after, name)[earlier]
        assert np.array_equal(one, other, equal_nan=True), name


def test_a_young_metric_is_trained_again_when_its_history_has_doubled() -> None:
    found = backtest(metric(usual()), DETECTOR, timedelta(days=5), Plan("lambda"))
    assert [(at - START).days for at in found.trained_until] == [5, 12, 26]


def test_a_backtest_repeats_itself_and_another_seed_does_not() -> None:
    plans = (Plan("lambda", seed=1), Plan("lambda", seed=1), Plan("lambda", seed=2))
    one, same, other = (backtest(metric(usual()), DETECTOR, LEARNED, plan).scores for plan in plans)
    assert np.array_equal(one, same, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_more_sensitivity_never_finds_less(found: Backtest) -> None:
    counts = [found.events_by_sensitivity[name] for name in ("low", "medium", "high")]
    assert counts == sorted(counts)


def test_the_first_15_percent_but_at_most_750_rows_are_only_learned_from() -> None:
    assert default_training_time(metric(usual(10))) == timedelta(hours=36)
    assert default_training_time(metric(usual(300))) == timedelta(hours=750)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop" / "orders.csv"
    path.parent.mkdir()
    rows = [f"{START + timedelta(hours=n):%Y-%m-%d %H:%M:%S},{v}" for n, v in enumerate(usual())]
    order = [*rows[1:], rows[0]]
    path.write_text("\n".join(["timestamp,value", *order]) + "\n")
    return path


def test_results_have_a_row_per_input_row_in_its_order(file: Path, tmp_path: Path) -> None:
    done = backtest_file(
        InputFile.alone(file), Options(of_file, LEARNED, Plan(training_schedule="weekly"))
    )
    write_rows(done, tmp_path / "out")
    write_nab_results(done, tmp_path / "nab")
    given = list(csv.DictReader(file.open()))
    rows = list(csv.DictReader((tmp_path / "out" / "shop" / "orders.csv").open()))
    assert [row["timestamp"] for row in rows] == [row["timestamp"] for row in given]
    assert rows[0]["score"] == rows[-1]["score"] == ""
    nab = list(csv.DictReader((tmp_path / "nab" / "shop" / "orders.csv").open()))
    events = [float(row["event"] or 0) for row in rows]
    assert [float(row["anomaly_score"]) for row in nab] == pytest.approx(events, rel=1e-4)


@pytest.mark.parametrize("engine", ["sagemaker", "lambda"])
def test_the_shipped_detector_tells_nothing_of_an_account_that_has_just_begun(
    engine: EngineName,
) -> None:
    """The only invocations are Cutwatch's own: a check every day, and a run every week."""
    [shipped] = load_configuration(PROJECT / "functions" / "detectors.yaml").detectors
    per_day = 86_400 // shipped.period
    invocations = np.full(42 * per_day, np.nan)
    invocations[per_day // 4 :: per_day] = 1
    invocations[per_day // 5 :: 7 * per_day] = 15
    series = MetricSeries(shipped.period, START, invocations.tolist())

    found = backtest(series, shipped, timedelta(days=3), Plan(engine, "weekly"))

    assert found.events == ()


def test_the_results_of_a_backtest_are_refused_as_input(file: Path, tmp_path: Path) -> None:
    given = InputFile.alone(file)
    write_rows(backtest_file(given, Options(of_file, LEARNED)), tmp_path)

    with pytest.raises(CsvError, match="contains the results of a backtest"):
        backtest_file(InputFile.alone(tmp_path / given.results), Options(of_file, LEARNED))
