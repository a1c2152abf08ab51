"""The sweep of a log: the windows that silence closes are in the hourly report, each once."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.reports.hour_report import HourReport
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.log_training import train_stream
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.sweep import Sweep
from cutwatch.streams.trained_model import TrainedModel
from cutwatch.streams.windows import MOST_EMPTY_WINDOWS
from tests.support.kafka_logs import STREAM, raw_records
from tests.support.log_events import MONDAY, ordinary_events
from tests.support.stream_state import FakeBucket

WINDOWS = StreamWindow("tumbling", 60, ("count",), missing_data="zero")
WINDOWED = replace(STREAM, window=WINDOWS)
BEGIN = MONDAY + 7_200


@cache
def trained() -> TrainedModel:
    return TrainedModel.of(WINDOWED, train_stream(WINDOWED, ordinary_events(6_000)).fitted)


class Topic:
    """A topic of one key that becomes silent."""

    def __init__(self) -> None:
        self.bucket, self.summaries = FakeBucket(), list[dict[str, object]]()
        self.changes: list[str] = []
        scorer = StreamScorer(WINDOWED, trained=trained())
        store = StateStore(self.bucket, WINDOWED)
        self.batches = BatchScorer(scorer, store, self.deliver, keeps_summaries=True)
        self.sweep = Sweep(scorer, store, self.deliver, lambda _: True, keeps_summaries=True)

    def deliver(self, outbox: Outbox) -> None:
        self.summaries += json.loads(json.dumps(outbox.summaries))
        self.changes += [each.kind for each in outbox.changes]
        outbox.clear()

    def silent_for(self, seconds: float) -> None:
        self.sweep.run(datetime.fromtimestamp(BEGIN + 120 + seconds, UTC))

    def score(self, first: int, begin: float, count: int) -> None:
        events = [each._replace(time=each.time + begin - MONDAY) for each in ordinary_events(count)]
        self.batches.score(raw_records(events, first))

    @property
    def report(self) -> HourReport:
        report = HourReport("shop", BEGIN)
        for each in self.summaries:
            report.add(each)
        return report


def test_silence_closes_the_last_window_and_every_one_after_it() -> None:
    topic = Topic()
    topic.score(0, BEGIN, 120)
    topic.silent_for(300)
    assert {int(minute) for minute in topic.report.minutes} == {0, 1, 2, 3, 4, 5}
    assert topic.report.minutes["3"].score > topic.report.minutes["1"].score


def test_the_batch_after_a_sweep_is_counted_as_well() -> None:
    topic = Topic()
    topic.score(0, BEGIN, 120)
    topic.silent_for(300)
    topic.score(120, BEGIN + 600, 60)
    assert topic.report.total.records == 180
    assert len(topic.report.ids) == 3


def test_silence_is_one_incident_which_ends_when_it_has_lasted() -> None:
    topic = Topic()
    topic.score(0, BEGIN, 120)
    for minutes in range(1, MOST_EMPTY_WINDOWS + 5):
        topic.silent_for(60 * minutes)
    assert [each for each in topic.changes if each != "escalated"] == ["began", "ended"]


def test_an_incident_before_the_silence_ends_with_it() -> None:
    topic = Topic()
    topic.score(0, BEGIN, 120)
    topic.silent_for(60 * 10)
    assert "ended" not in topic.changes
    topic.silent_for(60 * MOST_EMPTY_WINDOWS + 600)
    assert topic.changes[-1] == "ended"
