"""The pictures of the documents, made anew: PYTHONPATH=functions:. .venv/bin/python -m tests.support.screenshots

Everything in them is real: the demo's replay, and a small fleet on the local AWS that the operator's commands look at.
"""

import os
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from unittest.mock import patch

import numpy as np
import typer
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from selenium.webdriver.common.by import By
from typer.testing import CliRunner

from cutwatch_cli.main import app
from cutwatch_cli.replay.demo_data import active_users
from cutwatch_cli.replay.presentation import present, replay_with_progress
from cutwatch_cli.replay.schedule import default_training_time
from cutwatch_cli.report import write_page
from cutwatch_cli.streams.demo_presentation import present as present_stream
from cutwatch_cli.streams.demo_records import PLANTED
from cutwatch_cli.streams.demo_records import fleet as fleet_of_machines
from cutwatch_cli.streams.kinesis_demo import run_demo
from tests.support.chromium import Browser, chromium
from tests.support.fleet import FIRST_TRANSFORM, START, Fleet, detector, fleet, usual
from tests.support.project import PROJECT

IMAGES = PROJECT / "docs" / "images"
WIDE, FLEET = (1160, 1010), (1160, 1030)
# Of each detector of the fleet: hours before the transform, how long in datapoints, and what the metric then is.
INCIDENTS = {
    "checkout-latency": [(50, 5, 620.0), (97, 2, 240.0)],
    "orders": [(31, 14, 20.0)],
    "payments-declined": [(120, 3, 300.0), (12, 4, 270.0)],
    "search-requests": [(75, 24, 190.0)],
    "sign-ins": [],
}


def main() -> None:
    """Write all of them."""
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, chromium() as browser:
        page = Path(folder) / "report.html"
        terminal = demo(page)
        show(browser, page, "light", WIDE)
        write(browser, "report")
        browser.run("for (const e of document.querySelectorAll('.toolbar, .readout')) e.remove()")
        figure = browser.driver.find_element(By.TAG_NAME, "figure")
        store("demo", figure.screenshot_as_base64)
        show(browser, page, "dark", WIDE)
        write(browser, "report-dark")
        screen(browser, terminal, Path(folder), "terminal-demo")
        screen(browser, stream_demo(), Path(folder), "terminal-stream-demo")
        operate(browser, Path(folder))


def stream_demo() -> Console:
    """Run the demo of a stream; the console has recorded what it said."""
    console = Console(record=True, file=StringIO(), width=100, highlight=False)
    console.print("[bold green]$[/] cutwatch demo --stream kinesis")
    present_stream(console, run_demo(fleet_of_machines(seed=7), PLANTED, lambda *_: None))
    return console


def demo(page: Path) -> Console:
    """Replay the demo; the console has recorded what it said."""
    data = active_users(seed=7)
    watched = detector(
        "active-users",
        namespace="VideoPlatform",
        period=300,
        metric="ActiveUsers",
        history_days=30,
        missing_data="anomalous",
    )
    progress = Console(record=True, file=StringIO(), width=100, highlight=False, soft_wrap=True)
    learned = default_training_time(data.series.start, data.series.end)
    result = replay_with_progress(progress, data.series, watched, learned)
    console = Console(record=True, file=StringIO(), width=100, highlight=False, soft_wrap=True)
    console.print("[bold green]$[/] cutwatch demo")
    console.print(progress.export_text().strip())
    planted = [(p.start, p.end, p.kind) for p in data.planted]
    with patch(
        "cutwatch_cli.replay.presentation.write_page", lambda made, _: write_page(made, page)
    ):
        present(console, data.series, watched, result, Path("build/demo/report.html"), planted)
    return console


def operate(browser: Browser, folder: Path) -> None:
    """What an operator sees of a fleet: its status and events in the terminal, and its page."""
    with shop() as running, account(running):
        console = Console(record=True, file=StringIO(), width=132, highlight=False)
        for words in (["status"], ["events", "--since", "8d"]):
            console.print(f"[bold green]$[/] cutwatch {' '.join(words)}")
            console.print(Text.from_ansi(run(*words)))
        screen(browser, console, folder, "terminal")
        page = folder / "fleet.html"
        run("report", "--since", "10d", "--output", str(page))
    show(browser, page, "light", FLEET)
    write(browser, "report-fleet")


@contextmanager
def shop() -> Iterator[Fleet]:
    """A fleet after a week with incidents; nobody reports what `imports` would watch."""
    names = [*INCIDENTS, "imports"]
    watched = [
        detector(name, engine="lambda", period=300, time_zone="Europe/Berlin") for name in names
    ]
    with fleet(watched) as running:
        for seed, (each, incidents) in enumerate(zip(watched, INCIDENTS.values(), strict=False)):
            values = usual(seed, period=300)
            for hours, datapoints, height in incidents:
                begins = FIRST_TRANSFORM - timedelta(hours=hours)
                first = int((begins - START).total_seconds()) // 300
                noise = np.random.default_rng(seed).normal(0, 3, datapoints)
                values[first : first + datapoints] = height + noise
            running.load(each, values)
        running.train()
        running.transform()
        yield running


@contextmanager
def account(running: Fleet) -> Iterator[None]:
    """Credentials that reach the local AWS alone."""
    variables = running.operators_environment() | {"FORCE_COLOR": "1"}
    with patch.dict(os.environ, variables):
        yield


def run(*words: str) -> str:
    """A command's output."""
    return CliRunner().invoke(app, list(words)).output.rstrip()


def show(
    browser: Browser, page: Path, scheme: Literal["light", "dark"], size: tuple[int, int]
) -> None:
    """Open a page, with those of its charts drawn that are in sight."""
    browser.resize(size)
    browser.prefer(scheme)
    browser.open(page)
    browser.until(
        "[...document.querySelectorAll('.chart')].every(chart => "
        "chart.getBoundingClientRect().top > innerHeight || chart.classList.contains('drawn'))"
    )


def screen(browser: Browser, console: Console, folder: Path, name: str) -> None:
    """What a console has recorded, as a terminal shows it."""
    picture = folder / f"{name}.svg"
    picture.write_text(console.export_svg(title="cutwatch", theme=MONOKAI, font_aspect_ratio=0.61))
    page = folder / f"{name}.html"
    page.write_text(
        f"<!doctype html><link rel=icon href=data:,><style>body{{margin:0}}</style><img src={name}.svg>"
    )
    browser.resize((1400, 1000))
    browser.open(page)
    browser.until("document.images[0].complete && document.images[0].width > 0")
    size: Sequence[int] = browser.run(
        "const image = document.images[0]; image.width = 1060; return [image.width, image.height]"
    )
    browser.resize((size[0], size[1]))
    write(browser, name)


def write(browser: Browser, name: str) -> None:
    """What is seen now."""
    store(name, browser.screenshot())


def store(name: str, picture: str) -> None:
    """A PNG that is given in base64."""
    path = IMAGES / f"{name}.png"
    path.write_bytes(b64decode(picture))
    typer.echo(f"{path.relative_to(PROJECT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
