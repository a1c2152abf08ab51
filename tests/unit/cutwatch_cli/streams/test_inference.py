import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.errors import InvalidInput
from cutwatch.streams.decoding import Decoder
from cutwatch.streams.record import RawRecord, Rejected
from cutwatch_cli.streams.inference import InferredFormat, infer_format
from cutwatch_cli.streams.sample_entry import entry_text
from cutwatch_cli.streams.sampled_fields import SampledRecord, fields_of

NOW = 1_780_000_000.0
STARTED = datetime.fromtimestamp(NOW, UTC).isoformat()


def inferred(*contents: dict[str, Any] | str, keys: list[str] | None = None) -> InferredFormat:
    """Return the format of records, as JSON or as they are, with partition keys."""
    data = [each if isinstance(each, str) else json.dumps(each) for each in contents]
    keys = keys or ["0"] * len(data)
    sampled = [SampledRecord(each.encode(), key, NOW) for each, key in zip(data, keys, strict=True)]
    return infer_format(fields_of(sampled), NOW)


def vitals(n: int) -> dict[str, Any]:
    return {
        "patient": {"id": f"p-{n % 3}", "bed": n % 5},
        "measured_at": f"2026-05-28T20:{n % 60:02}:00+00:00",
        "pressure": {"systolic": 100 + n % 7, "dia stolic": 70.5 + n % 9},
        "seq": n,
        "firmware": 4,
        "note": "fine",
        "level": "12",
    }


VITALS = [vitals(n) for n in range(30)]


def test_key_time_and_values_are_found_with_their_places() -> None:
    found = inferred(*VITALS, keys=[f"p-{n % 3}" for n in range(30)])

    assert (found.record.key, found.record.time) == ("patient.id", "measured_at")
    assert found.record.time_format == "iso8601"
    assert found.record.values == {
        "bed": "patient.bed",
        "systolic": "pressure.systolic",
        "dia_stolic": 'pressure."dia stolic"',
    }
    assert found.by_field["key"] == "equals the partition key in every record"
    assert found.by_field["systolic"] == "100 to 106"


def test_numbers_that_are_left_out_are_named_with_the_reason() -> None:
    assert inferred(*VITALS).comments == [
        "Left out, running numbers: seq.",
        "Left out, the same in every record: firmware.",
        "Left out, numbers in text, which a preprocessor can convert: level.",
    ]


def test_a_key_that_is_not_the_partition_key_is_uncertain() -> None:
    found = inferred(*VITALS)
    assert found.record.key == "patient.id"
    assert found.by_field["key"].startswith("not sure: it is not the partition key")


def test_a_partition_key_that_differs_in_most_records_is_uncertain() -> None:
    keys = [f"r-{n}" for n in range(20)]
    records = [{"request": key, "at": STARTED, "x": len(key)} for key in keys]
    found = inferred(*records, keys=keys)
    assert found.record.key == "request"
    assert found.by_field["key"].endswith("not sure: it differs in most records")


def test_without_a_key_all_records_share_a_forest() -> None:
    found = inferred({"at": STARTED, "x": 1}, {"at": STARTED, "x": 2})
    assert found.record.key == ""
    assert "share one forest" in found.by_field["key"]


@pytest.mark.parametrize(
    ("time", "time_format"),
    [(NOW - 5, "seconds"), (NOW * 1_000, "milliseconds"), (STARTED, "iso8601")],
)
def test_the_format_of_the_time_is_found_by_its_range(time: object, time_format: str) -> None:
    found = inferred({"x": 1, "t": time}, {"x": 2, "t": time})
    assert (found.record.time, found.record.time_format) == ("t", time_format)


def test_a_number_in_the_range_of_times_is_a_value_unless_it_is_near_the_arrival() -> None:
    records = [{"ts": NOW - n, "bytes": 1_500_000_000 + n * n} for n in range(9)]
    found = inferred(*records)
    assert (found.record.time, found.record.values) == ("ts", {"bytes": "bytes"})


def test_a_number_in_the_range_of_times_is_the_time_if_nothing_else_is() -> None:
    found = inferred("a,1600000000,5", "b,1600000001,6", "a,1600000002,6")
    assert (found.record.time, found.record.time_format) == ("column2", "seconds")
    assert "not sure" in found.by_field["time"]


