"""The screen of `cutwatch watch`."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.live.evaluation import Newest
from cutwatch.registry.event_record import RecordedEvent
from cutwatch_cli.stacks.live_detectors import LiveDetector
from cutwatch_cli.stacks.live_screen import live_screen
from tests.support.builders import NOON

EVENT = AnomalyEvent(
    "m-checkout:2026-11-02T11:30:00Z",
    "2026-11-02T11:30:00Z",
    "2026-11-02T11:50:00Z",
    "2026-11-02T11:40:00Z",
    5,
    3.2,
    period_seconds=300,
)
NEWEST = Newest("2026-11-02T11:50:00Z", 912.4, 3.2, 100.0, 90.0, 110.0)
CALM = LiveDetector("a", NOON - timedelta(minutes=5), NEWEST, None, None, timedelta(minutes=5))
INCIDENT = replace(CALM, name="m-checkout", incident=EVENT)
BROKEN = replace(CALM, name="z-orders", problem="AccessDenied: no")
RECORDED = [RecordedEvent("m-checkout", EVENT, "live")]


def shown(
    *detectors: LiveDetector,
    width: int = 100,
    lines: int | None = None,
    events: list[RecordedEvent] | None = None,
) -> list[str]:
    console = Console(file=StringIO(), width=width, highlight=False, markup=False)
    found = {each.name: each for each in detectors}
    console.print(
        live_screen("cutwatch", NOON, found, RECORDED if events is None else events, lines)
    )
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_incidents_come_first_then_problems_and_each_says_how_it_is() -> None:
    lines = shown(CALM, BROKEN, INCIDENT)
    assert lines[0] == "cutwatch, 2026-11-02 12:00:00 UTC: 3 live detectors, 1 incident now"
    names = [line.split()[0] for line in lines[3:6]]
    assert names == ["m-checkout", "z-orders", "a"]
    assert "high since 11-02 11:30" in lines[3]
    assert "912.4 (expected 100)" in lines[3]
    assert "live: AccessDenied: no" in lines[4]
    assert lines[-1].split() == ["m-checkout", "11-02", "11:30", "now", "high,", "3.2", "times", "the", "cutoff"]  # fmt: skip


def test_without_incidents_the_screen_says_so() -> None:
    assert shown(CALM, events=[])[-1] == "No incidents in the last day."


def test_detectors_that_do_not_fit_into_the_terminal_are_counted() -> None:
    many = [replace(CALM, name=f"a{number:03d}") for number in range(300)]
    lines = shown(*many, INCIDENT, lines=24)
    assert len(lines) <= 24
    assert lines[3].startswith("m-checkout")
    assert any(line.startswith("and 286 more detectors: cutwatch status") for line in lines)
    assert lines[-1].startswith("m-checkout")


@pytest.mark.parametrize("width", [30, 50, 80])
def test_a_narrow_terminal_keeps_detector_and_incident(width: int) -> None:
    lines = shown(CALM, INCIDENT, width=width)
    assert all(len(line) <= width for line in lines)
    row = next(line for line in lines if line.startswith("m-checkout"))
    assert "high" in row
