"""When a batch is ready, and what follows from how it ended."""

import pytest

from localaws.event_sources.batch_queue import BatchQueue
from localaws.event_sources.batches import Batch, Condition, Discard, Outcome, Settings
from support.batches import DONE, FAILED, NOT_INVOKED, RETENTION, names, record, records, reported


def queue(content: str, now: float = 0.0, **settings: object) -> BatchQueue:
    made = BatchQueue(Settings(**settings))  # type: ignore[arg-type]
    made.offer(records(content), now)
    return made


def take(from_queue: BatchQueue, now: float) -> Batch:
    batch = from_queue.take(now)
    assert batch is not None
    return batch


def deliveries(of: BatchQueue, poison: str, outcome: Outcome | None = None) -> list[str]:
    """Every delivery to a function that fails where it finds the poison, until the queue is empty."""
    delivered, now = [], 0.0
    while (due := of.due(now)) is not None:
        now = max(now, due)
        batch = take(of, now)
        content = names(batch)
        delivered.append(content)
        ended = (outcome or reported(content.index(poison))) if poison in content else DONE
        delivered += [f"discarded {names_of(each)}" for each in of.settle(batch, ended, now)]
    return delivered


def names_of(discard: Discard) -> str:
    return "".join(each.position for each in discard.records)


def test_records_are_delivered_in_batches_of_the_size() -> None:
    assert deliveries(queue("abcde", batch_size=2), "-") == ["ab", "cd", "e"]


def test_a_batch_waits_for_its_window_unless_it_is_full() -> None:
    waiting = queue("ab", now=10.0, batch_size=3, batching_seconds=5)
    assert waiting.take(14.9) is None
    assert waiting.due(14.9) == 15.0
    waiting.offer(records("c"), 14.9)
    assert names(waiting.take(14.9)) == "abc"


def test_the_window_begins_with_the_first_record_that_waits() -> None:
    waiting = queue("a", now=10.0, batching_seconds=5)
    waiting.offer(records("b"), 14.0)
    assert names(waiting.take(15.0)) == "ab"
    waiting.settle(Batch(()), DONE, 15.0)
    waiting.offer(records("c"), 100.0)
    assert waiting.due(100.0) == 105.0


def test_a_batch_holds_no_more_than_a_functions_payload() -> None:
    large = BatchQueue(Settings())
    large.offer([record(name, size=2_500_000) for name in "abcd"], 0.0)
    assert names(large.take(0.0)) == "ab"


def test_a_record_larger_than_a_payload_is_delivered_by_itself() -> None:
    large = BatchQueue(Settings())
    large.offer([record("a", size=9_000_000), record("b")], 0.0)
    assert names(large.take(0.0)) == "a"


def test_a_failed_batch_blocks_what_is_behind_it() -> None:
    blocked = queue("abc", batch_size=2)
    assert blocked.settle(take(blocked, 0.0), FAILED, 0.0) == []
    assert blocked.take(0.9) is None
    assert names(blocked.take(1.0)) == "ab"


def test_retries_come_at_growing_intervals_of_at_most_a_minute() -> None:
    failing, now, pauses = queue("a"), 0.0, []
    for _ in range(9):
        failing.settle(take(failing, now), FAILED, now)
        due = failing.due(now)
        assert due is not None
        pauses.append(due - now)
        now = due
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_batch_is_retried_so_many_times_and_given_up_then(retries: int) -> None:
    found = deliveries(queue("abc", batch_size=2, retries=retries), "a", FAILED)
    assert found == ["ab"] * (retries + 1) + ["discarded ab", "c"]


def test_a_discard_says_how_often_the_function_was_invoked() -> None:
    failing = queue("a", retries=1)
    failing.settle(take(failing, 0.0), FAILED, 0.0)
    (discard,) = failing.settle(take(failing, 1.0), FAILED, 1.0)
    assert (discard.condition, discard.invocations) == (Condition.RETRIES_EXHAUSTED, 2)


