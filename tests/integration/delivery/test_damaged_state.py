"""The end of incidents whose stored state is damaged, by the functions as they are deployed, on moto."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.delivery.stream_function import stream_function
from cutwatch.delivery.table_function import table_scorer
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.streams.batch import BatchReport
from cutwatch.streams.incidents import (
    STATE_WAS_DAMAGED,
    Anomaly,
    ColumnFinding,
    IncidentChange,
    begin,
)
from tests.support.account import Account
from tests.support.delivering_functions import stream_settings, table_settings
from tests.support.streams import START

DETECTORS = """
detectors: []
streams:
  - {name: sensors, source: sensors, record: {key: id, time: at, time_format: seconds, values: {x: x}}}
tables:
  - {name: forests, source: rides, values: {count: ridecount}, engine: forest}
  - {name: endpoints, source: rides, values: {count: ridecount}}
"""
FILE = "detectors.yaml"

Sweeper = Callable[[Account, Path], Callable[[datetime], BatchReport]]


def stream(account: Account, folder: Path) -> Callable[[datetime], BatchReport]:
    return stream_function(stream_settings(account, "sensors", FILE), folder).sweep.run


def forests(account: Account, folder: Path) -> Callable[[datetime], BatchReport]:
    scorer = table_scorer(table_settings(account, "forests", FILE), folder)
    return lambda now: scorer.close_silent(now, lambda: True).report


def endpoint(account: Account, folder: Path) -> Callable[[datetime], BatchReport]:
    settings = replace(table_settings(account, "endpoints", FILE), endpoint_name="endpoints")
    scorer = table_scorer(settings, folder)
    return lambda now: scorer.close_silent(now, lambda: True).report


@pytest.mark.parametrize(
    ("name", "sweeper", "damaged"),
    [
        ("sensors", stream, "streams/sensors/{fingerprint}/0000"),
        ("forests", forests, "tables/forests/forests/{fingerprint}/0000"),
        ("endpoints", endpoint, "tables/endpoints/state"),
    ],
)
def test_an_open_incident_ends_once_with_a_mail_and_an_event_that_have_the_reason(
    account: Account, tmp_path: Path, name: str, sweeper: Sweeper, damaged: str
) -> None:
    (tmp_path / FILE).write_text(DETECTORS)
    now = datetime.now(UTC)
    incidents = IncidentStore(Table(client("dynamodb"), account.table))
    column = ColumnFinding("x", 60.0, 4.0, "above", None)
    opened = begin(name, Anomaly("a", START, 3.5, 4.0, ("0", 7), (column,)))
    incidents.record(name, IncidentChange("began", opened), now)
    incidents.mark(opened, frozenset({"began:high"}), mailed=True)
    sweep = sweeper(account, tmp_path)
    key = damaged.format(fingerprint=fingerprint(tmp_path, name))
    Bucket(client("s3"), account.bucket).write_bytes(key, b"damaged")

    for _ in range(2):
        report = sweep(now)
        assert (report.errors, report.undelivered) == ([], [])

    [event] = account.on_bus()
    assert (event["change"], event["ended_because"]) == ("ended", STATE_WAS_DAMAGED)
    [ended] = [text for subject, text in account.messages() if subject.startswith("Cutwatch over")]
    assert f"  Ended     {STATE_WAS_DAMAGED}" in ended
    assert incidents.open(name) == []


def fingerprint(folder: Path, name: str) -> str:
    """Return the fingerprint of the forests' configuration."""
    declared = load_configuration(folder / FILE)
    found = declared.streams[0] if name == "sensors" else declared.table(name).as_stream
    return found.fingerprint
