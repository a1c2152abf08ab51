"""What topics carry beside good log records: counted, explained, nothing lost, nothing told twice."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from cutwatch.features.log_event import LogEvent
from cutwatch.reports.hour_report import HourReport
from cutwatch.streams.batch import BatchReport, BatchScorer
from cutwatch.streams.decoding import CLOCK_SKEW_SECONDS
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.trained_model import TrainedModel
from tests.support.kafka_logs import LANE, STREAM, a_training, log_line, raw_records
from tests.support.log_events import MONDAY, an_event, ordinary_events
from tests.support.stream_state import FakeBucket

HOUR = MONDAY + 7_200
TRAFFIC = [each._replace(time=each.time + 7_200) for each in ordinary_events(120, seed=3)]
NEXT = TRAFFIC[-1].time + 1


@dataclass
class Topic:
    """A topic after two minutes of ordinary traffic; what was delivered of it."""

    changes: list[IncidentChange] = field(default_factory=list)
    letters: Counter[str] = field(default_factory=Counter)
    report: HourReport = field(default_factory=lambda: HourReport("shop", HOUR))
    bucket: FakeBucket = field(default_factory=FakeBucket)

    def __post_init__(self) -> None:
        scorer = StreamScorer(STREAM, trained=TrainedModel.of(STREAM, a_training().fitted))
        store = StateStore(self.bucket, STREAM)
        self.batches = BatchScorer(scorer, store, self.deliver, keeps_summaries=True)
        self.send(raw_records(TRAFFIC))
        self.before = self.report.total.anomalies

    def deliver(self, outbox: Outbox) -> None:
        self.changes += outbox.changes
        self.letters.update(f"{each.raw.lane}:{each.raw.position}" for each in outbox.rejected)
        for each in outbox.summaries:
            self.report.add(json.loads(json.dumps(each)))
        outbox.clear()

    def send(self, records: list[RawRecord]) -> BatchReport:
        report = self.batches.score(records)
        assert not report.failed
        assert not report.errors
        return report

    def log(self, *events: LogEvent, first: int = len(TRAFFIC)) -> BatchReport:
        return self.send(raw_records(events, first))

    def raw(self, *contents: bytes, arrival: float = NEXT) -> BatchReport:
        first = len(TRAFFIC)
        return self.send([RawRecord(each, LANE, first + n, arrival) for n, each in enumerate(contents)])  # fmt: skip

    @property
    def reasons(self) -> list[str]:
        [*_, peak] = [each.incident for each in self.changes if each.kind != "ended"]
        return [*peak.reasons]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"Traceback (most recent call last):", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "missing field"),
        (b'{"at": 1}', "missing field"),
        (log_line(an_event(time=NEXT), seconds="fast"), "not a number"),
        (log_line(an_event(time=NEXT), seconds=-1), "negative"),
        (log_line(an_event(time=NEXT), status=9_000), "not a status"),
        (log_line(an_event(time=NEXT), method=["GET"]), "not text"),
        (log_line(an_event(time=NEXT), at="yesterday"), "not a time"),
        (log_line(an_event(time=NEXT + 90_000)), "in the future"),
    ],
    ids=["empty", "a trace", "no text", "nested", "no object", "no part", "a word for a time", "negative", "a status of nobody", "a list", "no time", "a clock ahead"],
)  # fmt: skip
def test_what_is_not_a_log_record_is_counted_and_kept_once_with_its_reason(
    content: bytes, reason: str
) -> None:
    topic = Topic()
    for _ in range(2):
        topic.raw(content)
    assert topic.report.rejected == {reason: 1}
    assert topic.letters == {f"{LANE}:{len(TRAFFIC)}": 1}
    assert topic.report.total.records == len(TRAFFIC)


def test_a_schema_that_changed_rejects_its_records_and_no_others() -> None:
    topic = Topic()
    renamed = json.dumps({"timestamp": NEXT, "verb": "GET", "uri": "/cart"}).encode()
    topic.raw(*[renamed] * 3, log_line(an_event(time=NEXT)))
    assert topic.report.rejected == {"missing field": 3}
    assert topic.report.total.records == len(TRAFFIC) + 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"method": "PROPFIND"}, "PROPFIND"),
        ({"level": "CATASTROPHE"}, "CATASTROPHE"),
        ({"path": "/wp-admin/setup.php"}, "/wp-admin/setup.php"),
        ({"status": 507}, "5xx"),
    ],
)
def test_what_training_never_saw_is_the_rarest_and_named(
    fields: dict[str, Any], words: str
) -> None:
    topic = Topic()
    topic.log(an_event(time=NEXT, **fields))
    assert topic.report.total.anomalies == topic.before + 1
    assert any(words in each for each in topic.reasons), topic.reasons


def test_a_clock_that_jumps_back_is_counted_as_late_and_not_learned() -> None:
    topic = Topic()
    report = topic.log(an_event(time=NEXT - 3_600), an_event(time=NEXT))
    assert (report.total("late"), report.total("accepted")) == (1, 1)
    assert (topic.report.late, topic.report.total.records) == (1, len(TRAFFIC) + 1)


def test_a_clock_that_jumps_back_for_good_is_late_until_it_has_caught_up() -> None:
    topic = Topic()
    behind = [an_event(time=NEXT - 60 + n) for n in range(62)]
    report = topic.log(*behind)
    assert report.total("late") + report.total("accepted") == 62
    assert report.total("accepted") >= 2


def test_a_clock_that_jumps_ahead_and_back_costs_its_skew_at_most_and_every_record_is_counted() -> (
    None
):
    topic = Topic()
    ahead = [
        *raw_records([an_event(time=NEXT + CLOCK_SKEW_SECONDS)], len(TRAFFIC)),
        *raw_records((an_event(time=NEXT + n) for n in range(1, 400)), len(TRAFFIC) + 1),
    ]
    report = topic.send([ahead[0]._replace(arrival=NEXT), *ahead[1:]])
    assert report.total("late") + report.total("accepted") == 400
    assert 0 < report.total("late") <= CLOCK_SKEW_SECONDS
    assert topic.report.late == report.total("late")
    assert topic.report.total.records == len(TRAFFIC) + report.total("accepted")


def test_offsets_that_come_again_are_duplicates_and_nothing_is_told_twice() -> None:
    topic = Topic()
    slow = an_event(time=NEXT, method="POST", response_time=30.0)
    topic.log(slow)
    told, counted = len(topic.changes), topic.report.total.records
    again = topic.send([*raw_records(TRAFFIC), *raw_records([slow], len(TRAFFIC))])
    assert again.total("duplicates") == len(TRAFFIC) + 1
    assert (len(topic.changes), topic.report.total.records) == (told, counted)


def test_an_offset_twice_in_one_batch_is_applied_once() -> None:
    topic = Topic()
    record = raw_records([an_event(time=NEXT)], len(TRAFFIC))
    report = topic.send(record * 2)
    assert (report.total("accepted"), report.total("duplicates")) == (1, 1)


def test_a_partition_that_is_added_begins_at_its_own_first_offset() -> None:
    topic = Topic()
    added = [each._replace(lane="shop-access-7") for each in raw_records([an_event(time=NEXT)], 0)]
    assert topic.send(added).total("accepted") == 1
    assert topic.send(added).total("duplicates") == 1


def test_topics_with_partitions_and_offsets_of_the_same_number_do_not_collide() -> None:
    topic = Topic()
    position = len(TRAFFIC)
    one = raw_records([an_event(time=NEXT)], position)
    other = [each._replace(lane="shop-api-0") for each in one]
    assert topic.send([*one, *other]).total("accepted") == 2
    assert topic.send([*one, *other]).total("duplicates") == 2
    assert topic.report.total.records == position + 2


def test_a_defect_of_one_record_costs_that_record(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic()
    trained = topic.batches.scorer.trained
    assert trained is not None
    assert trained.features is not None
    original = type(trained.features).row

    def row(self: Any, event: LogEvent, recent: Any) -> Any:
        if event.path == "/defect":
            raise ZeroDivisionError
        return original(self, event, recent)

    monkeypatch.setattr(type(trained.features), "row", row)
    topic.log(an_event(time=NEXT), an_event(time=NEXT + 1, path="/defect"), an_event(time=NEXT + 2))
    assert topic.report.total.records == len(TRAFFIC) + 2
    assert topic.letters == {f"{LANE}:{len(TRAFFIC) + 1}": 1}


def test_avro_of_a_registry_is_named_in_one_sentence() -> None:
    topic = Topic()
    [result] = topic.raw(b"\x00\x00\x00\x00\x07\x0aGET").results
    assert [each.detail for each in result.rejected] == [
        "the record is Avro or Protobuf of a schema registry, which are not read; have it written as JSON or as a line of text"
    ]
