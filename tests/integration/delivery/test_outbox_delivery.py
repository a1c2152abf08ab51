"""Delivery of an outbox, on moto: the registry, the bus, the topics and the queues."""

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock, patch

import pytest

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.destinations import row_target
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.delivery.incidents import IncidentNotifier
from cutwatch.delivery.outbox_delivery import OutboxDelivery
from cutwatch.delivery.queues import QueueTarget
from cutwatch.errors import AccessDenied, AwsError, ServiceFault, Throttled
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.registry.silences import Silence
from cutwatch.streams.expectation import Expected
from cutwatch.streams.incidents import ChangeKind, ColumnFinding, Incident, IncidentChange
from cutwatch.streams.outbox import Notice, Outbox
from cutwatch.streams.record import DeadLetter, RawRecord, Reason, Rejected
from tests.support.account import Account
from tests.support.stack import REGION
from tests.support.streams import START, a_stream

NOW = datetime(2026, 11, 2, 4, 10, tzinfo=UTC)
STREAM = a_stream(mails_per_hour=3)
ROW = {"id": "sensors:a:0:7", "key": "a", "score": 1.25}


def an_incident(severity: float = 2.0, rows: int = 1, name: str = "sensors:1") -> Incident:
    columns = (
        ColumnFinding("x", 60.0, 3.0, "above", Expected(1.0, 0.5, 1.5)),
        ColumnFinding("y", 2.0, 1.0, "above", None),
    )
    return Incident(name, "a", START, START + 90.0, START + 30.0, rows, severity, 4.0, columns)


def a_change(kind: ChangeKind = "began", **incident: Any) -> IncidentChange:
    return IncidentChange(kind, an_incident(**incident))


@pytest.fixture
def delivery(account: Account) -> OutboxDelivery:
    table = Table(client("dynamodb"), account.table)
    sns, sqs = client("sns"), client("sqs")
    rejected = sqs.create_queue(QueueName="rejected.fifo", Attributes={"FifoQueue": "true"})
    rows = sqs.create_queue(QueueName="rows")
    notifier = IncidentNotifier(
        STREAM,
        StackPlace("cutwatch", REGION, "Cutwatch"),
        client("events"),
        sns,
        account.stack.arn("NotificationTopic"),
        IncidentStore(table),
        account.registry.silences,
        "medium",
    )
    return OutboxDelivery(
        STREAM.name,
        notifier,
        sns,
        account.stack.arn("OperationsTopic"),
        sqs,
        rejected["QueueUrl"],
        QueueTarget(sqs, lambda: rows["QueueUrl"]),
        lambda: NOW,
    )


def deliver(delivery: OutboxDelivery, *changes: IncidentChange) -> None:
    outbox = Outbox(changes=[*changes])
    delivery(outbox)
    assert not outbox


def received(name: str) -> list[Any]:
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(each["Body"]) for each in found]


def subjects(account: Account) -> list[str]:
    return [subject for subject, _ in account.messages()]


def test_an_incident_is_mailed_when_it_begins_becomes_more_severe_and_ends(
    account: Account, delivery: OutboxDelivery
) -> None:
    deliver(
        delivery,
        a_change("began", severity=1.6),
        a_change("escalated", severity=4.0, rows=3),
        a_change("ended", severity=4.0, rows=9),
    )

    assert subjects(account) == [
        "Cutwatch medium: sensors a: x at 60, expected 1",
        "Cutwatch now high: sensors a: x at 60, expected 1",
        "Cutwatch over, high: sensors a: x at 60, expected 1",
    ]
    assert [event["change"] for event in account.on_bus()] == ["began", "escalated", "ended"]


def test_a_mail_names_key_time_columns_and_the_command_that_silences(
    account: Account, delivery: OutboxDelivery
) -> None:
    deliver(delivery, a_change(severity=2.04))
    [(_, text)] = account.messages()

    assert text.splitlines() == [
        "sensors a: x at 60, expected 1 (severity: medium, 2.0 times the cutoff).",
        "",
        "  Stream    sensors, key a",
        "  Time      2026-05-28 20:26:40 UTC, so far 1 min 30 s, 1 anomalous row",
        "  Value     x 60; expected 1 (0.5 to 1.5); above, 75% of the score",
        "  Value     y 2; 25% of the score",
        "  Incident  sensors:1",
        f'  Silence   cutwatch silence sensors --for 1d --reason "..." --stack cutwatch --region {REGION}',
    ]
    assert account.attributes() == [
        {"kind": "incident", "severity": "medium", "stream": ["sensors"]}
    ]


