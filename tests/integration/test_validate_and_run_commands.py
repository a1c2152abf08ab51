import subprocess
import sys
from pathlib import Path

import pytest

from cutwatch_cli.commands.exits import FAILURE
from tests.support.command_line import SMALL_TEMPLATE, assert_one_line_mistake, cutwatch
from tests.support.project import PROJECT


@pytest.mark.slow
def test_the_shipped_file_and_template_are_valid() -> None:
    result = cutwatch(
        "validate",
        "--detectors",
        PROJECT / "functions" / "detectors.yaml",
        "--template",
        PROJECT / "template.yaml",
    )
    assert result.exit_code == 0, result.stderr
    assert "1 detector, valid" in result.stdout


def test_streams_are_listed_with_their_columns(tmp_path: Path) -> None:
    detectors = tmp_path / "detectors.yaml"
    detectors.write_text(
        """
streams:
  - name: vitals
    source: vitals
    record: {time: at, values: [systolic, diastolic]}
"""
    )
    result = cutwatch("validate", "--detectors", detectors, "--template", SMALL_TEMPLATE)
    assert result.exit_code == 0, result.stderr
    assert "0 detectors, 1 stream, valid" in result.stdout
    assert "vitals: vitals, systolic, diastolic" in result.stdout


def test_expressions_and_templates_are_told_with_what_they_watch(tmp_path: Path) -> None:
    detectors = tmp_path / "detectors.yaml"
    detectors.write_text(
        """
detectors:
  - name: error-rate
    expression: 100 * errors / requests
    metrics:
      errors: {namespace: Shop, metric: Errors, statistic: Sum}
      requests: {namespace: Shop, metric: Requests, statistic: Sum}
  - {name: tills, for_each: Till, namespace: Shop, metric: Orders, statistic: Sum, limit: 7}
"""
    )
    result = cutwatch("validate", "--detectors", detectors, "--template", SMALL_TEMPLATE)
    assert result.exit_code == 0, result.stderr
    assert "1 detector, 1 template, valid" in result.stdout
    assert "error-rate: 100 * errors / requests (errors: Shop Errors, Sum;" in result.stdout
    assert "tills: Shop Orders, Sum, every 300 s, for each Till, at most 7" in result.stdout


def test_mistakes_in_detectors_are_told_one_a_line(tmp_path: Path) -> None:
    detectors = tmp_path / "detectors.yaml"
    detectors.write_text("detectors:\n  - {name: a, namespace: X, metric: m, statistic: Avg}\n")
    result = cutwatch("validate", "--detectors", detectors, "--template", SMALL_TEMPLATE)
    assert_one_line_mistake(result, "detector 'a'", "statistic", "Avg", "Average")


@pytest.mark.parametrize(
    "arguments", [("demo",), ("run", "--csv", "metric.csv"), ("local",)], ids=lambda given: given[0]
)
def test_without_the_local_aws_a_command_says_how_to_install_it(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    csv = tmp_path / "metric.csv"
    csv.write_text("timestamp,value\n2026-01-01 00:00,1\n2026-01-01 01:00,2\n")
    monkeypatch.setitem(sys.modules, "localaws", None)
    result = cutwatch(*arguments)
    assert_one_line_mistake(result, f"cutwatch {arguments[0]} needs the local AWS")
    assert result.stderr.endswith("run: pip install ./localaws\n")
    assert list(tmp_path.iterdir()) == [csv]


@pytest.mark.parametrize("installed", [True, False])
def test_without_a_local_aws_to_fire_at_the_message_says_how_to_start_one(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "localaws", None)
    result = cutwatch("fire", "TransformRule", "--endpoint-url", "http://127.0.0.1:9")
    assert result.exit_code == FAILURE
    installation = "" if installed else "pip install ./localaws, then "
    assert result.stderr == (
        "cutwatch: no local AWS responds at http://127.0.0.1:9; "
        f"start one with: {installation}cutwatch local\n"
    )


def test_a_backtest_needs_no_local_aws() -> None:
    program = (
        "import sys; sys.modules['localaws'] = None; "
        "import cutwatch_cli.backtest.files, cutwatch_cli.backtest.presentation"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_help_imports_nothing_that_only_a_command_needs() -> None:
    program = (
        "import sys; from cutwatch_cli.main import app; from typer.testing import CliRunner; "
        "CliRunner().invoke(app, ['--help']); print(*sys.modules)"
    )
    imported = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "cutwatch_cli.commands.backtest" in imported
    heavy = {"boto3", "botocore", "cfnlint", "jinja2", "localaws", "numpy", "pydantic", "yaml"}
    assert heavy & set(imported) == set()
