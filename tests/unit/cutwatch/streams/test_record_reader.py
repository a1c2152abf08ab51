import json
from collections.abc import Sequence
from typing import Any

from cutwatch.streams.key_state import KeyState
from cutwatch.streams.preprocessing import Preprocessed, PythonPreprocessor
from cutwatch.streams.record import RawRecord, Record, Rejected
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import StreamScorer
from tests.support.streams import START, a_record, a_stream


def by_kind(data: bytes) -> Any:
    """Drop records of 0, divide those of 2, and fail for those of 3."""
    record = json.loads(data)
    kinds = {0: None, 1: record, 2: [record, record | {"x": 5}, record | {"id": "b"}]}
    return kinds[record["x"]]


PREPROCESSOR = PythonPreprocessor(by_kind)
MIXED = [a_record(n, x=n % 4) for n in range(40)]


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
    result = StreamScorer(a_stream(), PREPROCESSOR).score(dict[str, KeyState](), MIXED)

    assert (result.read, result.dropped, result.added) == (40, 10, 20)
    assert len(result.rejected) == 10
    assert result.accepted + result.late + len(result.rejected) + result.dropped == result.read + result.added  # fmt: skip
    assert len({(row.key, row.origin) for row in result.rows}) == len(result.rows) == 40


def test_records_that_come_again_are_not_applied_again() -> None:
    scorer, states = StreamScorer(a_stream(), PREPROCESSOR), dict[str, KeyState]()
    scorer.score(states, MIXED[:25])
    again = scorer.score(states, MIXED)
    whole = StreamScorer(a_stream(), PREPROCESSOR).score(dict[str, KeyState](), MIXED)

    assert again.duplicates > 0
    assert again.rows == whole.rows[-len(again.rows) :]