def test_a_change_that_is_delivered_again_is_notified_once(
    account: Account, delivery: OutboxDelivery
) -> None:
    for _ in range(3):
        deliver(delivery, a_change(), a_change("ended", rows=4))

    assert len(account.bus) == len(account.messages()) == 2


def test_an_older_change_does_not_overwrite_a_later_one(delivery: OutboxDelivery) -> None:
    deliver(delivery, a_change(), a_change("ended", rows=4, severity=3.5))
    deliver(delivery, a_change())

    began = datetime.fromtimestamp(START, UTC)
    [recorded] = delivery.notifier.incidents.between(began, began)
    assert (recorded.incident.rows, recorded.incident.severity, recorded.ended) == (4, 3.5, True)


def test_an_incident_that_is_not_severe_enough_is_not_mailed_until_it_is(
    account: Account, delivery: OutboxDelivery
) -> None:
    deliver(delivery, a_change(severity=1.2), a_change("ended", severity=1.2, rows=2))
    assert account.messages() == []
    assert len(account.bus) == 2

    deliver(
        delivery,
        a_change(severity=1.2, name="sensors:2"),
        a_change("escalated", severity=1.6, rows=2, name="sensors:2"),
    )
    assert subjects(account) == ["Cutwatch now medium: sensors a: x at 60, expected 1"]


def test_a_silenced_stream_is_not_mailed_and_its_events_say_so(
    account: Account, delivery: OutboxDelivery
) -> None:
    silence = Silence("sensors", NOW, NOW + timedelta(hours=1), "maintenance")
    account.registry.silences.record(silence)
    deliver(delivery, a_change())

    assert account.messages() == []
    assert [event["silenced"] for event in account.on_bus()] == [True]


def test_mails_are_capped_by_the_hour_and_the_last_one_says_so(
    account: Account, delivery: OutboxDelivery
) -> None:
    changes = [a_change(name=f"sensors:{number}") for number in range(5)]
    deliver(delivery, *changes)

    assert len(account.messages()) == 3
    assert len(account.bus) == 5
    texts = [text for _, text in account.messages()]
    assert [text.endswith("This is the last of 3 emails in this hour; all incidents: cutwatch events sensors --stack cutwatch --region us-east-1") for text in texts] == [False, False, True]  # fmt: skip

    next_hour = replace(delivery, clock=lambda: NOW + timedelta(hours=1))
    deliver(next_hour, a_change(name="sensors:9"))
    assert len(account.messages()) == 4


@pytest.mark.parametrize(("channel", "mails", "events"), [("events", 2, 0), ("sns", 0, 2)])
def test_a_channel_that_fails_stops_neither_the_other_one_nor_other_incidents(
    account: Account, delivery: OutboxDelivery, channel: str, mails: int, events: int
) -> None:
    changes = [a_change(), a_change(name="sensors:2")]
    outbox = Outbox(changes=[*changes])
    broken = Mock()
    refusal = AccessDenied("Publish", "AccessDenied", "no")
    broken.publish.side_effect = broken.put_events.side_effect = refusal
    field = {"events": "eventbridge", "sns": "sns"}[channel]
    refused = replace(delivery, notifier=replace(delivery.notifier, **{field: broken}))
    for _ in range(4):
        with pytest.raises(AccessDenied):
            refused(outbox)
    assert len(broken.mock_calls) == 4, "it would fail for every other change, too"
    assert (len(account.messages()), len(account.bus)) == (mails, events)
    assert outbox.changes == changes

    deliver(delivery, *changes, a_change("ended", rows=4))
    assert (len(account.messages()), len(account.bus)) == (3, 3)
    assert [event["change"] for event in account.on_bus()] == ["began", "began", "ended"]


def test_a_target_queue_that_is_gone_keeps_its_rows_and_nothing_else(
    account: Account, delivery: OutboxDelivery
) -> None:
    gone = replace(delivery, target=row_target(f"arn:aws:sqs:{REGION}:123456789012:gone"))
    outbox = Outbox(changes=[a_change()], rows=[ROW])
    with pytest.raises(AwsError, match="GetQueueUrl"):
        gone(outbox)
    assert (outbox.changes, outbox.rows) == ([], [ROW])
    assert len(account.messages()) == 1


