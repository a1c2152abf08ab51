import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from cutwatch_cli.csv_files.csv_series import write_csv
from cutwatch_cli.csv_files.numbers import LARGEST_VALUE
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.main import app

START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 31


def usual() -> npt.NDArray[np.float64]:
    hours = np.arange(DAYS * 24)
    noise = np.random.default_rng(1).normal(0, 1, len(hours))
    return 100 + 10 * np.sin(2 * np.pi * hours / 24) + noise


def with_incident() -> npt.NDArray[np.float64]:
    values = usual()
    values[20 * 24 : 20 * 24 + 4] = 300
    return values


def write_hourly(path: Path, values: npt.NDArray[np.float64]) -> Path:
    rows = [f"{START + timedelta(hours=n):%Y-%m-%d %H:%M:%S},{v}" for n, v in enumerate(values)]
    path.write_text("\n".join(["timestamp,value", *rows]) + "\n")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_hourly(tmp_path / "orders.csv", usual())


def test_the_command_writes_rows_page_and_summary(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["backtest", str(file), "--engine", "lambda", "--output", str(output)]
    )
    assert result.exit_code == 0, result.output
    assert "orders" in result.output
    assert f"Report: {output / 'report.html'}" in result.output
    assert ">orders</h2>" in (output / "report.html").read_text()
    (summary,) = json.loads((output / "summary.json").read_text())
    assert summary["datapoints_scored"] > 0


def test_the_command_writes_no_page_if_nobody_wants_one(tmp_path: Path) -> None:
    output = tmp_path / "out"
    file = write_hourly(tmp_path / "orders.csv", usual()[: 12 * 24])
    words = ["backtest", str(file), "--engine", "lambda", "--output", str(output), "--no-report"]
    result = CliRunner().invoke(app, [*words, "--training-days", "5"])
    assert result.exit_code == 0, result.output
    assert not (output / "report.html").exists()


def test_a_page_has_the_worst_of_many_files(tmp_path: Path) -> None:
    for name, values in (("calm", usual()), ("loud", with_incident())):
        write_hourly(tmp_path / f"{name}.csv", values)
    output = tmp_path / "out"
    with patch("cutwatch_cli.backtest.presentation.MOST_DETECTORS", 1):
        words = [
            "backtest",
            str(tmp_path),
            "--engine",
            "lambda",
            "--training-days",
            "10",
            "--output",
            str(output),
        ]
        result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "worst: loud" in result.output
    page = (output / "report.html").read_text()
    assert ">loud</h2>" in page
    assert ">calm</h2>" not in page
    assert "1 file with less severe events left out" in page


def test_a_file_that_is_too_short_to_score_is_a_failure_that_says_why(tmp_path: Path) -> None:
    short = write_hourly(tmp_path / "short.csv", usual()[:200])
    words = ["backtest", str(short), "--output", str(tmp_path / "out"), "--no-report"]

    result = CliRunner().invoke(app, words)

    assert result.exit_code == 1
    assert "nothing was scored: training needs 200 complete rows" in result.output


@pytest.mark.parametrize(("engine", "days"), [("lambda", 0.39), ("sagemaker", 0.77)])
def test_the_training_days_that_are_advised_let_the_file_be_scored(
    tmp_path: Path, engine: str, days: float
) -> None:
    values = np.random.default_rng(3).normal(5, 0.5, 400)
    values[390:393] = 41.0
    file = tmp_path / "short.csv"
    write_csv(MetricSeries(300, datetime(2026, 3, 2, tzinfo=UTC), values.tolist()), file)
    words = ["backtest", str(file), "--engine", engine, "--output", str(tmp_path / "out")]

    refused = CliRunner().invoke(app, [*words, "--no-report"])
    scored = CliRunner().invoke(app, [*words, "--no-report", "--training-days", str(days)])

    assert refused.exit_code == 1
    assert "60 datapoints of 400 came before the first training" in refused.output
    assert f"use --training-days {days}, or " in refused.output
    assert scored.exit_code == 0, scored.output


def test_values_as_large_as_cloudwatch_takes_bring_no_warnings(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    file = write_hourly(tmp_path / "large.csv", with_incident() * LARGEST_VALUE / 301)
    with patch.dict(os.environ, {"PYTHONWARNINGS": "error::RuntimeWarning"}):
        words = ["backtest", str(file), "--engine", "lambda", "--output", str(tmp_path / "out")]
        result = CliRunner().invoke(app, [*words, "--training-days", "10"])

    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 event" in result.stdout
    assert not [each for each in recwarn if each.category is RuntimeWarning]


def test_one_bad_file_does_not_cost_the_others(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "out"
    for shop in ("eu", "us"):
        (data / shop).mkdir(parents=True)
        write_hourly(data / shop / "orders.csv", usual()[: 12 * 24])
    (data / "bad.csv").write_text("timestamp,value\n2026-03-01,1,234\n")
    words = ["backtest", str(data), "--engine", "lambda", "--output", str(output)]
    words += ["--training-days", "5"]

    result = CliRunner().invoke(app, words)
    again = CliRunner().invoke(app, words)

    assert result.exit_code == again.exit_code == 1
    assert f"{data / 'bad.csv'}, row 2: has 3 cells" in result.stderr
    assert result.stderr.endswith("1 of 3 files not backtested\n")
    assert {str(path.relative_to(output)) for path in output.rglob("*.csv")} == {
        "eu/orders.csv",
        "us/orders.csv",
    }
    eu, us, bad = json.loads((output / "summary.json").read_text())
    assert (eu["results"], us["results"]) == ("eu/orders.csv", "us/orders.csv")
    assert "has 3 cells" in bad["error"]
    assert "has 3 cells" in (output / "report.html").read_text()


def test_what_reading_mended_is_told_in_terminal_page_and_json(tmp_path: Path) -> None:
    output = tmp_path / "out"
    file = write_hourly(tmp_path / "orders.csv", usual())
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:50], *lines[60:], lines[70]]))
    words = ["backtest", str(file), "--engine", "lambda", "--output", str(output)]

    result = CliRunner().invoke(app, [*words, "--time-zone", "America/New_York"])

    (summary,) = json.loads((output / "summary.json").read_text())
    assert summary["time_zone"] == "America/New_York"
    page = (output / "report.html").read_text()
    for note in (
        "Timestamps without a zone were read as America/New_York (--time-zone).",
        "Rows were not in chronological order and were sorted.",
        "1 row with the timestamp of another row.",
        "2 rows shared a period with others and were averaged into 1 datapoint.",
        "1 gap, 10 datapoints missing.",
    ):
        assert note in result.output
        assert note in page
        assert note in summary["notes"]
