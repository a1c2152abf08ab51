"""`cutwatch report` of a stack with a stream, on moto."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.support.command_line import assert_one_line_mistake, cutwatch
from tests.support.operated_streams import OPTIONS, STREAM, OperatedStream, an_incident
from tests.support.report_pages import columns_of, descriptions_of

MINUTES = 6 * 60


def publish(sensors: OperatedStream, step: int = 1) -> None:
    """Publish six hours of scores, one in `step` minutes, with an incident from the 300th to the 310th minute."""
    scores = 1 + np.random.default_rng(1).gamma(2.0, 0.2, MINUTES)
    scores[300:311] += 3
    flags = np.zeros(MINUTES)
    flags[300:311] = 1
    kept = [minute if minute % step == 0 else None for minute in range(MINUTES)]
    for metric, values in (("AnomalyScore", scores), ("Anomaly", flags)):
        published = [None if each is None else float(values[each]) for each in kept]
        sensors.report(metric, published, Stream=STREAM)


def page(path: Path, *names: str) -> str:
    result = cutwatch("report", *names, "--since", "1d", "--output", path, *OPTIONS)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"Report: {path}"
    return path.read_text()


def test_the_page_has_the_scores_of_the_stream_with_its_incidents(
    sensors: OperatedStream, tmp_path: Path
) -> None:
    publish(sensors)
    sensors.record(an_incident(sensors.now, timedelta(hours=1), number=1))
    sensors.record(an_incident(sensors.now, timedelta(hours=5), number=2, severity=1.6), "ended")

    html = page(tmp_path / "report.html")

    [described] = descriptions_of(tmp_path / "report.html")
    [columns] = columns_of(tmp_path / "report.html")
    assert described["period"] == 60
    assert described["words"] == ["score", "incident", "Incident"]
    assert len(described["events"]) == 2
    [(first, end)] = described["anomalous"]
    assert end - first == 11
    assert np.nanmin(columns["value"][first:end]) > 4
    assert "2 incidents of 1 stream; worst: sensors, " in html
    assert '<td data-label="Key">pump-1</td>' in html
    assert '<td data-label="Column">x</td>' in html
    assert html.count('<td class="number" data-label="Lasts">open</td>') == 1


def test_a_stream_with_few_records_is_drawn_at_a_longer_period(
    sensors: OperatedStream, tmp_path: Path
) -> None:
    publish(sensors, step=5)
    sensors.record(an_incident(sensors.now))

    page(tmp_path / "report.html")

    [described] = descriptions_of(tmp_path / "report.html")
    assert described["period"] == 300


def test_a_named_stream_is_shown_without_incidents(sensors: OperatedStream, tmp_path: Path) -> None:
    publish(sensors)

    html = page(tmp_path / "report.html", STREAM)

    assert "No events of 1 stream" in html
    assert "No incidents in this time range." in html


@pytest.mark.usefixtures("sensors")
def test_without_incidents_and_with_an_unknown_name_no_page_is_written(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    nothing = cutwatch("report", "--output", path, *OPTIONS)
    assert nothing.exit_code == 1
    assert "no page written" in nothing.stderr

    unknown = cutwatch("report", "sensor", "--output", path, *OPTIONS)
    assert_one_line_mistake(unknown, "no detector or stream 'sensor'")
    assert not path.exists()