def test_a_split_finds_the_bad_record_and_costs_no_retries() -> None:
    found = deliveries(queue("abcd", retries=1, bisect=True), "c", FAILED)
    assert found == ["abcd", "ab", "cd", "c", "c", "discarded c", "d"]


def test_the_lowest_reported_record_is_the_checkpoint() -> None:
    found = deliveries(queue("abcd", retries=2), "c")
    assert found == ["abcd", "cd", "cd", "discarded cd"]


def test_a_split_at_the_reported_record_costs_no_retry() -> None:
    found = deliveries(queue("abcd", retries=1, bisect=True), "c")
    assert found == ["abcd", "cd", "cd", "discarded cd"]


def test_an_exception_splits_in_half_whatever_was_reported_before() -> None:
    splitting = queue("abcd", bisect=True)
    splitting.settle(take(splitting, 0.0), reported(1), 0.0)
    splitting.settle(take(splitting, 1.0), FAILED, 1.0)
    assert names(splitting.take(3.0)) == "b"


def test_a_throttled_function_costs_no_retry() -> None:
    throttled = queue("a", retries=0)
    for now in (0.0, 10.0, 100.0):
        assert throttled.settle(take(throttled, now), NOT_INVOKED, now) == []
    (discard,) = throttled.settle(take(throttled, 1000.0), FAILED, 1000.0)
    assert discard.invocations == 1


def test_records_beyond_the_maximum_age_are_given_up_before_they_are_delivered() -> None:
    aging = BatchQueue(Settings(record_age_seconds=60))
    aging.offer([record("a", arrived=0.0), record("b", arrived=50.0)], 55.0)
    (discard,) = aging.discard_old(61.0, RETENTION)
    assert (names_of(discard), discard.condition) == ("a", Condition.TOO_OLD)
    assert names(aging.take(61.0)) == "b"


def test_a_retried_batch_loses_the_records_that_have_become_too_old() -> None:
    aging = BatchQueue(Settings(record_age_seconds=60))
    aging.offer([record("a", arrived=0.0), record("b", arrived=50.0)], 50.0)
    aging.settle(take(aging, 50.0), FAILED, 50.0)
    (discard,) = aging.discard_old(61.0, RETENTION)
    assert (names_of(discard), discard.invocations) == ("a", 1)
    assert names(aging.take(61.0)) == "b"


def test_without_a_maximum_age_records_last_as_long_as_in_the_stream() -> None:
    aging = queue("a")
    assert aging.discard_old(RETENTION, RETENTION) == []
    assert len(aging.discard_old(RETENTION + 1, RETENTION)) == 1


def test_a_reader_that_loses_its_place_delivers_the_last_records_again() -> None:
    rewound = queue("abcd", batch_size=2)
    rewound.settle(take(rewound, 0.0), DONE, 0.0)
    rewound.rewind(1, 0.0)
    assert deliveries(rewound, "-") == ["bc", "d"]


def test_a_rewind_queues_anew_what_is_being_retried() -> None:
    rewound = queue("abc", batch_size=2, bisect=True)
    rewound.settle(take(rewound, 0.0), FAILED, 0.0)
    rewound.settle(take(rewound, 1.0), DONE, 1.0)
    rewound.rewind(5, 1.0)
    assert deliveries(rewound, "-") == ["ab", "c"]


def test_what_came_before_a_reported_record_counts_as_delivered() -> None:
    rewound = queue("abcd")
    rewound.settle(take(rewound, 0.0), reported(2), 0.0)
    rewound.rewind(1, 1.0)
    assert deliveries(rewound, "-") == ["bcd"]


def test_a_rewind_without_anything_delivered_begins_the_batching_window() -> None:
    rewound = queue("a", batching_seconds=90)
    rewound.settle(take(rewound, 90.0), FAILED, 90.0)
    rewound.rewind(3, 100.0)
    assert rewound.due(150.0) == 190.0