def test_a_rejected_record_is_kept_with_its_reason_and_its_content(
    delivery: OutboxDelivery,
) -> None:
    letter = DeadLetter(
        Rejected(Reason.NOT_JSON, "the record is not a JSON text", "shard-1", 7),
        RawRecord(b"\xffrubbish", "shard-1", 7, START, "p-17"),
    )
    for _ in range(2):
        delivery(Outbox(rejected=[letter]))
    [message] = received("rejected.fifo")

    assert b64decode(message.pop("data")) == b"\xffrubbish"
    assert message == {
        "stream": "sensors",
        "reason": "not JSON",
        "detail": "the record is not a JSON text",
        "shard": "shard-1",
        "sequence_number": "7",
        "partition_key": "p-17",
        "arrived": "2026-05-28T20:26:40Z",
        "bytes": 8,
    }


def test_a_rejected_record_that_no_message_can_hold_is_kept_without_its_content(
    delivery: OutboxDelivery,
) -> None:
    raw = RawRecord(bytes(900_000), "shard-1", 7, START)
    rejected = Rejected(Reason.NOT_JSON, "the record is not a JSON text", "shard-1", 7)
    delivery(Outbox(rejected=[DeadLetter(rejected, raw)]))
    [message] = received("rejected.fifo")

    assert message["bytes"] == 900_000
    assert "data" not in message


def test_operators_are_notified_of_a_notice_once(
    account: Account, delivery: OutboxDelivery
) -> None:
    for _ in range(2):
        delivery(Outbox(notices=[Notice("1", "state reset", "the state is damaged")]))
    assert account.operations_messages() == [
        ("Cutwatch: stream sensors, state reset", "Stream sensors, state reset: the state is damaged")
    ]  # fmt: skip


def test_scored_rows_are_sent_to_the_target(delivery: OutboxDelivery) -> None:
    delivery(Outbox(rows=[ROW] * 3))
    assert received("rows") == [ROW] * 3


def test_rows_without_a_target_are_dropped(delivery: OutboxDelivery) -> None:
    outbox = Outbox(rows=[ROW])
    replace(delivery, target=None)(outbox)
    assert not outbox


@pytest.mark.parametrize("failing", ["events", "sns", "sqs"])
def test_a_failing_destination_does_not_stop_the_others_and_keeps_its_part(
    account: Account, delivery: OutboxDelivery, failing: str
) -> None:
    raw = RawRecord(b"{}", "shard-1", 7, START)
    rejected = Rejected(Reason.MISSING_FIELD, "time is missing", "shard-1", 7)
    outbox = Outbox([a_change()], [DeadLetter(rejected, raw)], [ROW], [])

    def fault(*_: Any, **__: Any) -> None:
        raise ServiceFault("Any", "InternalError", "try again")

    with (
        patch.object(client(failing), "_make_api_call", fault),
        pytest.raises(ServiceFault),
    ):
        delivery(outbox)
    left = (len(outbox.changes), len(outbox.rejected), len(outbox.rows))
    assert left == ((0, 1, 1) if failing == "sqs" else (1, 0, 0))

    delivery(outbox)
    assert not outbox
    assert len(received("rejected.fifo")) == len(received("rows")) == 1
    assert {event["id"] for event in account.on_bus()} == {"sensors:1"}
    assert len(account.messages()) == 1


def test_what_a_queue_refuses_is_sent_again(delivery: OutboxDelivery) -> None:
    answers: list[dict[str, Any]] = [
        {"Failed": [{"Id": "1", "SenderFault": False, "Code": "InternalError"}]},
        {},
    ]
    sent: list[Sequence[Any]] = []

    class Refusing:
        def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803
            assert QueueUrl
            sent.append([each["Id"] for each in Entries])
            return answers.pop(0)

    refusing: Any = Refusing()
    with patch("cutwatch.delivery.queues.sleep"):
        QueueTarget(refusing, lambda: "url").put([ROW] * 3)
    assert sent == [["0", "1", "2"], ["1"]]


def test_rows_that_a_throttling_target_took_do_not_come_again(delivery: OutboxDelivery) -> None:
    class Target:
        def __init__(self) -> None:
            self.taken: list[int] = []
            self.room = 700

        def put(self, rows: Sequence[Any]) -> None:
            if len(rows) > self.room:
                raise Throttled("PutRecords", "ProvisionedThroughputExceededException", "full")
            self.room -= len(rows)
            self.taken += [row["n"] for row in rows]

    target = Target()
    outbox = Outbox(rows=[{"n": n} for n in range(1_200)])
    with pytest.raises(Throttled):
        replace(delivery, target=target)(outbox)
    assert len(outbox.rows) == 700
    target.room = 700
    replace(delivery, target=target)(outbox)
    assert target.taken == list(range(1_200))
