"""What the demo of a Kafka topic sends, and how it compares that with states, reports and incidents."""

from datetime import timedelta

import pytest

from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch.streams.incidents import Incident
from cutwatch.streams.key_bucket import Totals
from cutwatch_cli.access_logs.demo_log import START, STEP, shop_log
from cutwatch_cli.access_logs.faults import Fault
from cutwatch_cli.access_logs.kafka_outcome import KafkaDemo, StreamCounts

BEGIN = START.timestamp()
BURST = Fault("error burst", BEGIN + 600, BEGIN + 1_200)
SHIFT = Fault("level shift", BEGIN + 3_000, BEGIN + 9_000)


def an_incident(after: float) -> RecordedIncident:
    time = BEGIN + after
    return RecordedIncident(
        "shop", Incident(f"shop:{after}", "", time, time, time, 1, 2.0, 3.0, ())
    )


def a_report(records: int, late: int = 0, rejected: int = 0) -> dict[str, object]:
    return {"total": {"records": records}, "late": late, "rejected": {"not JSON": rejected}}


def test_a_log_has_a_list_of_requests_for_each_minute_that_has_any() -> None:
    log = shop_log(seed=7, history=timedelta(hours=1), live=timedelta(hours=2))
    minutes = [int((each[0].time - BEGIN) // STEP.total_seconds()) for each in log.live]
    assert minutes == sorted({*minutes})
    for requests in log.live:
        assert requests[-1].time - requests[0].time < STEP.total_seconds()
    [silence] = [each for each in log.planted if each.kind == "silence"]
    assert not any(silence.is_active(each.time) for step in log.live for each in step)
    assert log.history[-1].time < BEGIN


@pytest.mark.parametrize(
    ("after", "found"), [(539, 0), (541, 1), (1_199, 1), (1_259, 1), (1_261, 0)]
)
def test_an_incident_belongs_to_a_fault_from_the_minute_before_to_the_minute_after(
    after: float, found: int
) -> None:
    demo = KafkaDemo([BURST], [an_incident(after)])
    assert (len(demo.found), len(demo.others)) == (found, 1 - found)


def test_a_lasting_shift_is_found_while_it_is_news() -> None:
    demo = KafkaDemo([BURST, SHIFT], [an_incident(3_100), an_incident(4_200)])
    assert [*demo.found] == [1]
    assert [each.incident.id for each in demo.others] == ["shop:4200"]


@pytest.mark.parametrize(
    ("totals", "reports", "lost", "doubled"),
    [
        (Totals(accepted=96, late=1, rejected=3), [a_report(60), a_report(36, 1, 3)], 0, 0),
        (Totals(accepted=95, late=1, rejected=3), [a_report(96, 1, 3)], 1, 0),
        (Totals(accepted=96, late=1, rejected=3), [a_report(90, 1, 3)], 6, 0),
        (Totals(accepted=96, late=1, rejected=3), [a_report(98, 1, 3)], 0, 2),
        (Totals(accepted=99, late=1, rejected=3), [a_report(96, 1, 3)], 0, 3),
    ],
)
def test_states_and_reports_both_have_every_record_once(
    totals: Totals, reports: list[dict[str, object]], lost: int, doubled: int
) -> None:
    counts = StreamCounts.of(totals, reports)
    assert (counts.lost(100), counts.doubled(100)) == (lost, doubled)


def test_an_alarm_that_was_not_mailed_was_not_seen() -> None:
    assert KafkaDemo([], [], alarms=1, alarm_mails=1).to_payload()["alarm"] is True
    assert KafkaDemo([], [], alarms=1).to_payload()["alarm"] is False
    assert KafkaDemo([], []).to_payload()["alarm"] is False
