from typing import Any

import pytest

from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.errors import InvalidReference
from cutwatch.streams.decoding import Decoder
from cutwatch.streams.record import RawRecord, Reason, Record, Rejected
from cutwatch.streams.reference import MOST_BYTES, ReferenceJoin, ReferenceTable
from tests.support.streams import LONG_AFTER, START, a_record

CSV = ReferenceData("s3://bucket/machines.csv", "id", "id")
LINES = ReferenceData("s3://bucket/machines.jsonl", "id", "id")
MACHINES = b'\xef\xbb\xbfid, limit ,site\r\n007,5.5,"B, 1"\r\n8,-1e3,\r\n\r\n9,x,1\r\n'


def table(content: bytes, declared: ReferenceData = CSV) -> ReferenceTable:
    return ReferenceTable.from_bytes(content, declared)


def test_a_csv_object_has_a_row_per_key_with_numbers_as_numbers() -> None:
    rows = table(MACHINES)
    assert rows.row("007") == {"id": "007", "limit": 5.5, "site": "B, 1"}
    assert rows.row("8") == {"id": "8", "limit": -1000.0, "site": None}
    assert rows.row("9") == {"id": "9", "limit": "x", "site": 1}
    assert rows.row("7") is None


def test_json_lines_have_a_row_per_key() -> None:
    rows = table(b'{"id": 7, "limit": 5}\n\n{"id": "8"}\n', LINES)
    assert rows.row("7") == {"id": 7, "limit": 5}
    assert rows.row("8") == {"id": "8"}


def test_only_the_declared_columns_are_kept() -> None:
    declared = ReferenceData("s3://bucket/machines.csv", "id", "id", columns=("limit",))
    assert table(MACHINES, declared).row("007") == {"limit": 5.5}


@pytest.mark.parametrize(
    ("content", "declared", "message"),
    [
        (b"limit\n1\n", CSV, "machines.csv: the header has no column 'id'"),
        (b"", CSV, "machines.csv: the header has no column 'id'"),
        (b"id,x\n1\n", CSV, "machines.csv: line 2 has 1 columns instead of 2"),
        (b"id,x\n,1\n", CSV, "machines.csv: line 2 has no column 'id'"),
        (b"id\n1\n2\n1\n", CSV, "machines.csv: line 4 repeats a key"),
        (b'id\n"1\n', CSV, "machines.csv: line 2 is not CSV"),
        (b"\xff", CSV, "machines.csv: is not UTF-8 text"),
        (b"[]", LINES, "machines.jsonl: line 1 is not a JSON object"),
        (b'{"id": 1}\n{', LINES, "machines.jsonl: line 2 is not a JSON object"),
        (b"{}", LINES, "machines.jsonl: line 1 has no column 'id'"),
        (b"x" * (MOST_BYTES + 1), CSV, "has 10,485,761 bytes; at most 10,485,760 are read"),
    ],
)
def test_an_object_that_cannot_be_read_is_refused_with_its_line(
    content: bytes, declared: ReferenceData, message: str
) -> None:
    with pytest.raises(InvalidReference, match=message):
        table(content, declared)


def decode(values: dict[str, str], raw: RawRecord, *, required: bool = True, **fields: Any) -> Record | Rejected:  # fmt: skip
    record = RecordFormat("at", values, "id", time_format="seconds", **fields)
    join = ReferenceJoin(table(MACHINES), "id", ("limit", "site"), required)
    return Decoder(record, "UTC", join).decode(raw)


def test_a_json_record_sees_its_row_as_reference() -> None:
    values = {"x": "x", "limit": "reference.limit"}
    found = decode(values, a_record(id="007", x=3))
    assert isinstance(found, Record)
    assert (found.key, found.values) == ("007", (3.0, 5.5))


def test_a_csv_record_has_the_columns_of_its_row() -> None:
    values = {"x": "x", "limit": "reference.limit"}
    raw = RawRecord(b"8,%d,3" % START, "0", 1, LONG_AFTER)
    found = decode(values, raw, format="csv", columns=("id", "at", "x"))
    assert isinstance(found, Record)
    assert found.values == (3.0, -1000.0)


@pytest.mark.parametrize("key", ["none", 5, None, ["007"]])
def test_a_record_without_a_row_lacks_a_field(key: object) -> None:
    found = decode({"x": "x"}, a_record(id=key, x=3))
    assert isinstance(found, Rejected)
    assert (found.reason, found.detail) == (Reason.MISSING_FIELD, "reference.place has no row in the reference data")  # fmt: skip


def test_a_row_may_be_optional() -> None:
    record = a_record(id="none", x=3)
    found = decode({"x": "x", "limit": "reference.limit || `7`"}, record, required=False)
    assert isinstance(found, Record)
    assert found.values == (3.0, 7.0)
    missing = decode({"limit": "reference.limit"}, record, required=False)
    assert isinstance(missing, Rejected)
    assert missing.detail == "values.limit is missing"


def test_text_of_the_reference_data_is_not_a_number() -> None:
    found = decode({"limit": "reference.limit"}, a_record(id="9"))
    assert isinstance(found, Rejected)
    assert found.reason is Reason.NOT_A_NUMBER
