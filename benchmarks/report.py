"""How large a report is and how fast it opens, from ten detectors to fifty of nine weeks at five minutes.

PYTHONPATH=functions:. .venv/bin/python benchmarks/report.py

In headless Chromium. `chart` is from a jump to a section that was far from view to the last pixel of its chart, with its
neighbours'; `zoom` is from a key to the last pixel.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cutwatch_cli.report import write_page
from tests.support.chromium import Browser, chromium
from tests.support.sample_reports import nine_weeks, page_of

_DETECTORS = (10, 25, 50)
_APART = 4  # sections; the charts of nearer ones are drawn beforehand
# From the change of what is in view until the browser has painted what follows from it.
_PAINTED = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
_CHART = """
const [number, done] = arguments;
(async () => {
  const started = performance.now();
  const section = document.getElementById(`d${number}`);
  section.scrollIntoView();
  while (!section.querySelector(".chart.drawn")) await new Promise((next) => setTimeout(next));
  PAINTED
  done(performance.now() - started);
})();
""".replace("PAINTED", _PAINTED)
_ZOOM = """
const [number, done] = arguments;
(async () => {
  const chart = document.querySelector(`#d${number} .chart`);
  const started = performance.now();
  chart.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
  PAINTED
  const zoomed = performance.now() - started;
  chart.dispatchEvent(new KeyboardEvent("keydown", { key: "0" }));
  PAINTED
  done(zoomed);
})();
""".replace("PAINTED", _PAINTED)


def measured(browser: Browser, detectors: int, path: Path) -> Iterator[float]:
    """Seconds to write, bytes, bytes a datapoint, ms to open, ms of a chart, ms of a zoom."""
    page = page_of(*(nine_weeks(number) for number in range(detectors)))
    started = time.perf_counter()
    write_page(page, path)
    yield time.perf_counter() - started
    size = path.stat().st_size
    yield size
    yield size / sum(len(report.values) for report in page.reports)
    browser.open(path)
    yield browser.run("return performance.getEntriesByType('navigation')[0].domComplete")
    charts = range(_APART, detectors + 1, _APART)
    run = browser.driver.execute_async_script
    times = [(run(_CHART, number), run(_ZOOM, number)) for number in charts]
    yield from (median(kind) for kind in zip(*times, strict=True))


def main(
    repetitions: Annotated[int, typer.Option(min=1, help="Pages of each size; medians.")] = 3,
) -> None:
    """Print the table of docs/performance.md."""
    headings = ("write s", "MB", "bytes/datapoint", "open ms", "chart ms", "zoom ms")
    table = Table("detectors", *headings, box=None)
    first: list[float] = []
    with TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "report.html"
        for detectors in _DETECTORS:
            rounds = [list(measured(browser, detectors, path)) for _ in range(repetitions)]
            middle = [median(kind) for kind in zip(*rounds, strict=True)]
            first = first or middle
            middle_mb = [middle[0], middle[1] / 1e6, *middle[2:]]
            table.add_row(str(detectors), *(f"{each:,.2f}" for each in middle_mb))
            ratios = (now / then for now, then in zip(middle, first, strict=True))
            table.add_row("  x the first", *(f"{each:.2f}" for each in ratios), style="dim")
        version = browser.driver.capabilities["browserVersion"]
    console = Console(width=120)
    console.print(table)
    console.print(f"Chromium {version}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    typer.run(main)
