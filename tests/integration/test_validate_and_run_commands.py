from pathlib import Path

import pytest

from cutwatch_cli.main import USER_MISTAKE
from tests.support.command_line import assert_one_line_mistake, cutwatch
from tests.support.project import PROJECT


def test_a_training_time_longer_than_the_file_is_a_mistake(tmp_path: Path) -> None:
    csv = tmp_path / "metric.csv"
    csv.write_text("timestamp,value\n2026-01-01 00:00,1\n2026-01-01 01:00,2\n2026-01-01 02:00,1\n")
    result = cutwatch("run", "--csv", csv, "--training-days", "3")
    assert result.exit_code == USER_MISTAKE
    assert "covers only 0.1 days" in result.stderr


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


@pytest.mark.slow
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
    result = cutwatch("validate", "--detectors", detectors, "--template", PROJECT / "template.yaml")
    assert result.exit_code == 0, result.stderr
    assert "1 detector, 1 template, valid" in result.stdout
    assert "error-rate: 100 * errors / requests (errors: Shop Errors, Sum;" in result.stdout
    assert "tills: Shop Orders, Sum, every 300 s, for each Till, at most 7" in result.stdout


def test_mistakes_in_detectors_are_told_one_a_line(tmp_path: Path) -> None:
    detectors = tmp_path / "detectors.yaml"
    detectors.write_text("detectors:\n  - {name: a, namespace: X, metric: m, statistic: Avg}\n")
    result = cutwatch("validate", "--detectors", detectors)
    assert_one_line_mistake(result, "detector 'a'", "statistic", "Avg", "Average")
