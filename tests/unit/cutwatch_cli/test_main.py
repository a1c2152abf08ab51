from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cutwatch.detectors.detector import Detector
from cutwatch_cli.commands.entry_options import EntryOptions
from cutwatch_cli.main import app
from tests.support.command_line import assert_one_line_mistake, cutwatch


@pytest.mark.parametrize("command", sorted(typer.main.get_command(app).commands))  # type: ignore[attr-defined]
def test_every_command_explains_itself(command: str) -> None:
    result = cutwatch(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize("group", [(), ("stream",)], ids=str)
def test_no_command_is_cut_in_the_help_of_a_narrow_terminal(group: tuple[str, ...]) -> None:
    # Click leaves two of a terminal's 80 columns free; its runner does not.
    result = CliRunner().invoke(app, [*group, "--help"], terminal_width=78)
    listed = result.stdout.partition("Commands:\n")[2].splitlines()
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert len(listed) == len(commands["stream"].commands if group else commands)
    assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []


def test_the_version_is_that_of_the_distribution() -> None:
    assert cutwatch("--version").stdout == f"cutwatch {version('cutwatch')}\n"


def test_run_and_backtest_take_the_same_options_for_an_entry() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    options = {
        name: {each.name: (each.opts, each.default, each.help) for each in commands[name].params}
        for name in ("run", "backtest", "export")
    }
    entry = [each.name for each in fields(EntryOptions)]
    for name in entry:
        assert options["run"][name] == options["backtest"][name] == options["export"][name]
    assert options["run"]["training_days"] == options["backtest"]["training_days"]


def test_every_field_of_an_entry_has_an_option() -> None:
    """Expressions and templates are too long for options; `log_group`, `live` and `publish` are for deployed detectors."""
    of_file = {"name", "expression", "metrics", "dimensions", "cutoff", "minimum_deviation"}
    of_file |= {"log_group", "live", "publish"}
    nested = {"dimension", "cutoff_method", "cutoff_sigmas", "minimum_absolute", "minimum_relative"}
    options = {each.name for each in fields(EntryOptions)}
    assert {each.name for each in fields(Detector)} - of_file <= options
    assert nested <= options


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
