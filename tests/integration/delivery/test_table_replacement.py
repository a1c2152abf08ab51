"""The end of incidents that changed, removed or renamed forests of a table left open, on moto."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.delivery.served_streams import ServedStreams
from cutwatch.delivery.table_replacement import table_replacement
from cutwatch.streams.retirement import STILL_WRITTEN
from cutwatch.tables.forest_scoring import ForestTableScorer
from cutwatch.tables.forest_state import ForestStateStore
from tests.support.account import Account
from tests.support.delivering_functions import table_settings
from tests.support.table_forests import forest_table, rides
from tests.support.watched_tables import Watching, changes, stream_record

OLD = forest_table()
ENTRY = """
detectors: []
tables:
  - {{name: {name}, source: rides, values: {{count: ridecount}}, engine: {engine}}}
"""
SINCE = STILL_WRITTEN + timedelta(seconds=1)

End = Callable[..., list[Any]]


@pytest.fixture
def now() -> datetime:
    """Return a time after which nobody writes any more what was written just now."""
    return datetime.now(UTC).replace(microsecond=0) + SINCE


@pytest.fixture
def end(account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> End:
    """Return a function that ends what a table's forests left, and returns the metrics that it wrote."""

    def ended(
        now: datetime, name: str = "taxi", declared: str = "taxi", engine: str = "forest"
    ) -> list[Any]:
        file = f"{declared}-{engine}.yaml"
        (tmp_path / file).write_text(ENTRY.format(name=declared, engine=engine))
        capsys.readouterr()
        replacement = table_replacement(table_settings(account, name, file), tmp_path)
        assert replacement.end(now, lambda: True) == []
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]  # fmt: skip
        return [(each["Table"], each["Anomaly"], each["AnomalyScore"]) for each in lines]

    return ended


@pytest.fixture(autouse=True)
def _open_incident(account: Account) -> None:
    """Leave forests of the old configuration with an open incident that was recorded and mailed."""
    store = ForestStateStore(Bucket(client("s3"), account.bucket), OLD.as_stream, OLD)
    incidents = IncidentStore(Table(client("dynamodb"), account.table))

    def record(outbox: Any) -> None:
        for change in outbox.changes:
            incidents.record(OLD.name, change, datetime.now(UTC))
            tag = f"{change.kind}:{change.incident.severity_word}"
            incidents.mark(change.incident, frozenset({tag}), mailed=True)
        outbox.clear()

    ForestTableScorer.of(OLD, store, record).score(changes(*rides(101, high_at=100)))
    assert len(incidents.open(OLD.name)) == 1


@pytest.mark.parametrize(
    ("declared", "engine", "reason"),
    [
        ("taxi", "forest", "table taxi has another configuration since, "),
        ("taxi", "endpoint", "table taxi no longer has engine: forest"),
        ("others", "forest", "table taxi is no longer in others-forest.yaml"),
    ],
)
def test_replaced_or_removed_forests_end_the_incident_once_with_a_mail_an_event_and_metrics(
    account: Account, end: End, now: datetime, declared: str, engine: str, reason: str
) -> None:
    assert end(now, "taxi", declared, engine) == [("taxi", [0], [0])]
    assert end(now + timedelta(hours=2), "taxi", declared, engine) == []
    [event] = account.on_bus()
    assert (event["change"], event["ended_because"][: len(reason)]) == ("ended", reason)
    [(subject, text)] = account.messages()
    assert subject.startswith("Cutwatch over, medium: taxi")
    assert f"  Ended     {event['ended_because']}" in text
    assert "  Table     taxi" in text


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("taxi", "table taxi no longer has engine: endpoint"),
        ("others", "table taxi is no longer in others-forest.yaml"),
    ],
)
def test_forests_in_place_of_an_endpoint_end_its_incident_once(
    account: Account, end: End, now: datetime, declared: str, reason: str
) -> None:
    end(now, "taxi", "others")
    before = len(account.on_bus())
    watching = Watching()
    watching.score(stream_record(9.0, 1))
    content = watching.bucket.read_bytes("tables/taxi/state")
    client("s3").put_object(Bucket=account.bucket, Key="tables/taxi/state", Body=content)
    later = now + timedelta(hours=2)
    assert end(later, "taxi", declared) == [("taxi", [0], [0])]
    assert end(later + timedelta(hours=2), "taxi", declared) == []
    [event] = account.on_bus()[before:]
    assert (event["change"], event["ended_because"]) == ("ended", reason)


def test_a_renamed_table_ends_the_incidents_of_its_name_before(
    account: Account, end: End, now: datetime
) -> None:
    ServedStreams(Table(client("dynamodb"), account.table)).record("cutwatch-taxi", OLD.name, now)
    assert end(now, "cabs", "cabs") == []
    assert end(now + SINCE, "cabs", "cabs") == [("taxi", [0], [0])]
    assert end(now + 2 * SINCE, "cabs", "cabs") == []
    [event] = account.on_bus()
    assert event["ended_because"] == "table taxi is now called cabs"
