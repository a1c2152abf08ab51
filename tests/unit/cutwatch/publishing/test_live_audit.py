"""A transform and live detection notify each incident once, whoever finds it first."""

from dataclasses import replace
from typing import Any

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.publishing.live_audit import LiveAudit
from cutwatch.registry.incident_claims import LIVE, PEOPLE_BEGAN, IncidentClaimStore
from cutwatch.registry.outcome import Outcome
from tests.support.builders import NOON, a_detector, a_run
from tests.support.live_account import FakeTable

EVENT = AnomalyEvent(
    "orders:2026-11-02T10:00:00Z",
    "2026-11-02T10:00:00Z",
    "2026-11-02T10:10:00Z",
    "2026-11-02T10:05:00Z",
    3,
    2.0,
    period_seconds=300,
)
LATER = replace(
    EVENT,
    id="orders:2026-11-02T11:00:00Z",
    start="2026-11-02T11:00:00Z",
    end="2026-11-02T11:10:00Z",
)
DETECTOR = a_detector(engine="lambda", live=True)


@pytest.fixture
def claims() -> IncidentClaimStore:
    table: Any = FakeTable()
    return IncidentClaimStore(table)


def notified_live(claims: IncidentClaimStore) -> None:
    claim = claims.claim("orders", EVENT, "medium", LIVE, NOON)
    claims.mark("orders", replace(claim, notified=frozenset(("bus:began", PEOPLE_BEGAN))))


def audited(claims: IncidentClaimStore, *events: AnomalyEvent, detector: Any = DETECTOR) -> Outcome:
    audit = LiveAudit(claims, a_run(), NOON)
    outcome = Outcome(
        "orders",
        "PUBLISHED",
        "found",
        new_events=len(events),
        events=events,
        definition=detector.to_payload() if events else None,
    )
    return audit.claim(outcome, audit.known(detector, events))


def test_what_live_detection_notified_is_counted_and_not_notified(
    claims: IncidentClaimStore,
) -> None:
    notified_live(claims)
    outcome = audited(claims, EVENT, LATER)

    assert outcome.events == (LATER,)
    assert (outcome.live_notified, outcome.live_missed) == (1, 1)
    assert outcome.message == ("found; live runs notified 1 incident; live runs missed 1 incident")
    assert audited(claims, EVENT, LATER) == outcome


def test_what_is_more_severe_by_now_is_notified_again(claims: IncidentClaimStore) -> None:
    notified_live(claims)
    worse = replace(EVENT, severity=3.5)
    assert audited(claims, worse).events == (worse,)
    assert audited(claims, worse).events == (worse,)
    [claim] = claims.between("orders", EVENT.begins, EVENT.ends)
    assert (claim.owner, claim.severity) == (LIVE, "high")


def test_a_transform_claims_what_live_detection_missed(claims: IncidentClaimStore) -> None:
    assert audited(claims, EVENT).events == (EVENT,)
    claim = claims.claim("orders", EVENT, "medium", LIVE, NOON)
    assert claim.owner == a_run().id


def test_detectors_that_are_not_live_are_left_alone(claims: IncidentClaimStore) -> None:
    outcome = audited(claims, EVENT, detector=a_detector())
    assert (outcome.events, outcome.live_notified) == ((EVENT,), None)
    assert claims.between("orders", EVENT.begins, EVENT.ends) == []


def test_a_detector_that_was_live_until_lately_is_not_notified_twice(
    claims: IncidentClaimStore,
) -> None:
    notified_live(claims)
    assert audited(claims, EVENT, detector=a_detector()).events == ()


def test_an_incident_that_live_detection_has_not_notified_people_of_is_the_transforms(
    claims: IncidentClaimStore,
) -> None:
    claim = claims.claim("orders", EVENT, "medium", LIVE, NOON)
    claims.mark("orders", replace(claim, notified=frozenset(("bus:began",))))
    outcome = audited(claims, EVENT)
    assert (outcome.events, outcome.live_missed) == ((EVENT,), 1)
    assert claims.claim("orders", EVENT, "medium", LIVE, NOON).owner == a_run().id


def test_an_incident_of_a_transform_that_failed_is_the_next_ones(
    claims: IncidentClaimStore,
) -> None:
    claims.claim("orders", EVENT, "medium", "transform-20261101T120000Z", NOON)
    assert audited(claims, EVENT).events == (EVENT,)
