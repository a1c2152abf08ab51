import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.record_format import RecordFormat
from cutwatch.streams.decoding import Decoder
from cutwatch.streams.record import RawRecord, Reason, Record, Rejected

NOW = 1_780_000_000.0
JSON = RecordFormat("at", {"x": "a.x", "y": "b[0].y"}, "id")
CSV = RecordFormat(
    "at", {"x": "x"}, "id", format="csv", columns=("id", "at", "x"), time_format="seconds"
)
GOOD: dict[str, Any] = {"id": "k", "at": "2026-01-01T00:00:00Z", "a": {"x": 1}, "b": [{"y": 2.5}]}


def decoded(data: bytes, declared: RecordFormat = JSON, zone: str = "UTC") -> Record | Rejected:
    return Decoder(declared, zone).decode(RawRecord(data, "shard-1", 7, NOW))


def reason(data: bytes, declared: RecordFormat = JSON) -> tuple[Reason, str]:
    found = decoded(data, declared)
    assert isinstance(found, Rejected)
    assert (found.lane, found.position) == ("shard-1", 7)
    return found.reason, found.detail


def time_of(found: Record | Rejected) -> float:
    assert isinstance(found, Record)
    return found.time


def of(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def test_a_record_has_key_time_and_values_in_the_order_of_the_declaration() -> None:
    assert decoded(of()) == Record("k", 1_767_225_600.0, (1.0, 2.5), "shard-1", 7)


def test_without_a_declared_key_all_records_share_one() -> None:
    found = decoded(of(), replace(JSON, key=""))
    assert isinstance(found, Record)
    assert found.key == ""


def test_a_whole_number_is_a_key() -> None:
    found = decoded(of(id=17))
    assert isinstance(found, Record)
    assert found.key == "17"


def test_a_time_without_a_zone_is_in_the_streams_zone() -> None:
    local = of(at="2026-01-01T01:00:00")
    assert time_of(decoded(local, zone="Europe/Berlin")) == 1_767_225_600


@pytest.mark.parametrize(("unit", "given"), [("seconds", 1_767_225_600.5), ("milliseconds", 1_767_225_600_500)])  # fmt: skip
def test_a_time_may_be_a_number_since_1970(unit: Any, given: float) -> None:
    assert time_of(decoded(of(at=given), replace(JSON, time_format=unit))) == 1_767_225_600.5


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"{", Reason.NOT_JSON),
        (b"\xff\xfe", Reason.NOT_JSON),
        (b"", Reason.NOT_JSON),
        (b"[" * 100_000, Reason.NOT_JSON),
        (b"\xf3\x89\x9a\xc2\x0a\x01", Reason.AGGREGATE),
        (b"[1, 2]", Reason.MISSING_FIELD),
        (b"null", Reason.MISSING_FIELD),
        (of(id=None), Reason.MISSING_FIELD),
        (of(at=None), Reason.MISSING_FIELD),
        (of(a={}), Reason.MISSING_FIELD),
        (of(a=[1]), Reason.MISSING_FIELD),
        (of(b=[]), Reason.MISSING_FIELD),
        (of(id={"a": 1}), Reason.NOT_A_KEY),
        (of(id=True), Reason.NOT_A_KEY),
        (of(id="k" * 10_000), Reason.KEY_TOO_LONG),
        (of(id=10**4_000), Reason.KEY_TOO_LONG),
        (of(a={"x": "1"}), Reason.NOT_A_NUMBER),
        (of(a={"x": True}), Reason.NOT_A_NUMBER),
        (of(a={"x": [1]}), Reason.NOT_A_NUMBER),
        (of(a={"x": float("nan")}), Reason.NOT_FINITE),
        (of(a={"x": float("-inf")}), Reason.NOT_FINITE),
        (of(a={"x": 10**400}), Reason.NOT_FINITE),
        (of(a={"x": 1.1e30}), Reason.TOO_LARGE),
        (of(a={"x": -1e300}), Reason.TOO_LARGE),
        (of(at="yesterday"), Reason.NOT_A_TIME),
        (of(at=5), Reason.NOT_A_TIME),
        (of(at="0001-01-01T00:00:00"), Reason.NOT_A_TIME),
        (of(at="2026-05-28T20:31:41Z"), Reason.IN_THE_FUTURE),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_rejected_record_has_one_reason(data: bytes, expected: Reason) -> None:
    assert reason(data)[0] == expected


def test_a_producers_clock_may_be_five_minutes_ahead() -> None:
    declared = replace(JSON, time_format="seconds")

    assert time_of(decoded(of(at=NOW + 300), declared)) == NOW + 300
    assert reason(of(at=NOW + 301), declared)[0] == Reason.IN_THE_FUTURE
    assert reason(of(at=float("nan")), declared)[0] == Reason.NOT_A_TIME


def test_the_detail_names_the_field_and_nothing_of_the_record() -> None:
    assert reason(of(b=[{"y": "secret"}]))[1] == "values.y is not a number"


def test_a_csv_record_has_its_columns_by_position() -> None:
    found = decoded(b'"k, 1", 100 ,-2.5e1\r\n', CSV)
    assert found == Record("k, 1", 100.0, (-25.0,), "shard-1", 7)


def test_csv_may_have_another_delimiter_and_no_key() -> None:
    found = decoded(b"k;100;1", replace(CSV, delimiter=";", key=""))
    assert found == Record("", 100.0, (1.0,), "shard-1", 7)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"k,100", Reason.NOT_CSV),
        (b"k,100,1,2", Reason.NOT_CSV),
        (b'"k,100,1', Reason.NOT_CSV),
        (b"k,100,1\nk,101,2", Reason.NOT_CSV),
        (b"\xff", Reason.NOT_CSV),
        (b"k,100,", Reason.MISSING_FIELD),
        (b",100,1", Reason.MISSING_FIELD),
        (b"k,,1", Reason.MISSING_FIELD),
        (b"k,noon,1", Reason.NOT_A_TIME),
        (b"k,100,1_000", Reason.NOT_A_NUMBER),
        (b"k,100,one", Reason.NOT_A_NUMBER),
        (b"k,100,nan", Reason.NOT_FINITE),
        (b"k,100,1e31", Reason.TOO_LARGE),
        (b"\xf3\x89\x9a\xc2", Reason.AGGREGATE),
    ],
)
def test_a_rejected_csv_record_has_one_reason(data: bytes, expected: Reason) -> None:
    assert reason(data, CSV)[0] == expected


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), lambda each: st.lists(each) | st.dictionaries(st.sampled_from(["id", "at", "a", "x", "b", "y"]), each)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_no_content_raises(data: bytes) -> None:
    for declared in (JSON, CSV):
        assert isinstance(decoded(data, declared), Record | Rejected)
