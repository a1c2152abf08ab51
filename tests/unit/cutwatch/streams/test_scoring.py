from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.detectors.stream import ForestSettings, KeySettings, Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.record import RawRecord, Reason
from cutwatch.streams.scoring import BatchResult, StreamScorer
from cutwatch.streams.windows import MOST_EMPTY_WINDOWS
from tests.support.streams import (
    LONG_AFTER,
    START,
    a_record,
    a_stream,
    comparable_bucket,
    noise,
    records_of,
    score_records,
)

DAY = 86_400
MINUTES = StreamWindow("tumbling", 60, ("count", "mean(x)", "p90(x)"), allowed_lateness=5)
STREAMS = (
    a_stream(),
    a_stream(window=replace(MINUTES, size=3)),
    a_stream(forest=ForestSettings(5, 40, shingle_size=3, directionality=True)),
    a_stream(keys=KeySettings(limit=2, idle_days=1)),
    a_stream(window=replace(MINUTES, type="sliding", size=6, every=3)),
    a_stream(window=replace(MINUTES, type="stagger", size=3)),
    a_stream(window=replace(MINUTES, type="count", size=4, every=2)),
    a_stream(window=StreamWindow("tumbling", 4, ("count",), missing_data="zero")),
)


def repeated(count: int, seed: int) -> list[float]:
    """Return values of which many are equal: forests count them apart."""
    return [round(value, 1) for value in noise(count, seed)]


# Three keys on two lanes, with an anomaly, a late record, a future one and rubbish, and a jump of two days.
RECORDS = [
    *(
        a_record(n, lane=str(n % 2), id="abc"[n % 3], at=START + n + 2 * DAY * (n > 330), x=x)
        for n, x in enumerate([*repeated(300, 0), 80.0, 95.0, 400.0, *repeated(60, 1)])
    ),
    a_record(400, at=START),
    a_record(401, at=LONG_AFTER + 301),
    RawRecord(b"rubbish", "0", 402, LONG_AFTER),
]


def replay(stream: Stream, batches: Sequence[Sequence[RawRecord]]) -> tuple[BatchResult, tuple[Any, ...]]:  # fmt: skip
    """Score batches one after the other, with all states stored in between; return the states comparably."""
    total, stored = BatchResult(), KeyBucket.empty(stream, 0).to_bytes(stream)
    for batch in batches:
        bucket = KeyBucket.from_bytes(stored, stream)
        result = score_records(stream, batch, bucket)
        stored = bucket.to_bytes(stream)
        for name in BatchResult.__slots__:
            setattr(total, name, getattr(total, name) + getattr(result, name))
    return total, comparable_bucket(stored)


@cache
def whole(number: int) -> tuple[BatchResult, tuple[Any, ...]]:
    """Score all records in one batch."""
    return replay(STREAMS[number], [RECORDS])


each_stream = pytest.mark.parametrize("number", range(len(STREAMS)))


def test_the_replayed_records_show_everything_that_can_happen() -> None:
    results = [whole(number)[0] for number in range(len(STREAMS))]
    assert {change.kind for result in results for change in result.changes} == {"began", "escalated", "ended"}  # fmt: skip
    assert any(result.late for result in results)
    assert {each.reason for result in results for each in result.rejected} >= {Reason.NOT_JSON, Reason.IN_THE_FUTURE, Reason.TOO_MANY_KEYS}  # fmt: skip
    assert any(result.evicted for result in results)


@each_stream
def test_record_by_record_is_the_same_as_in_one_batch(number: int) -> None:
    assert replay(STREAMS[number], [[record] for record in RECORDS]) == whole(number)


@settings(max_examples=40, deadline=None)
@given(
    number=st.sampled_from(range(len(STREAMS))),
    cuts=st.lists(st.integers(0, len(RECORDS)), max_size=6),
    overlaps=st.lists(st.integers(0, 40), min_size=7, max_size=7),
)
def test_batches_that_overlap_give_the_same_scores_incidents_and_states(
    number: int, cuts: list[int], overlaps: list[int]
) -> None:
    edges = [0, *sorted(cuts), len(RECORDS)]
    batches = [
        RECORDS[max(start - overlap, 0) : end]
        for start, end, overlap in zip(edges, edges[1:], overlaps, strict=False)
    ]
    total, stored = replay(STREAMS[number], batches)
    at_once, expected = whole(number)

    assert stored == expected
    assert (total.rows, total.changes) == (at_once.rows, at_once.changes)
    assert (total.accepted, total.late) == (at_once.accepted, at_once.late)
    assert total.read == sum(map(len, batches))


def test_each_record_is_accepted_late_a_duplicate_or_rejected() -> None:
    result, _ = replay(STREAMS[3], [RECORDS, RECORDS[:50]])
    counted = result.accepted + result.late + result.duplicates + len(result.rejected)
    assert counted == result.read == len(RECORDS) + 50


