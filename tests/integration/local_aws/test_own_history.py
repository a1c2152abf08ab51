"""`backtest`, `run` and `export` read the past of one's own metrics from CloudWatch."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import Result

from cutwatch_cli.csv_files.csv_series import read_csv
from localaws import LocalAws
from localaws.faults import Fault
from tests.support.command_line import assert_one_line_mistake, cutwatch
from tests.support.local_server import BIN
from tests.support.operator_environment import operator_environment

PERIOD = 3_600
DAYS = 36
ENTRIES = """
detectors:
  - name: orders
    namespace: Shop
    metric: Orders
    statistic: Sum
    dimensions: {Stage: prod}
    period: 3600
    engine: lambda
    missing_data: zero
    direction: above
    exclude: [{start: "02:00", end: "03:00"}]
  - name: share
    expression: 100 * orders / visits
    metrics:
      orders: {namespace: Shop, metric: Orders, statistic: Sum, dimensions: {Stage: prod}}
      visits: {namespace: Shop, metric: Visits, statistic: Sum}
    period: 3600
    engine: lambda
  - {name: stage, for_each: Stage, namespace: Shop, metric: Orders, statistic: Sum, period: 3600, engine: lambda}
  - {name: ghost, namespace: Shop, metric: Nothing, statistic: Sum}
"""


@pytest.fixture(autouse=True, scope="module")
def _metrics(aws: LocalAws) -> None:
    """Five weeks of hours, with a spike 5 and a gap 15 days before their end."""
    hours = np.arange(DAYS * 24)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    # The gap is by day, away from the hour that the entry excludes.
    last = tomorrow.replace(hour=14, minute=0, second=0, microsecond=0)
    # The newest quarter of an hour is never read; no hour ends while the tests run.
    aws.clock.move_to(last + timedelta(minutes=30))
    times = [last - timedelta(hours=int(DAYS * 24 - hour)) for hour in hours]
    orders = 100 + 20 * np.sin(2 * np.pi * hours / 24) + noise(1)
    orders[-120:-117] = 400
    orders[-360:-350] = np.nan
    dimensions = {"Stage": "prod"}
    aws.cloudwatch.load_series("Shop", "Orders", dimensions, PERIOD, times, orders)
    aws.cloudwatch.load_series("Shop", "Visits", {}, PERIOD, times, 1_000 + noise(2))
    aws.cloudwatch.load_series("Shop", "Orders", {"Stage": "test"}, PERIOD, times, 5 + noise(3))


@pytest.fixture(autouse=True)
def folder(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with ENTRIES, and the credentials of this test alone."""
    aws.faults.clear()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "detectors.yaml").write_text(ENTRIES)
    with patch.dict(os.environ, operator_environment(aws)):
        yield tmp_path


def noise(seed: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, 1, DAYS * 24)


def worked(*arguments: str) -> Result:
    result = cutwatch(*arguments)
    assert result.exit_code == 0, result.output
    return result


def summary() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path("build/backtest/summary.json").read_text())
    return found


def events_of(path: str) -> list[str]:
    """Begin and severity of each event, as the results have them."""
    rows = [line.split(",") for line in Path(path).read_text().splitlines()[1:]]
    return [f"{row[0]} {row[-1]}" for row in rows if row[-1] not in ("", "0")]


def test_a_backtest_of_an_entry_reads_cloudwatch_and_applies_the_entry() -> None:
    result = worked("backtest", "--detector", "orders")

    (found,) = summary()
    assert (found["detector"], found["period"]) == ("orders", PERIOD)
    assert found["metric"] == "Shop Orders (Stage=prod), Sum"
    assert len(events_of("build/backtest/orders.csv")) == found["events"]
    assert "400" in result.stdout
    assert ">orders</h2>" in Path("build/backtest/report.html").read_text()
    rows = Path("build/backtest/orders.csv").read_text().splitlines()
    scored = [row for row in rows[1:] if row.split(",")[2]]
    assert [row for row in scored if "T02:00" in row] == []


@pytest.mark.slow
def test_an_option_changes_a_setting_of_the_entry() -> None:
    worked("backtest", "--detector", "orders", "--direction", "below", "--no-report")
    below = events_of("build/backtest/orders.csv")
    worked("backtest", "--detector", "orders", "--missing-data", "anomalous", "--no-report")
    gap = events_of("build/backtest/orders.csv")

    assert len(below) == 1
    assert len(gap) == 2


def test_each_sensitivity_shows_what_it_would_have_reported() -> None:
    result = worked("backtest", "--detector", "orders", "--sensitivity", "high", "--no-report")

    (found,) = summary()
    counts = found["events_by_sensitivity"]
    shown = ", ".join(f"{number} at {name}" for name, number in counts.items())
    assert f"orders (UTC), events by sensitivity: {shown}" in result.stdout
    assert "this detector has high" in result.stdout
    assert counts["low"] <= counts["medium"] <= counts["high"] == found["events"]


