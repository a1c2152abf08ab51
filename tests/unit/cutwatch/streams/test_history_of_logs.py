"""Cold start of a log: its keys begin with the trained model, and with the records after the training."""

from dataclasses import replace
from functools import cache

from cutwatch.detectors.stream import Stream
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.history import learn
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.trained_model import TrainedModel
from tests.support.kafka_logs import LOG, STREAM, a_training, log_line, raw_records
from tests.support.log_events import MONDAY, ordinary_events
from tests.support.stream_state import FakeBucket, Inbox

EVENTS = ordinary_events(1_500)
TRAINED = 1_200


@cache
def trained_model() -> TrainedModel:
    return TrainedModel.of(STREAM, a_training().fitted)


def learned(stream: Stream = STREAM, **fields: str) -> KeyBucket:
    """Learn an archive that ends ten minutes before the first record of the stream; return the bucket."""
    archive, bucket = FakeBucket(), FakeBucket()
    lines = [log_line(each, **fields) for each in EVENTS]
    archive.write_bytes("past/1.json", b"\n".join([*lines[:900], b"rubbish"]))
    archive.write_bytes("past/2.json", b"\n".join(lines[900:]))
    store = StateStore(bucket, stream)
    trained = TrainedModel.of(stream, a_training().fitted)
    learn(archive, "past/", store, 1, MONDAY + 3_000.0, lambda: True, None, trained)
    return store.load(0).bucket


def test_a_key_has_learned_what_came_after_the_training() -> None:
    state = learned().states[""]
    assert state.newest == EVENTS[-1].time
    assert state.forest.learned == len(EVENTS) - TRAINED


def test_the_first_record_after_the_history_is_scored_with_the_traffic_before_it() -> None:
    bucket, inbox = FakeBucket(), Inbox()
    store = StateStore(bucket, STREAM)
    archive = FakeBucket()
    archive.write_bytes("past/1", b"\n".join(log_line(each) for each in EVENTS))
    learn(archive, "past/", store, 1, MONDAY + 3_000.0, lambda: True, None, trained_model())
    slow = EVENTS[-1]._replace(time=EVENTS[-1].time + 1, response_time=30.0)
    batches = BatchScorer(StreamScorer(STREAM, trained=trained_model()), store, inbox.deliver)
    report = batches.score(raw_records([slow]))
    [(_, row)] = report.results[0].events
    assert row.traffic.seconds >= 60
    assert [change for _, change in inbox.changes] == ["began:high"]


def test_nothing_of_the_past_is_reported_or_counted() -> None:
    bucket = learned()
    assert not bucket.outbox
    assert bucket.totals.applied == 0
    assert bucket.states[""].incident is None


def test_lines_without_kafkas_keys_are_not_learned_as_one_key() -> None:
    stream = STREAM.with_log(replace(LOG, key="kafka.headers.service"))
    assert not learned(stream).states


def test_lines_that_have_their_keys_belong_to_them() -> None:
    stream = STREAM.with_log(replace(LOG, key="service"))
    assert {*learned(stream, service="shop").states} == {"shop"}
