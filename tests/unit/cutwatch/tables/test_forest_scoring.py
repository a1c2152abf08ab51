"""A table's changes scored by forests that learn: every change once, in whatever order and however often it comes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.errors import AccessDenied
from cutwatch.streams.record import Reason
from tests.support.stream_state import Crash, FakeBucket, Inbox
from tests.support.table_forests import ForestWatching, copy_of, forest_table, rides
from tests.support.watched_tables import NOW, sequences, stream_record


def test_changes_are_learned_and_a_far_higher_value_is_one_incident() -> None:
    watching = ForestWatching(keeps_rows=True)
    batch = watching.score(*rides(120, high_at=100))
    rows = [row for result in batch.report.results for row in result.rows]
    assert [row.learning for row in rows].count(True) == 16
    assert next(kind for _, kind in watching.inbox.changes).startswith("began")
    anomalous = [row for row in rows if row.incident]
    assert (anomalous[0].values, anomalous[0].origin[1]) == ((900.0,), 101)
    assert len({row.incident for row in anomalous}) == 1
    assert len(watching.inbox.rows) == 120
    assert batch.failed == []


def test_a_change_that_is_delivered_again_is_learned_once() -> None:
    watching = ForestWatching()
    records = rides(40)
    watching.score(*records)
    before = watching.stored()
    again = watching.score(*map(copy_of, records[10:30]))
    assert again.report.total("duplicates") == 20
    assert watching.stored() == before
    assert ForestWatching(bucket=watching.bucket).score(*records).report.total("duplicates") == 40


def test_two_changes_of_one_item_are_two_rows() -> None:
    watching = ForestWatching()
    batch = watching.score(stream_record(1.0, 1), stream_record(2.0, 2))
    assert batch.report.total("accepted") == 2


def test_an_older_change_that_comes_after_a_newer_one_of_another_item_is_learned() -> None:
    watching = ForestWatching()
    watching.score(stream_record(1.0, 900, item="a", at=NOW + 30))
    batch = watching.score(stream_record(1.0, 5, item="b", at=NOW))
    assert (batch.report.total("accepted"), batch.report.total("late")) == (1, 0)


def test_a_change_behind_the_newest_time_of_its_key_is_late_though_each_is_alone_in_its_lane() -> (
    None
):
    watching = ForestWatching(forest_table(time="made", time_format="seconds"))
    lateness = watching.store.stream.window.allowed_lateness
    times = (0, lateness + 1, 0, 1)
    records = [
        stream_record(
            1.0, number, item=f"ride-{number}", at=NOW + 2 * lateness, made={"N": str(NOW + time)}
        )
        for number, time in enumerate(times)
    ]
    batch = watching.score(*records)
    assert (batch.report.total("accepted"), batch.report.total("late")) == (3, 1)
    [state] = watching.store.load(0).bucket.states.values()
    assert len(state.lanes) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (stream_record({"S": "many"}, 1), Reason.NOT_A_NUMBER),
        (stream_record({"N": "1e31"}, 1), Reason.TOO_LARGE),
        (stream_record({"NULL": True}, 1), Reason.MISSING_FIELD),
    ],
)
def test_an_item_without_a_row_is_rejected_once(record: dict[str, object], reason: Reason) -> None:
    watching = ForestWatching()
    batch = watching.score(record, stream_record(1.0, 2, item="2"))
    watching.score(copy_of(record))
    [rejected] = [each for result in batch.report.results for each in result.rejected]
    assert rejected.reason == reason
    assert sum(watching.inbox.rejected.values()) == 1
    assert batch.report.total("accepted") == 1


def test_a_stream_without_new_images_rejects_its_records() -> None:
    record = stream_record(1.0, 1)
    del record["dynamodb"]["NewImage"]
    [result] = ForestWatching().score(record).report.results
    assert [each.reason for each in result.rejected] == [Reason.MISSING_FIELD]


def test_keys_have_forests_of_their_own() -> None:
    watching = ForestWatching(forest_table(key="city"))
    records = [
        stream_record(1.0, n, item=str(n), city={"S": city}) for n, city in enumerate("abab", 1)
    ]
    watching.score(*records)
    buckets = [watching.store.load(number).bucket for number in range(2)]
    assert sorted(key for bucket in buckets for key in bucket.states) == ["a", "b"]


def test_a_change_whose_state_cannot_be_written_comes_again() -> None:
    watching = ForestWatching()

    def refuse(point: str) -> None:
        if point == "write before":
            raise AccessDenied("PutObject", "AccessDenied", "no")

    watching.bucket.interrupt = refuse
    batch = watching.score(stream_record(1.0, 7), stream_record(1.0, 8, item="2"))
    assert sequences(batch.failed) == [7, 8]
    assert [type(each) for each in batch.report.errors] == [AccessDenied]


def test_a_changed_declaration_starts_from_scratch_and_says_that_open_incidents_end() -> None:
    watching = ForestWatching()
    watching.score(*rides(20))
    changed = forest_table(values={"count": "passengers"})
    again = ForestWatching(changed, watching.bucket)
    [notice] = again.store.load(0).bucket.outbox.notices
    assert notice.kind == "configuration changed"
    assert notice.text.endswith("end in a few minutes")


def test_an_incident_of_a_silent_key_ends_after_an_hour() -> None:
    watching = ForestWatching()
    watching.score(*rides(101, high_at=100))
    last = datetime.fromtimestamp(NOW + 100 * 60, UTC)
    assert not watching.scorer.close_silent(
        last + timedelta(minutes=59), lambda: True
    ).report.results
    batch = watching.scorer.close_silent(last + timedelta(minutes=60), lambda: True)
    assert [change.kind for result in batch.report.results for change in result.changes] == ["ended"]  # fmt: skip


schedules = st.lists(
    st.tuples(
        st.integers(0, 5),  # batch to deliver
        st.integers(0, 2),  # environment
        st.one_of(st.none(), st.integers(0, 8)),  # call of the bucket or the inbox at which it crashes
        st.booleans(),  # whether the environment is a new one
    ),
    max_size=14,
)  # fmt: skip


class _Disturbed:
    """Three environments that share a bucket; `order` has the batches in the order in which they were committed."""

    def __init__(self, batches: list[list[dict[str, Any]]]) -> None:
        self._batches = batches
        self._bucket, self.inbox = FakeBucket(), Inbox()
        self._environments = [self._new() for _ in range(3)]
        self.order: list[int] = []

    def _new(self) -> ForestWatching:
        return ForestWatching(bucket=self._bucket, inbox=self.inbox)

    def deliver(self, number: int, place: int, crash_at: int | None, *, is_new: bool) -> None:
        if is_new:
            self._environments[place] = self._new()
        self._crash_at(crash_at)
        try:
            assert not self._environments[place].score(*self._batches[number]).failed
        except Crash:
            self._crash_at(None)
            self._environments[place] = self._new()
        self._crash_at(None)
        if self.last.applied() > sum(len(self._batches[each]) for each in self.order):
            self.order.append(number)

    @property
    def last(self) -> ForestWatching:
        return self._environments[0]

    def _crash_at(self, calls: int | None) -> None:
        left = [calls]

        def interrupt(_: str) -> None:
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise Crash

        self._bucket.interrupt = self.inbox.interrupt = interrupt


@settings(max_examples=40, deadline=None)
@given(schedules)
def test_after_any_schedule_of_crashes_and_repetitions_every_change_was_learned_once(
    schedule: list[tuple[int, int, int | None, bool]],
) -> None:
    records = rides(48, high_at=40)
    batches = [records[start : start + 8] for start in range(0, 48, 8)]
    disturbed = _Disturbed(batches)
    for number, place, crash_at, is_new in schedule:
        disturbed.deliver(number, place, crash_at, is_new=is_new)
    for number in range(len(batches)):
        disturbed.deliver(number, 0, None, is_new=False)

    alone = ForestWatching()
    for number in disturbed.order:
        alone.score(*batches[number])
    assert sorted(disturbed.order) == list(range(6))
    assert disturbed.last.stored() == alone.stored()
    assert set(disturbed.inbox.changes) == set(alone.inbox.changes)
