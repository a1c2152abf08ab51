"""The pictures of docs/tuning.md, each a metric without and with its entry.

PYTHONPATH=functions:cli:. .venv/bin/python -m tests.support.tuning_pictures    # takes them anew
"""

import base64
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selenium.webdriver.common.by import By

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch_cli.backtest.files import Options, backtest_file, report_of
from cutwatch_cli.backtest.inputs import InputFile
from cutwatch_cli.report import DetectorReport, Page, write_page
from tests.support.chromium import chromium
from tests.support.project import PROJECT

METRICS, ENTRIES = (PROJECT / "docs" / "tuning" / name for name in ("metrics.py", "detectors.yaml"))
DETECTORS: Mapping[str, Detector] = {
    each.name: each for each in parse_configuration(ENTRIES.read_text()).detectors
}
PICTURES = {name: PROJECT / "docs" / "images" / f"tuning-{name}.png" for name in DETECTORS}
# What check-ins is without its exclusions, and the others without an entry.
BEFORE: Mapping[str, Mapping[str, Any]] = {"check-ins": {"missing_data": "anomalous"}}
SHOWN = timedelta(days=30)
_SIZE = (1160, 1400)
# Headings and charts alone, and the detector with the entry last: a report has the worst first.
_BARE = """
const last = [...document.querySelectorAll('article')].find(e => e.querySelector('h2').textContent.endsWith('the entry'));
last.parentElement.append(last);
const surplus = '.toolbar, .facts, .scroller, article > p, figure > p, article + article .legend';
for (const e of document.querySelectorAll(surplus)) e.remove();
"""


def write_metrics(folder: Path) -> None:
    """As docs/tuning.md has it."""
    subprocess.run([sys.executable, METRICS, folder], check=True)


def reports(detector: Detector, metrics: Path) -> Iterator[DetectorReport]:
    """The last 30 days without the entry, and with it."""
    path = metrics / f"{detector.name}.csv"
    bare = Detector(detector.name, detector.namespace, detector.metric, detector.statistic)
    changes = BEFORE.get(detector.name, {})
    before = replace(bare, period=detector.period, engine=detector.engine, **changes)
    without = (
        " and ".join(f"{key}: {value}" for key, value in changes.items()) or "its period alone"
    )
    for each, words in ((before, without), (detector, "the entry")):
        given = InputFile(path, path.name, f"{detector.name} with {words}")
        done = backtest_file(given, Options(lambda *_, chosen=each: chosen))
        yield newest(report_of(done))


def newest(report: DetectorReport) -> DetectorReport:
    rows = SHOWN // timedelta(seconds=report.period_seconds)
    start = report.start + timedelta(seconds=report.period_seconds) * (len(report.values) - rows)
    return replace(
        report,
        start=start,
        values=report.values[-rows:],
        scores=report.scores[-rows:],
        anomalies=report.anomalies[-rows:],
        expected=report.expected and report.expected.since(len(report.values) - rows),
        events=[each for each in report.events if datetime.fromisoformat(each.start) >= start],
        trained_until=[each for each in report.trained_until if each >= start],
    )


def take_pictures() -> None:
    with TemporaryDirectory() as folder, chromium() as browser:
        metrics, page = Path(folder) / "metrics", Path(folder) / "report.html"
        write_metrics(metrics)
        browser.resize(_SIZE)
        browser.prefer("light")
        for name, picture in PICTURES.items():
            made = list(reports(DETECTORS[name], metrics))
            write_page(Page("Tuning", name, made, datetime.now(UTC)), page)
            browser.open(page)
            browser.run(_BARE)
            browser.until("document.querySelectorAll('.chart.drawn').length == 2")
            shown = browser.driver.find_element(By.TAG_NAME, "main")
            picture.write_bytes(base64.b64decode(shown.screenshot_as_base64))


if __name__ == "__main__":
    take_pictures()
