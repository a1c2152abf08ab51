from pathlib import Path

import pytest
import typer

from cutwatch_cli.main import app
from tests.support.command_line import assert_one_line_mistake, cutwatch


@pytest.mark.parametrize("command", sorted(typer.main.get_command(app).commands))  # type: ignore[attr-defined]
def test_every_command_explains_itself(command: str) -> None:
    result = cutwatch(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_a_csv_that_is_not_there_is_a_mistake_told_in_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    assert_one_line_mistake(cutwatch("run", "--csv", missing), str(missing), "No such file")


def test_a_value_that_is_no_number_is_named_with_its_row(tmp_path: Path) -> None:
    csv = tmp_path / "metric.csv"
    csv.write_text("timestamp,value\n2026-01-01,1\n2026-01-02,many\n")
    assert_one_line_mistake(cutwatch("run", "--csv", csv), "row 3", "many")


def test_a_training_time_longer_than_the_file_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    csv = tmp_path / "metric.csv"
    csv.write_text("timestamp,value\n2026-01-01 00:00,1\n2026-01-01 01:00,2\n2026-01-01 02:00,1\n")
    result = cutwatch("run", "--csv", csv, "--training-days", "3")
    assert_one_line_mistake(result, "covers only 0.1 days")
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == [csv]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--csv", "none.csv"),
        ("run", "--csv", "none.csv", "--missing-data", "guess"),
        ("backtest", "none"),
        ("backtest", "none", "--engine", "steam"),
        ("backtest", ".", "--time-zone", "Mars"),
    ],
    ids=" ".join,
)
def test_bad_input_writes_nothing(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_one_line_mistake(cutwatch(*arguments))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_policy_is_told_the_known_ones(tmp_path: Path) -> None:
    result = cutwatch("run", "--csv", tmp_path / "x.csv", "--missing-data", "guess")
    assert_one_line_mistake(result, "guess", "ignore, zero, previous, anomalous")
