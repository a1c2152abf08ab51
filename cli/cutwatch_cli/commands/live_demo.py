"""`cutwatch demo --live` on the terminal."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.wording import count
from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end
from cutwatch_cli.replay.demo_data import DemoData, PlantedAnomaly, active_users
from cutwatch_cli.replay.live_replay import LiveReplay, replay_live
from cutwatch_cli.replay.replay import ReplayError

_LIVE = timedelta(weeks=2)
_MINUTES = (1, 5, 15, 60)


@dataclass(frozen=True)
class _Findings:
    """Planted anomalies with the first event in each, None if there is none, and all other events."""

    planted: Sequence[tuple[PlantedAnomaly, AnomalyEvent | None]]
    others: Sequence[AnomalyEvent]


def show_live_demo(seed: int, minutes: int, *, as_json: bool) -> None:
    """Replay the demo's nine weeks, the last two live, and print what was found, when and how often."""
    if minutes not in _MINUTES:
        end(f"--live-minutes is {minutes}; expected 1, 5, 15 or 60", USAGE_ERROR)
    data = active_users(seed)
    detector = Detector(
        name="active-users",
        namespace="VideoPlatform",
        metric="ActiveUsers",
        statistic="Average",
        period=data.series.period_seconds,
        missing_data="anomalous",
        engine="lambda",
        live=True,
    )
    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    started = time.perf_counter()
    try:
        result = _replayed(console, data, detector, minutes)
    except ReplayError as error:
        end(str(error), FAILURE)
    findings = _compared(data, result)
    if as_json:
        print(json.dumps(_payload(findings, result)))  # noqa: T201 - the command's output
        return
    seconds = time.perf_counter() - started
    console.print(
        f"{count(result.live_runs, 'live run')} every {minutes} min of the local AWS's clock, in {seconds:.0f} s."
    )
    _print(console, findings, result)


def _replayed(console: Console, data: DemoData, detector: Detector, minutes: int) -> LiveReplay:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting the local AWS", total=None)

        def show(day: str, number: int, total: int) -> None:
            progress.update(task, description=day, completed=number, total=total)

        live_from = data.series.end - _LIVE
        return replay_live(data.series, detector, live_from, minutes, show)


def _compared(data: DemoData, result: LiveReplay) -> _Findings:
    found = [(planted, _first_in(planted, result.events)) for planted in data.planted]
    others = [
        event
        for event in result.events
        if not any(_overlaps(planted, event) for planted in data.planted)
    ]
    return _Findings(found, others)


def _first_in(planted: PlantedAnomaly, events: Sequence[AnomalyEvent]) -> AnomalyEvent | None:
    return next((event for event in events if _overlaps(planted, event)), None)


def _overlaps(planted: PlantedAnomaly, event: AnomalyEvent) -> bool:
    return event.begins < planted.end and planted.start < event.ends


def _payload(findings: _Findings, result: LiveReplay) -> dict[str, int | float | None]:
    return {
        "planted": len(findings.planted),
        "found": sum(event is not None for _, event in findings.planted),
        "other_events": len(findings.others),
        "told_twice": result.notified_twice,
        "p50_seconds": result.delay(50),
        "p95_seconds": result.delay(95),
    }


def _print(console: Console, findings: _Findings, result: LiveReplay) -> None:
    table = Table("planted", "from", "event", "notified by", box=None, pad_edge=False)
    for planted, event in findings.planted:
        where = ""
        if event:
            where = "live run" if event.id in result.notified_live else "transform"
        begins = f"{event.begins:%Y-%m-%d %H:%M}" if event else "missed"
        table.add_row(planted.kind, f"{planted.start:%Y-%m-%d %H:%M}", begins, where)
    console.print(table)
    found = sum(event is not None for _, event in findings.planted)
    console.print(
        f"Found {found} of {len(findings.planted)} planted anomalies; "
        f"{count(len(findings.others), 'other event')}; "
        f"{count(result.notified_twice, 'incident')} notified twice."
    )
    middle, late = result.delay(50), result.delay(95)
    if middle is not None and late is not None:
        console.print(
            f"From the end of a datapoint to the mail: {middle:.0f} s (p50), {late:.0f} s (p95), "
            f"{count(len(result.delays), 'mail')}."
        )