@pytest.mark.slow
def test_several_detectors_templates_and_expressions_are_read_together() -> None:
    worked("backtest", "--detector", "share", "--detector", "stage", "--no-report")

    assert [each["detector"] for each in summary()] == ["share", "stage-prod", "stage-test"]


def test_one_detector_of_a_template_can_be_named() -> None:
    worked("backtest", "--detector", "stage-test", "--no-report")

    assert [each["detector"] for each in summary()] == ["stage-test"]


def test_a_metric_needs_no_entry() -> None:
    metric = ("--namespace", "Shop", "--metric", "Orders", "--dimension", "Stage=prod")
    settings = ("--statistic", "Sum", "--period", "3600", "--engine", "lambda")
    worked("backtest", *metric, *settings, "--no-report")

    (found,) = summary()
    assert (found["detector"], found["metric"]) == ("orders-prod", "Shop Orders (Stage=prod), Sum")


@pytest.mark.slow
def test_an_exported_history_gives_the_same_events_as_cloudwatch() -> None:
    exported = worked("export", "--detector", "orders")
    worked("backtest", "--detector", "orders", "--no-report")
    read = events_of("build/backtest/orders.csv")
    worked("backtest", "build/history/orders.csv", "--detector", "orders", "--no-report")

    assert events_of("build/backtest/history/orders.csv") == read != []
    assert "build/history/orders.csv: 854 datapoints" in exported.stdout
    assert ", 10 missing" in exported.stdout
    series = read_csv(Path("build/history/orders.csv"))
    assert (series.period_seconds, int(np.isnan(series.values).sum())) == (PERIOD, 10)


def test_since_limits_the_history() -> None:
    result = worked("export", "--detector", "orders", "--since", "4w")

    assert len(read_csv(Path("build/history/orders.csv")).values) == 4 * 7 * 24
    assert "every 3600 s" in result.stdout


@pytest.mark.slow
def test_a_run_replays_the_history_of_an_entry() -> None:
    """In a process of its own: it runs a local AWS besides the one that has the history."""
    command = [str(BIN / "cutwatch"), "run", "--detector", "orders", "--since", "5w"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "3 trainings" in result.stdout
    assert "through the real state machines" in result.stdout
    assert "400" in result.stdout
    assert "Shop Orders (Stage=prod), Sum" in Path("build/run/orders.html").read_text()


def test_a_detector_that_cannot_be_read_does_not_cost_the_others() -> None:
    result = cutwatch("backtest", "--detector", "ghost", "--detector", "orders", "--no-report")

    assert result.exit_code == 1
    assert "ghost: CloudWatch has 0 datapoints of Shop Nothing, Sum" in result.stderr
    assert "could not be read: ghost" in result.stderr
    assert [each["detector"] for each in summary()] == ["orders"]


def test_where_nothing_can_be_read_nothing_is_written(folder: Path) -> None:
    result = cutwatch("export", "--detector", "ghost")

    assert result.exit_code == 1
    assert "nothing was done" in result.stderr
    assert not (folder / "build").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("backtest",), ("--detector", "--metric")),
        (("export",), ("--detector", "--metric")),
        (("run",), ("--csv", "--detector")),
        (("backtest", "--detector", "order"), ("did you mean 'orders'?",)),
        (("backtest", "--metric", "Orders"), ("--metric needs --namespace",)),
        (
            ("backtest", "--detector", "orders", "--metric", "Orders"),
            ("--detector cannot be combined with --metric",),
        ),
        (("backtest", "functions", "--metric", "x"), ("--metric cannot be combined with a file",)),
        (
            ("backtest", "functions", "--detector", "orders", "--detector", "share"),
            ("one entry",),
        ),
        (("run", "--detector", "orders", "--sensitivity", "lots"), ("--sensitivity", "'lots'")),
        (("run", "--detector", "orders", "--period", "61"), ("--period: 61 must be",)),
        (("run", "--detector", "orders", "--exclude", "22:00"), ("expected START/END",)),
        (
            ("run", "--detector", "orders", "--exclude", "22:00/25:00"),
            ("--exclude", "two times of day"),
        ),
        (("run", "--detector", "orders", "--minimum-absolute", "-1"), ("--minimum-absolute",)),
        (("export", "--detector", "orders", "--since", "soon"), ("--since soon",)),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_in_one_line(
    arguments: tuple[str, ...], words: tuple[str, ...], folder: Path
) -> None:
    assert_one_line_mistake(cutwatch(*arguments), *words)
    assert not (folder / "build").exists()


def test_a_missing_permission_is_named(aws: LocalAws) -> None:
    refusal = Fault("cloudwatch", "GetMetricData", error="AccessDenied", status=403)
    with aws.faults.during(refusal):
        assert_one_line_mistake(
            cutwatch("export", "--detector", "orders"),
            "lack the permission cloudwatch:GetMetricData",
        )
