"""Whatever fails in between, every record is applied once: each schedule of faults is compared with a single process."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.detectors.stream import KeySettings, Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.stream_state import Crash, FakeBucket, Inbox, lost_answer
from tests.support.streams import (
    LONG_AFTER,
    START,
    a_record,
    a_stream,
    comparable_bucket,
    noise,
)

BUCKETS = 4
STREAMS = (
    a_stream(),
    a_stream(window=StreamWindow("tumbling", 5, ("count", "mean(x)"), allowed_lateness=3)),
    a_stream(keys=KeySettings(limit=4, idle_days=1)),
    a_stream(window=StreamWindow("sliding", 6, ("count", "sum(x)"), 3, 2, "zero")),
)


@cache
def lanes_of(seed: int, count: int = 240) -> dict[str, list[RawRecord]]:
    """Return the records of two shards: six keys, planted anomalies, rubbish and late records."""
    values = noise(count, seed)
    lanes: dict[str, list[RawRecord]] = {"shard-0": [], "shard-1": []}
    for n, x in enumerate(values):
        key = "abcdef"[n % 6]
        lane = f"shard-{'abcdef'.index(key) % 2}"
        planted = 80.0 if n >= 200 and n % 6 < 2 else x
        record = a_record(n, lane, id=key, at=START + n, x=planted)._replace(partition=key)
        lanes[lane].append(record)
        if n % 50 == 7:
            lanes[lane].append(RawRecord(b"rubbish", lane, 10_000 + n, LONG_AFTER, key))
        if n % 60 == 11:
            late = a_record(20_000 + n, lane, id=key, at=START - 900)._replace(partition=key)
            lanes[lane].append(late)
    return {
        lane: [each._replace(position=place) for place, each in enumerate(records)]
        for lane, records in lanes.items()
    }


@dataclass
class Run:
    """Lanes of records that execution environments read in turns, while calls fail and processes end."""

    stream: Stream
    choices: random.Random
    chance: float
    environments: int
    bucket: FakeBucket = field(default_factory=FakeBucket)
    inbox: Inbox = field(default_factory=Inbox)

    def __post_init__(self) -> None:
        self.bucket.interrupt = self.inbox.interrupt = self._interrupt
        self.stores = [self._store() for _ in range(self.environments)]

    def _store(self) -> StateStore:
        return StateStore(self.bucket, self.stream)

    def _interrupt(self, point: str) -> None:
        if self.choices.random() < self.chance:
            raise Crash(point) if self.choices.random() < 0.5 else lost_answer(point)

    def read(self, lanes: Mapping[str, Sequence[RawRecord]]) -> None:
        """Read every lane to its end; what was not acknowledged comes again, and sometimes more than that."""
        checkpoint = dict.fromkeys(lanes, 0)
        while unread := [lane for lane in lanes if checkpoint[lane] < len(lanes[lane])]:
            lane = self.choices.choice(unread)
            first = max(checkpoint[lane] - self.choices.choice([0, 0, 0, 12]), 0)
            batch = lanes[lane][first : checkpoint[lane] + self.choices.choice([1, 7, 40])]
            number = self.choices.randrange(self.environments)
            try:
                report = self._scorer(self.stores[number]).score(batch)
            except Crash:
                self.stores[number] = self._store()
                continue
            failed = min((each.position for each in report.failed), default=batch[-1].position + 1)
            checkpoint[lane] = max(failed, checkpoint[lane])

    def _scorer(self, store: StateStore) -> BatchScorer:
        scorer = StreamScorer(self.stream, BUCKETS, keeps_rows=True)
        return BatchScorer(scorer, store, self.inbox.deliver)

    def settle(self) -> None:
        """Deliver what is left in the stored outboxes."""
        self.chance = 0.0
        for content, _ in self.bucket.objects.values():
            self.inbox.deliver(KeyBucket.from_bytes(content, self.stream).outbox)

    def states(self) -> dict[int, Any]:
        found = [content for content, _ in self.bucket.objects.values()]
        return {
            KeyBucket.from_bytes(each, self.stream).number: comparable_bucket(each)
            for each in found
        }


@pytest.fixture(autouse=True, scope="module")
def _unspread() -> Iterator[None]:
    """Rivals take turns here, so that pauses between the attempts at a write spread nothing."""
    with patch("cutwatch.streams.batch.sleep"):
        yield


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(
    number=st.sampled_from(range(len(STREAMS))),
    seed=st.integers(0, 1),
    schedule=st.integers(0, 2**32),
    chance=st.sampled_from([0.0, 0.05, 0.25]),
    environments=st.integers(1, 3),
)
def test_no_schedule_of_faults_changes_states_scores_or_incidents(
    number: int, seed: int, schedule: int, chance: float, environments: int
) -> None:
    run = Run(STREAMS[number], random.Random(schedule), chance, environments)
    run.read(lanes_of(seed))
    run.settle()
    alone, states = undisturbed(number, seed)

    assert run.states() == states
    assert set(run.inbox.changes) == set(alone.inbox.changes)
    assert set(run.inbox.rejected) == set(alone.inbox.rejected)
    assert set(run.inbox.rows) == set(alone.inbox.rows)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(schedule=st.integers(0, 2**32), chance=st.sampled_from([0.0, 0.05, 0.25]))
def test_keys_that_several_shards_share_end_as_in_one_process_that_reads_in_the_committed_order(
    schedule: int, chance: float
) -> None:
    stream, lanes = STREAMS[0], lanes_of(0)
    crossed = {
        lane: [each._replace(lane=lane, position=place) for place, each in enumerate(records)]
        for lane, records in zip(lanes, _crossed(lanes), strict=True)
    }
    run = Run(stream, random.Random(schedule), chance, environments=3)
    run.read(crossed)
    run.settle()
    replayed = Run(stream, random.Random(0), 0.0, 1)
    for key, history in run.bucket.history.items():
        _replay(replayed, key, history, crossed)
    replayed.settle()

    assert run.states() == replayed.states()
    assert set(run.inbox.changes) == set(replayed.inbox.changes)
    assert set(run.inbox.rows) == set(replayed.inbox.rows)


def _crossed(lanes: dict[str, list[RawRecord]]) -> list[list[RawRecord]]:
    """Return the records of both lanes dealt out in turns, so that every key is on both."""
    every = [record for pair in zip(*lanes.values(), strict=False) for record in pair]
    return [every[0::4] + every[1::4], every[2::4] + every[3::4]]


def _replay(
    replayed: Run, key: str, history: list[bytes], lanes: dict[str, list[RawRecord]]
) -> None:
    """Apply the records of one bucket in the order in which its versions applied them."""
    scorer = replayed._scorer(replayed.stores[0])
    before: dict[str, int] = {}
    for content in history:
        bucket = KeyBucket.from_bytes(content, replayed.stream)
        for lane, (position, _) in bucket.applied.items():
            new = lanes[lane][before.get(lane, -1) + 1 : position + 1]
            scorer.score([each for each in new if _is_of(each, bucket.number)])
            before[lane] = position


def _is_of(record: RawRecord, number: int) -> bool:
    return number in StreamScorer(STREAMS[0], BUCKETS).by_bucket([record])


@cache
def undisturbed(number: int, seed: int) -> tuple[Run, Any]:
    """Return the run of a single process without faults, and the states in which it ends."""
    run = Run(STREAMS[number], random.Random(0), 0.0, 1)
    for lane in lanes_of(seed).values():
        run._scorer(run.stores[0]).score(lane)
    run.settle()
    return run, run.states()
