import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cutwatch_cli.commands.exits import USAGE_ERROR
from cutwatch_cli.cost.assumptions import NAMES
from cutwatch_cli.cost.prices import PRICES
from cutwatch_cli.main import app

TWO = """
detectors:
  - {name: errors, namespace: AWS/Lambda, metric: Errors, statistic: Sum}
  - {name: hours, namespace: AWS/Lambda, metric: Invocations, statistic: Sum, period: 3600}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "detectors.yaml"
    path.write_text(TWO)
    return path


def cost(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["cost", "--detectors", str(file), *arguments])


def estimate(file: Path, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(cost(file, "--json", *arguments).stdout)
    return answer


def total(file: Path, *arguments: str) -> float:
    return float(estimate(file, *arguments)["dollars_a_month"]["total"])


def test_the_first_line_answers_and_the_rest_is_asked_for(file: Path) -> None:
    answer = cost(file)
    assert answer.exit_code == 0
    (line,) = answer.stdout.splitlines()
    assert line.startswith(f"${total(file):.2f} a month for 2 detectors ($")
    assert "1 training; CloudWatch anomaly detection alarms: $0.60." in line
    assert cost(file, "--details").stdout.splitlines()[0] == line


def test_the_bill_stands_beside_cloudwatchs_own_alarms(file: Path) -> None:
    answer = cost(file, "--details")
    assert answer.exit_code == 0
    assert "2 detectors, per month" in answer.stdout
    assert "CloudWatch anomaly detection alarms" in answer.stdout


def test_every_price_and_every_assumption_is_shown(file: Path) -> None:
    shown = cost(file, "--details").stdout
    assert [name for name in (*PRICES, *NAMES) if name not in shown] == []
    assert "us-east-1, November 2026" in shown


def test_the_items_add_up_to_the_total(file: Path) -> None:
    answer = estimate(file, "--count", "50")
    items = sum(item["dollars"] for item in answer["items"])
    assert answer["detectors"] == 100
    assert items == pytest.approx(answer["dollars_a_month"]["total"])


@pytest.mark.parametrize(
    ("arguments", "change"),
    [
        (["--transform-schedule", "daily"], 1),
        (["--transforms-per-month", "1"], -1),
        (["--trainings-per-month", "4"], 1),
        (["--engine", "lambda"], -1),
        (["--price", "transform_hour=1"], 1),
        (["--assume", "transform_job_minutes=1"], -1),
    ],
)
def test_every_option_moves_the_total(file: Path, arguments: list[str], change: int) -> None:
    assert (total(file, *arguments) - total(file)) * change > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "sagemakr"], "expected one of sagemaker, lambda"),
        (["--transform-schedule", "yearly"], "expected one of weekly, daily, hourly"),
        (["--price", "lambda_reqest=1"], "did you mean 'lambda_request'?"),
        (["--assume", "pollseconds=1"], "did you mean 'poll_seconds'?"),
        (["--assume", "batch_size=0"], "expected more than 0"),
        (["--price", "alarm=free"], "is not a number of at least 0"),
    ],
)
def test_a_mistake_is_told_in_one_line(file: Path, arguments: list[str], words: str) -> None:
    answer = cost(file, *arguments)
    assert answer.exit_code == USAGE_ERROR
    (line,) = answer.stderr.splitlines()
    assert line.startswith("cutwatch: ")
    assert words in line


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    answer = cost(tmp_path / "none.yaml")
    assert answer.exit_code == USAGE_ERROR
    assert "cannot be read" in answer.stderr
