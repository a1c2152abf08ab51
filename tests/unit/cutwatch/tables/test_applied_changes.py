"""What is remembered of applied changes, for how long, and how much."""

import pytest

from cutwatch.errors import MalformedState, NewerState
from cutwatch.streams.outbox import Notice, Outbox
from cutwatch.tables import applied_changes
from cutwatch.tables.applied_changes import AppliedChanges
from cutwatch.tables.forest_scoring import ForestTableScorer
from cutwatch.tables.forest_state import TableBucket
from tests.support.table_forests import ForestWatching, forest_table, rides
from tests.support.watched_tables import NOW, stream_record

HOUR = 3_600


def test_a_change_is_known_as_long_as_the_stream_keeps_it() -> None:
    changes = AppliedChanges()
    changes.add("a:1", NOW)
    changes.add("b:2", NOW + 24 * HOUR)
    assert "a:1" in changes
    changes.add("c:3", NOW + 25 * HOUR)
    assert "a:1" not in changes
    assert "b:2" in changes
    assert "d:4" not in changes


def test_what_is_remembered_goes_through_bytes() -> None:
    changes = AppliedChanges()
    for number in range(500):
        changes.add(f"{number % 7}:{number}", NOW + 60 * number)
    read = AppliedChanges.from_bytes(changes.to_bytes())
    assert len(read) == 500
    assert all(f"{number % 7}:{number}" in read for number in range(500))
    assert read.to_bytes() == changes.to_bytes()
    read.add("x:1", NOW)
    assert "x:1" in AppliedChanges.from_bytes(read.to_bytes())


def test_a_thousand_changes_take_eight_kilobytes() -> None:
    changes = AppliedChanges()
    for number in range(1_000):
        changes.add(str(number), NOW)
    assert len(changes.to_bytes()) == 8_012


def test_the_oldest_hour_is_forgotten_when_there_is_no_room_and_operators_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applied_changes, "MOST_CHANGES", 50)
    watching = ForestWatching()
    notices: list[Notice] = []

    def deliver(outbox: Outbox) -> None:
        notices.extend(outbox.notices)
        outbox.clear()

    watching.scorer = ForestTableScorer.of(watching.table, watching.store, deliver)
    watching.score(*rides(130))
    assert [each.kind for each in notices] == ["changes forgotten"] * 2
    assert "would be learned twice if they were delivered again; raise changes_per_day" in notices[0].text  # fmt: skip
    assert watching.applied() <= 60


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda content: content[:5], MalformedState),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), MalformedState),
        (lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:], MalformedState),
        (lambda content: content.replace(b"bucket 1 ", b"bucket 9 ", 1), NewerState),
    ],
)
def test_a_damaged_or_newer_state_is_refused(damage: object, error: type[Exception]) -> None:
    watching = ForestWatching()
    watching.score(stream_record(1.0, 1))
    content = watching.bucket.read_bytes(watching.store.key(0))
    with pytest.raises(error):
        TableBucket.from_bytes(damage(content), watching.store.stream)  # type: ignore[operator]


def test_a_table_that_changes_often_has_more_buckets() -> None:
    few = ForestWatching(forest_table(key="city"))
    many = ForestWatching(forest_table(key="city", changes_per_day=4_000_000))
    assert (few.scorer.scorer.buckets, many.scorer.scorer.buckets) == (2, 8)
    assert ForestWatching(forest_table()).scorer.scorer.buckets == 1
