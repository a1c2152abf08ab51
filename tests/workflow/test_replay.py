"""`cutwatch run`: months of schedule over a metric of one's own, and the page that is made of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cutwatch_cli.main import app
from tests.support.report_pages import columns_of, descriptions_of, share_in_range

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 40 * 24
INCIDENT = 30 * 24


@pytest.mark.slow
def test_a_metric_of_ones_own_is_replayed_and_its_events_are_on_the_page(tmp_path: Path) -> None:
    values = 100 + 10 * np.sin(2 * np.pi * np.arange(HOURS) / 24)
    values += np.random.default_rng(1).normal(0, 1, HOURS)
    values[INCIDENT : INCIDENT + 4] = 300
    rows = [f"{START + timedelta(hours=n):%Y-%m-%d %H:%M},{v:.2f}" for n, v in enumerate(values)]
    metric = tmp_path / "orders.csv"
    metric.write_text("\n".join(["timestamp,value", *rows]) + "\n")

    words = ["run", "--csv", str(metric), "--training-days", "20", "--output", str(tmp_path)]
    result = CliRunner().invoke(app, words)

    page = tmp_path / "orders.html"
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"Report: {page}\n")
    (told,), (columns,) = descriptions_of(page), columns_of(page)
    incident = START.timestamp() + INCIDENT * 3600
    assert any(start <= incident + 7200 and end > incident for start, end, *_ in told["events"])
    assert told["cutoffs"]
    assert told["trained"]
    scored = np.isfinite(columns["score"])
    assert scored.argmax() == 20 * 24
    np.testing.assert_array_equal(np.isfinite(columns["expected"]), scored)
    assert share_in_range(columns) == pytest.approx(0.9, abs=0.05)