def test_positions_are_those_of_a_lane() -> None:
    bucket = KeyBucket.empty(a_stream(), 0)
    first, other_lane = a_record(5, lane="0"), a_record(5, lane="1")
    result = score_records(a_stream(), [first, first, other_lane, a_record(4, lane="0")], bucket)

    assert (result.accepted, result.duplicates) == (2, 2)
    assert (bucket.position("0"), bucket.position("1")) == (5, 5)


def test_a_record_is_late_behind_the_newest_time_of_its_key() -> None:
    window = StreamWindow(allowed_lateness=10)
    records = [
        a_record(0, at=START + 100),
        a_record(1, at=START + 90),
        a_record(2, at=START + 89.9),
        a_record(3, at=START, id="b"),
        a_record(4, at=START + 95),
    ]
    result = score_records(a_stream(window=window), records)

    assert (result.accepted, result.late) == (4, 1)
    assert [row.origin[1] for row in result.rows] == [0, 1, 3, 4]


def test_the_rows_of_windows_have_the_time_of_their_begin() -> None:
    start = START // 60 * 60
    records = [a_record(n, at=start + 20 * n, x=float(n)) for n in range(8)]
    rows = score_records(a_stream(window=MINUTES), records).rows

    assert [row.time for row in rows] == [start, start + 60]
    assert rows[0].values == pytest.approx((3, 1, 1.8))
    assert rows[1].values == pytest.approx((3, 4, 4.8))


SILENT = a_stream(window=StreamWindow("tumbling", 10, ("count",), 5, missing_data="zero"))


def silent_after(count: int) -> tuple[StreamScorer, KeyBucket, BatchResult]:
    """Return a stream whose only key sends a record a second, each arriving two seconds later, then nothing."""
    scorer, bucket = StreamScorer(SILENT), KeyBucket.empty(SILENT, 0)
    records = [each._replace(arrival=START + n + 2) for n, each in enumerate(records_of([1.0] * count))]  # fmt: skip
    return scorer, bucket, score_records(SILENT, records, bucket)


def test_the_clock_closes_windows_of_a_silent_key() -> None:
    scorer, bucket, before = silent_after(600)
    due = START + 600 + 5 + 2
    assert bucket.states.due() == [(due, "a")]
    assert scorer.close_silent(bucket, due - 0.1).rows == []
    result = scorer.close_silent(bucket, due)

    assert [(row.time, row.values) for row in [*before.rows, *result.rows]] == [
        (START + 10 * n, (10.0,)) for n in range(60)
    ]
    assert bucket.states.due() == [(due + 10, "a")]
    late = a_record(600, at=START + 599)
    assert score_records(SILENT, [late], bucket).late == 1


def test_silence_is_an_incident_and_the_key_idles_in_the_end() -> None:
    scorer, bucket, _ = silent_after(1_200)
    result = scorer.close_silent(bucket, START + 1_300)

    assert [row.values for row in result.rows[-4:]] == [(0.0,)] * 4
    [began, *_] = result.changes
    assert (began.kind, began.incident.columns[0].direction) == ("began", "below")
    rest = scorer.close_silent(bucket, LONG_AFTER)
    assert len(result.rows) + len(rest.rows) == 1 + MOST_EMPTY_WINDOWS
    assert [each.kind for each in rest.changes][-1] == "ended"
    assert bucket.states.due() == []


def test_a_key_without_windows_is_never_due() -> None:
    bucket = KeyBucket.empty(a_stream(), 0)
    score_records(a_stream(), records_of(noise(10)), bucket)
    assert bucket.states.due() == []


def test_keys_have_forests_of_their_own() -> None:
    alone = score_records(a_stream(), records_of(noise(100))).rows
    mixed: list[RawRecord] = []
    for record in records_of(noise(100)):
        mixed += [record, record._replace(data=record.data.replace(b'"a"', b'"b"'))]
    together = score_records(a_stream(), mixed).rows

    assert [row for row in together if row.key == "a"] == alone
    assert [row.score for row in together if row.key == "b"] != [row.score for row in alone]


def of_keys(keys: str, **fields: Any) -> list[RawRecord]:
    return [a_record(n, id=key, **fields) for n, key in enumerate(keys)]


def test_a_key_beyond_the_limit_is_rejected_and_the_others_continue() -> None:
    stream = a_stream(keys=KeySettings(limit=2))
    result = score_records(stream, of_keys("abcabc"))

    assert Counter(row.key for row in result.rows) == {"a": 2, "b": 2}
    assert {(each.reason, each.detail) for each in result.rejected} == {
        (Reason.TOO_MANY_KEYS, "2 keys have a forest already; see keys.limit")
    }


def test_a_new_key_replaces_idle_ones_if_the_limit_is_reached() -> None:
    stream = a_stream(keys=KeySettings(limit=2, idle_days=1))
    bucket = KeyBucket.empty(stream, 0)
    score_records(stream, of_keys("ab"), bucket)
    score_records(stream, [a_record(2, id="b", at=START + DAY)], bucket)
    result = score_records(stream, [a_record(3, id="c", at=START + DAY + 60)], bucket)

    assert result.evicted == ["a"]
    assert set(bucket.states) == {"b", "c"}
    assert result.accepted == 1
