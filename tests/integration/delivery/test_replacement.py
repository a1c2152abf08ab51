"""The end of incidents that a changed, renamed or removed stream left open, on moto."""

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
from cutwatch.delivery.replacement import replacement
from cutwatch.delivery.served_streams import ServedStreams
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.retirement import STILL_WRITTEN
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore, VersionedBucket
from tests.support.account import Account
from tests.support.delivering_functions import stream_settings
from tests.support.streams import a_stream, noise, records_of

OLD = a_stream()
ENTRY = """
detectors: []
streams:
  - name: {name}
    source: sensors
    record: {{key: id, time: at, time_format: seconds, values: {{x: x}}}}
"""
SINCE = STILL_WRITTEN + timedelta(seconds=1)

End = Callable[..., list[Any]]


@pytest.fixture
def now() -> datetime:
    """Return a time after which nobody writes any more what was written just now."""
    return datetime.now(UTC).replace(microsecond=0) + SINCE


@pytest.fixture
def end(account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> End:
    """Return a function that ends what a stream replaced, and returns the metrics that it wrote."""

    def ended(now: datetime, name: str = "sensors", declared: str = "sensors") -> list[Any]:
        (tmp_path / f"{declared}.yaml").write_text(ENTRY.format(name=declared))
        capsys.readouterr()
        errors = replacement(stream_settings(account, name, f"{declared}.yaml"), tmp_path).end(now, lambda: True)  # fmt: skip
        assert errors == []
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]  # fmt: skip
        return [(each["Stream"], each["Anomaly"], each["AnomalyScore"]) for each in lines]

    return ended


def incident_of(account: Account) -> IncidentChange:
    """Leave the state of the old configuration, with an open incident that was mailed, and return its beginning."""
    bucket, scorer = KeyBucket.empty(OLD, 0), StreamScorer(OLD)
    change = scorer.score(bucket, scorer.by_bucket(records_of([*noise(80), 90.0]))[0]).changes[0]
    bucket.outbox.clear()
    store = StateStore(Bucket(client("s3"), account.bucket), OLD)
    store.save(VersionedBucket(bucket, 0, None))
    incidents(account).record(OLD.name, change, datetime.now(UTC))
    incidents(account).mark(change.incident, frozenset({"began:high"}), mailed=True)
    return change


def incidents(account: Account) -> IncidentStore:
    return IncidentStore(Table(client("dynamodb"), account.table))


def test_a_changed_configuration_ends_the_incident_with_a_mail_an_event_and_metrics_of_zero(
    account: Account, end: End, now: datetime
) -> None:
    incident_of(account)

    assert end(now) == [("sensors", [0], [0])]
    assert end(now) == end(now + timedelta(hours=2)) == []
    [event] = account.on_bus()
    assert event["change"] == "ended"
    assert event["ended_because"].startswith("stream sensors has another configuration since, ")
    [(subject, text)] = account.messages()
    assert subject.startswith("Cutwatch over, high: sensors a: x at 90")
    assert f"  Ended     {event['ended_because']}" in text
    assert incidents(account).open(OLD.name) == []


def test_a_stream_that_is_no_longer_declared_ends_its_incidents(
    account: Account, end: End, now: datetime
) -> None:
    incident_of(account)

    assert end(now, declared="others") == [("sensors", [0], [0])]
    [event] = account.on_bus()
    assert event["ended_because"] == "stream sensors is no longer in others.yaml"


def test_a_renamed_stream_ends_the_incidents_of_its_name_before_once_nobody_writes_them(
    account: Account, end: End, now: datetime
) -> None:
    incident_of(account)
    ServedStreams(Table(client("dynamodb"), account.table)).record("cutwatch-sensors", OLD.name, now)  # fmt: skip

    assert end(now, "machines", "machines") == []
    assert end(now + STILL_WRITTEN, "machines", "machines") == []
    assert end(now + SINCE, "machines", "machines") == [("sensors", [0], [0])]
    assert end(now + 2 * SINCE, "machines", "machines") == []
    [event] = account.on_bus()
    assert event["ended_because"] == "stream sensors is now called machines"
    assert (event["stream"], event["change"]) == ("sensors", "ended")


def test_the_end_of_a_renamed_streams_incident_that_was_recorded_and_not_notified_is_notified(
    account: Account, end: End, now: datetime
) -> None:
    change = incident_of(account)
    reason = "stream sensors is now called machines"
    incidents(account).record(OLD.name, IncidentChange("ended", change.incident, reason), now)
    ServedStreams(Table(client("dynamodb"), account.table)).record("cutwatch-sensors", OLD.name, now)  # fmt: skip

    end(now, "machines", "machines")
    assert end(now + SINCE, "machines", "machines") == [("sensors", [0], [0])]
    assert end(now + 2 * SINCE, "machines", "machines") == []
    [event] = account.on_bus()
    assert (event["change"], event["ended_because"]) == ("ended", reason)
    assert len(account.messages()) == 1
    assert incidents(account).open(OLD.name) == []


def test_a_name_that_another_stack_serves_keeps_its_incidents(
    account: Account, end: End, now: datetime
) -> None:
    incident_of(account)
    served = ServedStreams(Table(client("dynamodb"), account.table))
    served.record("cutwatch-sensors", OLD.name, now)
    served.record("other-stack", OLD.name, now)
    end(now, "machines", "machines")

    assert end(now + SINCE, "machines", "machines") == []
    assert len(incidents(account).open(OLD.name)) == 1
