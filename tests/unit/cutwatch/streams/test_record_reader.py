import json
from collections.abc import Sequence
from typing import Any

import pytest

from cutwatch.streams.buckets import bucket_of
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.preprocessing import Preprocessed, PythonPreprocessor
from cutwatch.streams.record import RawRecord, Record, Rejected
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import BatchResult, StreamScorer
from tests.support.streams import START, a_record, a_stream


def by_kind(data: bytes) -> Any:
    """Drop records of 0, divide those of 2, and fail for those of 3."""
    record = json.loads(data)
    kinds = {0: None, 1: record, 2: [record, record | {"x": 5}, record | {"id": "b"}]}
    return kinds[record["x"]]


PREPROCESSOR = PythonPreprocessor(by_kind)
STREAM = a_stream()
MIXED = [a_record(n, x=n % 4) for n in range(40)]


def scored(bucket: KeyBucket, records: list[RawRecord]) -> BatchResult:
    scorer = StreamScorer(STREAM, reader=RecordReader(STREAM, PREPROCESSOR))
    return scorer.score(bucket, scorer.by_bucket(records)[0])


def test_a_divided_record_goes_to_the_buckets_of_its_keys() -> None:
    scorer = StreamScorer(STREAM, 64, RecordReader(STREAM, PREPROCESSOR))
    divided = scorer.by_bucket([a_record(3, x=2), a_record(4, x=0)._replace(partition="p")])
    sizes = {number: [len(each.contents) for each in arrived] for number, arrived in divided.items()}  # fmt: skip
    assert sizes == {bucket_of("a", 64): [2], bucket_of("b", 64): [1], bucket_of("p", 64): [0]}


def test_what_a_stream_declares_is_not_left_out() -> None:
    reader = RecordReader(a_stream(preprocess="own:clean"))
    with pytest.raises(ValueError, match="declares a preprocessor or reference data"):
        list(reader.read([a_record()]))


def test_without_a_preprocessor_every_record_is_decoded() -> None:
    [(raw, (record,))] = RecordReader(a_stream()).read([a_record(3, x=7)])
    assert record == Record("a", START + 3, (7.0,), "0", 3)
    assert raw.position == 3


def test_a_divided_record_has_a_lane_for_each_part() -> None:
    [(_, contents)] = RecordReader(a_stream(), PREPROCESSOR).read([a_record(3, x=2)])
    assert [(each.lane, each.position) for each in contents] == [("0", 3), ("0#1", 3), ("0#2", 3)]
    assert [each.key for each in contents if isinstance(each, Record)] == ["a", "a", "b"]


def test_a_preprocessed_record_is_decoded_like_any_other() -> None:
    class Text:
        def process(self, records: Sequence[RawRecord]) -> Sequence[Preprocessed]:
            return [Preprocessed((b"rubbish",)) for _ in records]

    [(_, [rejected])] = RecordReader(a_stream(), Text()).read([a_record()])
    assert isinstance(rejected, Rejected)


def test_every_record_is_counted_with_what_the_preprocessor_made_of_it() -> None:
    result = scored(KeyBucket.empty(STREAM, 0), MIXED)

    assert (result.read, result.dropped, result.added) == (40, 10, 20)
    assert len(result.rejected) == 10
    assert result.accepted + result.late + len(result.rejected) + result.dropped == result.read + result.added  # fmt: skip
    assert len({(row.key, row.origin) for row in result.rows}) == len(result.rows) == 40


def test_records_that_come_again_are_not_applied_again() -> None:
    bucket = KeyBucket.empty(STREAM, 0)
    scored(bucket, MIXED[:25])
    again = scored(bucket, MIXED)
    whole = scored(KeyBucket.empty(STREAM, 0), MIXED)

    assert again.duplicates == 25
    assert (bucket.totals.dropped, bucket.totals.accepted) == (whole.dropped, whole.accepted)
    assert again.rows == whole.rows[-len(again.rows) :]


def test_scored_rows_of_a_divided_record_have_ids_of_their_own() -> None:
    def ids() -> list[str]:
        scorer = StreamScorer(STREAM, reader=RecordReader(STREAM, PREPROCESSOR), keeps_rows=True)
        bucket = KeyBucket.empty(STREAM, 0)
        scorer.score(bucket, scorer.by_bucket([a_record(3, x=2), a_record(5, x=1)])[0])
        return [row["id"] for row in bucket.outbox.rows]

    assert ids() == ids() == ["sensors:a:0:3", "sensors:a:0#1:3", "sensors:b:0#2:3", "sensors:a:0:5"]  # fmt: skip