def test_several_times_are_named() -> None:
    records = [{"created": STARTED, "event_time": STARTED, "x": n} for n in (1, 5)]
    found = inferred(*records)
    assert found.record.time == "event_time"
    assert found.by_field["time"] == "ISO 8601; others: created"


def test_a_time_without_a_zone_and_an_old_one_are_uncertain() -> None:
    found = inferred({"at": "2020-01-01T00:00:00", "x": 1}, {"at": "2020-01-01T00:00:01", "x": 2})
    assert "without a zone" in found.by_field["time"]
    assert "not sure: it is more than a day before the arrival" in found.by_field["time"]


def test_elements_of_lists_have_places() -> None:
    found = inferred(*({"at": STARTED, "r": [{"v": n}, {"v": 2 * n}]} for n in (3, 1, 4)))
    assert found.record.values == {"v": "r[0].v", "v_2": "r[1].v"}


def test_csv_without_a_header_has_numbered_columns() -> None:
    found = inferred("p-1;2026-05-28T20:00:00Z;7", "p-2;2026-05-28T20:00:01Z;8", "p-1;2026-05-28T20:00:02Z;8")  # fmt: skip
    record = found.record

    assert (record.format, record.delimiter, record.columns) == ("csv", ";", ("column1", "column2", "column3"))  # fmt: skip
    assert (record.time, record.values) == ("column2", {"column3": "column3"})
    assert found.comments == ["CSV without a header: rename the columns."]


def test_a_header_names_the_columns() -> None:
    found = inferred("id,when,x", *(f"a,{NOW - n:.0f},{n % 5}" for n in range(20)))
    record = found.record
    assert record.columns == ("id", "when", "x")
    assert (record.time, record.time_format) == ("when", "seconds")
    assert not [comment for comment in found.comments if "not CSV" in comment]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "no records"),
        (["\x00rubbish"], "neither JSON objects nor lines of CSV"),
        ([{"x": 1}], r"no field of every record is a time .* the fields are x"),
        ([{"at": STARTED}], r"no field of every record is a number; the fields are at"),
        ([{"at": "2999-01-01T00:00:00Z", "x": 1}], "no field of every record is a time"),
    ],
)
def test_records_that_cannot_be_scored_are_refused(records: list[Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        inferred(*records)


def test_aggregates_are_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidInput, match="set AggregationEnabled to false"):
        fields_of([SampledRecord(b"\xf3\x89\x9a\xc2rest")] * 3)


names = st.text(max_size=8) | st.sampled_from(["id", "device", "a b", "in.ner", "ünï", '"', "\\"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
trees = st.dictionaries(names, st.recursive(leaves, lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=3), max_leaves=5), max_size=5)  # fmt: skip
times = st.sampled_from([NOW, NOW * 1_000, STARTED, int(NOW)])


def check_accepted(contents: list[str]) -> None:
    """Validate the entry of records, and decode the records with it."""
    sampled = fields_of([SampledRecord(each.encode(), "k", NOW) for each in contents])
    found = infer_format(sampled, NOW)
    text = entry_text("arn:aws:kinesis:eu-west-1:123456789012:stream/any", found, "records")
    [stream] = parse_configuration(text).streams

    assert stream.record == found.record
    decoder = Decoder(stream.record, stream.time_zone)
    for record in sampled.records:
        decoded = decoder.decode(RawRecord(record.data, "0", 0, NOW))
        assert not isinstance(decoded, Rejected), (decoded, text)


@settings(max_examples=60, deadline=None)
@given(st.lists(trees, min_size=1, max_size=5), names, times)
def test_validate_accepts_the_entry_of_any_json_and_the_records_decode(
    records: list[dict[str, Any]], name: str, time: object
) -> None:
    known = [{"reading": n + 0.5, "t": {f"{name} time": time}} for n in range(len(records))]
    check_accepted([json.dumps(a | b) for a, b in zip(records, known, strict=True)])


cells = st.text(st.characters(exclude_characters='\r\n",;|\t', codec="utf-8"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_validate_accepts_the_entry_of_any_csv_and_the_records_decode(
    rows: list[tuple[str, str]], delimiter: str
) -> None:
    check_accepted([delimiter.join([STARTED, str(n + 0.5), *row]) for n, row in enumerate(rows)])
