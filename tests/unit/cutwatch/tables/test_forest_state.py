"""Retirement of a table's replaced forests, whose applied changes are stored behind the keys."""

from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest

from cutwatch.errors import MalformedState
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.retirement import STILL_WRITTEN, RetiredBucket, Retirement
from cutwatch.tables.forest_state import TableBucket, forest_root
from tests.support.stream_state import Crash
from tests.support.table_forests import ForestWatching, copy_of, rides

REASON = "another configuration"
RECORDS = rides(101, high_at=100)


class Replaced:
    """Forests with an open incident whose beginning was told, and the changes told since, each once as the registry does."""

    def __init__(self) -> None:
        self.watching = ForestWatching()
        self.watching.score(*RECORDS)
        self.key = self.watching.store.key(0)
        self.told: set[tuple[str, str, str]] = set()

    def deliver(self, outbox: Outbox) -> None:
        while outbox.changes:
            change = outbox.changes[0]
            self.watching.bucket.interrupt("deliver")
            word = f"{change.kind}:{change.incident.severity_word}"
            if (change.incident.id, word) not in self.watching.inbox.changes:
                self.told.add((change.kind, change.incident.id, change.reason))
            del outbox.changes[0]

    def retire(self, current: str = "0123456789ab") -> tuple[int, bool]:
        bucket = self.watching.bucket
        retirement = Retirement(bucket, forest_root("taxi"), current, REASON, self.deliver)
        later = bucket.now + STILL_WRITTEN + timedelta(seconds=1)
        done = retirement.run(later, lambda: True)
        return done.incidents, done.is_settled and not done.errors

    def content(self) -> bytes:
        return self.watching.bucket.objects[self.key][0]

    def state(self) -> TableBucket:
        return TableBucket.from_bytes(self.content(), self.watching.store.stream)


@pytest.fixture
def replaced() -> Replaced:
    return Replaced()


def test_the_open_incident_of_replaced_forests_ends_once_with_the_reason(
    replaced: Replaced,
) -> None:
    [state] = replaced.state().states.values()
    assert state.incident is not None

    assert replaced.retire() == (1, True)
    assert replaced.retire() == (0, True)
    assert replaced.told == {("ended", state.incident.id, REASON)}
    assert [state.incident for state in replaced.state().states.values()] == [None]


def test_forests_of_the_current_configuration_are_left_alone(replaced: Replaced) -> None:
    before = replaced.content()
    assert replaced.retire(replaced.watching.store.stream.fingerprint) == (0, True)
    assert replaced.content() == before


def test_retired_forests_know_every_change_that_they_have_learned_so_that_a_rollback_continues(
    replaced: Replaced,
) -> None:
    replaced.retire()
    again = ForestWatching(bucket=replaced.watching.bucket).score(*map(copy_of, RECORDS))
    assert again.report.total("duplicates") == len(RECORDS)


@pytest.mark.parametrize("number", range(12))
def test_a_crash_at_any_call_leaves_an_end_that_is_told_and_all_changes(
    replaced: Replaced, number: int
) -> None:
    calls = count()

    def crash(_: str) -> None:
        if next(calls) == number:
            raise Crash

    replaced.watching.bucket.interrupt = crash
    with suppress(Crash):
        replaced.retire()
    replaced.watching.bucket.interrupt = lambda _: None
    assert replaced.retire()[1]

    assert [(kind, reason) for kind, _, reason in replaced.told] == [("ended", REASON)]
    assert len(replaced.state().changes) == len(RECORDS)


def test_a_retired_bucket_is_the_same_after_it_went_through_bytes(replaced: Replaced) -> None:
    bucket = RetiredBucket.from_bytes(replaced.content())
    again = RetiredBucket.from_bytes(bucket.to_bytes())
    assert (again.header, again.states, again.changes) == (bucket.header, bucket.states, bucket.changes)  # fmt: skip
    assert bucket.changes


def test_a_streams_bucket_has_nothing_behind_its_keys(replaced: Replaced) -> None:
    with pytest.raises(MalformedState, match="damaged"):
        KeyBucket.from_bytes(replaced.content(), replaced.watching.store.stream)
