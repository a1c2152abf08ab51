"""When a batch is ready, what follows from its outcome, and what may be committed."""

from collections.abc import Sequence

from function_consumer.queue import Condition, Queue, Settings
from function_consumer.records import Partition, Record

LEFT, RIGHT = Partition("shop", 0), Partition("shop", 1)


def records(partition: Partition, first: int, count: int) -> list[Record]:
    return [
        Record(partition, offset, 1_000 * offset, "CREATE_TIME", None, b"{}")
        for offset in range(first, first + count)
    ]


def offsets(found: Sequence[Record]) -> list[int]:
    return [each.offset for each in found]


def test_a_batch_waits_for_its_window() -> None:
    queue = Queue(Settings(batch_size=10, batching_seconds=5))
    queue.offer(records(LEFT, 0, 3), now=100)
    assert queue.due(100) == 105
    assert queue.take(104.9) is None
    assert queue.take(105) is not None


def test_a_full_batch_does_not_wait() -> None:
    queue = Queue(Settings(batch_size=2, batching_seconds=5))
    queue.offer(records(LEFT, 0, 3), now=100)
    assert queue.take(100) is not None
    assert offsets(queue.out) == [0, 1]


def test_only_what_is_done_may_be_committed() -> None:
    queue = Queue(Settings(batch_size=2, batching_seconds=0))
    queue.offer([*records(LEFT, 7, 1), *records(RIGHT, 3, 2)], now=0)
    queue.take(0)
    assert queue.done() == {LEFT: 7, RIGHT: 3}
    queue.settle((), 0)
    assert queue.done() == {LEFT: 8, RIGHT: 4}


def test_reported_records_come_again_and_hold_their_partition_only() -> None:
    queue = Queue(Settings(batch_size=4, batching_seconds=0, reports_failures=True))
    queue.offer([*records(LEFT, 0, 2), *records(RIGHT, 0, 2)], now=0)
    queue.take(0)
    queue.settle(records(RIGHT, 1, 1), 0)
    assert queue.done() == {LEFT: 2, RIGHT: 1}
    assert queue.take(0.5) is None
    queue.take(1)
    assert [(each.partition, each.offset) for each in queue.out] == [(RIGHT, 1)]


def test_a_failed_batch_is_split_until_the_poison_is_alone() -> None:
    queue = Queue(Settings(batch_size=4, batching_seconds=0, bisect=True, retries=1))
    queue.offer(records(LEFT, 0, 4), now=0)
    now, given_up, delivered = 0.0, [], []
    while (due := queue.due(now)) is not None:
        now = max(now, due)
        queue.take(now)
        poisoned = 2 in offsets(queue.out)
        delivered += [] if poisoned else offsets(queue.out)
        discard = queue.settle(None if poisoned else (), now)
        if discard is not None:
            given_up.append(discard)
    assert delivered == [0, 1, 3]
    assert [(offsets(each.records), each.condition) for each in given_up] == [
        ([2], Condition.RETRIES_EXHAUSTED)
    ]
    assert queue.done() == {LEFT: 4}


def test_pauses_between_retries_double() -> None:
    queue = Queue(Settings(batching_seconds=0))
    queue.offer(records(LEFT, 0, 1), now=0)
    now, pauses = 0.0, []
    for _ in range(8):
        queue.take(now)
        queue.settle(None, now)
        due = queue.due(now) or 0.0
        pauses.append(due - now)
        now = due
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_batch_that_was_not_invoked_costs_no_attempt() -> None:
    queue = Queue(Settings(batching_seconds=0, retries=0))
    queue.offer(records(LEFT, 0, 1), now=0)
    queue.take(0)
    queue.not_invoked(0)
    batch = queue.take(1)
    assert batch is not None
    assert (batch.failures, batch.invocations) == (0, 0)


def test_records_that_are_too_old_are_given_up() -> None:
    queue = Queue(Settings(batching_seconds=0, record_age_seconds=60))
    queue.offer(records(LEFT, 10, 3), now=71.5)
    queue.take(71.5)
    old = queue.too_old(71.5)
    assert old is not None
    assert (offsets(old.records), old.condition) == ([10, 11], Condition.TOO_OLD)
    assert offsets(queue.out) == [12]


def test_records_of_a_partition_that_is_taken_away_are_forgotten() -> None:
    queue = Queue(Settings(batch_size=2, batching_seconds=0))
    queue.offer([*records(LEFT, 0, 2), *records(RIGHT, 0, 2)], now=0)
    queue.take(0)
    queue.settle(None, 0)
    queue.drop({LEFT})
    assert queue.done() == {RIGHT: 0}
    queue.take(1)
    assert {each.partition for each in queue.out} == {RIGHT}


def test_reading_stops_while_a_batch_is_retried() -> None:
    queue = Queue(Settings(batch_size=2, batching_seconds=0))
    queue.offer(records(LEFT, 0, 2), now=0)
    assert not queue.is_full
    queue.take(0)
    queue.settle(None, 0)
    assert queue.is_full
