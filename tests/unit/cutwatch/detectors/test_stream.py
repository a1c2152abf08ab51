import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.detectors.stream import ForestSettings, IncidentBegin, KeySettings, Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.errors import InvalidDetectors

VITALS: dict[str, Any] = {
    "name": "vitals",
    "source": "arn:aws:kinesis:eu-west-1:123456789012:stream/vitals",
    "record": {
        "key": "patient.id",
        "time": "measured_at",
        "values": {"systolic": "pressure.systolic", "diastolic": "pressure.diastolic"},
    },
}
CSV = {
    "format": "csv",
    "columns": ["patient", "at", "systolic"],
    "key": "patient",
    "time": "at",
    "values": ["systolic"],
}
MINUTES = {"type": "tumbling", "size": 60, "statistics": ["count", "mean(systolic)"]}

REFERENCE = {"s3": "s3://bucket/x.csv", "key": "k", "place": "patient.id"}
SLIDING = MINUTES | {"type": "sliding", "every": 10}


def document(*streams: Any, **others: Any) -> str:
    return yaml.safe_dump({"streams": list(streams), **others}, sort_keys=False)


def parsed(**changes: Any) -> Stream:
    [stream] = parse_configuration(document(VITALS | changes)).streams
    return stream


def mistakes(text: str) -> list[str]:
    with pytest.raises(InvalidDetectors) as refused:
        parse_configuration(text)
    return [re.sub(r"(?<=: )line \d+: ", "", line) for line in str(refused.value).splitlines()]


def test_the_defaults_are_those_of_random_cut_forest_in_sql() -> None:
    stream = parsed()

    assert stream.forest == ForestSettings(100, 256, 100_000, 1, directionality=False)
    assert (stream.window.type, stream.keys) == ("none", KeySettings(100, 7.0))
    assert (stream.sensitivity, stream.direction, stream.exclude) == ("medium", "both", ())
    assert stream.columns == ("systolic", "diastolic")


def test_columns_of_csv_records_may_be_a_list() -> None:
    assert parsed(record=CSV).record.values == {"systolic": "systolic"}


def test_the_statistics_of_a_window_are_the_columns() -> None:
    assert parsed(window=MINUTES).columns == ("count", "mean(systolic)")


def test_a_file_may_have_detectors_and_streams() -> None:
    orders = {"name": "orders", "namespace": "Shop", "metric": "Orders", "statistic": "Sum"}
    found = parse_configuration(document(VITALS, detectors=[orders]))

    assert [each.name for each in found.detectors] == ["orders"]
    assert [each.name for each in found.streams] == ["vitals"]


def test_a_stream_and_a_detector_do_not_share_a_name() -> None:
    orders = {"name": "vitals", "namespace": "Shop", "metric": "Orders", "statistic": "Sum"}
    assert mistakes(document(VITALS, detectors=[orders])) == [
        "detectors.yaml: stream 'vitals': name: is used more than once"
    ]


def test_a_file_without_any_entry_is_refused() -> None:
    assert mistakes(document()) == [
        "detectors.yaml: detectors: is empty; add at least one detector"
    ]


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"source": "a b"}, "source: 'a b' is not the name of a Kinesis stream, nor an ARN such as"),
        ({"source": "arn:aws:sqs:eu-west-1:123456789012:q"}, "source: 'arn:aws:sqs"),
        ({"name": "vitals of all"}, "name: 'vitals of all' must be 1 to 64 of"),
        ({"time_zone": "Berlin"}, "time_zone: 'Berlin' is not an IANA time zone"),
        ({"forest": {"trees": 1_001}}, "forest.trees: 1001: input should be less than or equal to 1000"),
        ({"forest": {"sample_size": 9}}, "forest.sample_size: 9: input should be greater than"),
        ({"forest": {"shingle_size": 31}}, "forest.shingle_size: 31: input should be less than"),
        ({"forest": {"time_decay": 256}}, "forest.time_decay: 256 must be greater than sample_size, 256"),
        ({"forest": {"tree": 1}}, "forest.tree: is not a field; the fields are trees, sample_size,"),
        ({"keys": {"limit": 0}}, "keys.limit: 0: input should be greater than or equal to 1"),
        ({"keys": {"idle_days": 0}}, "keys.idle_days: 0: input should be greater than"),
        ({"reference": {"s3": "bucket/x.csv", "key": "k", "place": "o"}}, "reference.s3: 'bucket/x.csv' is not the URI of a .csv, .json, .jsonl or .ndjson object"),
        ({"reference": {"s3": "s3://bucket/x.csv", "place": "o"}}, "reference.key: is missing; expected a column of the object"),
        ({"reference": {"s3": "s3://bucket/x.csv", "key": "k"}}, "reference.place: is missing; expected a place of the record"),
        ({"reference": {"key": "k"}}, "reference.s3: is missing; expected an object such as"),
        ({"reference": REFERENCE | {"refresh": 1}}, "reference.refresh: 1: input should be greater than or equal to 10"),
        ({"reference": REFERENCE | {"every": 1}}, "reference.every: is not a field; the fields are s3, key, place, columns, required, refresh"),
        ({"reference": REFERENCE | {"place": "a["}}, "reference.place: 'a[' is not a JMESPath expression"),
        ({"reference": REFERENCE, "record": CSV}, "reference.place: 'patient.id' is not one of the columns patient, at, systolic"),
        ({"reference": REFERENCE | {"place": "patient"}, "record": CSV | {"values": ["systolic", "reference.limit"]}}, "record.values: 'reference.limit': reference.columns does not have it"),
        ({"preprocess": "clean.py"}, "preprocess: 'clean.py' is not a Python function such as cleaning:clean, nor the ARN"),
        ({"preprocess": "own:clean", "record": CSV}, "preprocess: a Python function returns fields by name; set record.format: json"),
        ({"postprocess": "events.py"}, "postprocess: 'events.py' is not a Python function such as events:extend, nor the ARN of a Lambda function"),
        ({"preprocess": "arn:aws:lambda:eu-north-1:123456789012:function:f"}, "preprocess: 'arn:aws:lambda:eu-north-1:123456789012:function:f' is in eu-north-1, but the stream is in eu-west-1"),
        ({"postprocess": "arn:aws:lambda:eu-north-1:123456789012:function:f"}, "postprocess: 'arn:aws:lambda:eu-north-1:123456789012:function:f' is in eu-north-1, but the stream is in eu-west-1"),
        ({"notify": {"at_least": 0}}, "notify.at_least: 0: input should be greater than or equal to 1"),
        ({"notify": {"within": 0.5}}, "notify.within: 0.5: input should be greater than or equal to 1"),
        ({"notify": {"above": 2}}, "notify.above: is not a field; the fields are at_least, within, severity, score"),
        ({"sensitivity": "max"}, "sensitivity: 'max' is not allowed; expected 'low', 'medium' or"),
        ({"exclude": [{"start": "24:00", "end": "02:00"}]}, "exclude.0.start: '24:00' is not a time"),
        ({"window": {"size": 60}}, "window.size: belongs to windows; set type: tumbling,"),
        ({"window": {"type": "tumbling"}}, "window.size: is missing; expected seconds, 1 to 3600"),
        ({"window": MINUTES | {"size": 3_601}}, "window.size: 3601: expected seconds, 1 to 3600"),
        ({"window": MINUTES | {"every": 10}}, "window.every: belongs to type: sliding or count"),
        ({"window": SLIDING | {"every": None}}, "window.every: is missing; expected the seconds from one row"),
        ({"window": SLIDING | {"every": 7}}, "window.every: 7 does not divide size, 60"),
        ({"window": SLIDING | {"size": 3_600, "every": 5}}, "window.every: 5 divides size, 3600, into 720 steps; at most 360"),
        ({"window": SLIDING | {"allowed_lateness": 86_400}}, "window.allowed_lateness: 86400 s of steps of 10 s are too many; at most 1,000"),
        ({"window": MINUTES | {"allowed_lateness": 43_200, "statistics": ["p95(systolic)"]}}, "window.statistics: percentiles of this many values"),
        ({"window": MINUTES | {"type": "count", "size": 10_001}}, "window.size: 10001: input should be less than"),
        ({"window": {"type": "count", "statistics": ["count"]}}, "window.size: is missing; expected records, 1 to 10000"),
        ({"window": MINUTES | {"missing_data": "zero"}}, "window.missing_data: 'zero' is for count and sum(x); without records, there is no mean(systolic)"),
        ({"window": {"type": "stagger", "size": 60, "statistics": ["count"], "missing_data": "zero"}}, "window.missing_data: 'zero' belongs to type: tumbling or sliding"),
        ({"window": {"missing_data": "zero"}}, "window.missing_data: 'zero' belongs to type: tumbling or sliding"),
        ({"window": {"type": "hopping"}}, "window.type: 'hopping' is not allowed; expected 'none', 'tumbling', 'sliding', 'stagger' or 'count'"),
        ({"window": MINUTES | {"statistics": ["median(systolic)"]}}, "window.statistics: 'median(systolic)' is not count"),
        ({"window": MINUTES | {"statistics": ["p95(pulse)"]}}, "window.statistics: 'p95(pulse)': 'pulse' is not one of"),
        ({"window": MINUTES | {"statistics": ["count", "count"]}}, "window.statistics: 'count' is named twice"),
        ({"record": VITALS["record"] | {"time": "a..b"}}, "record.time: 'a..b' is not a JMESPath"),
        ({"record": VITALS["record"] | {"values": {}}}, "record.values: {}: dictionary should have at least"),
        ({"record": VITALS["record"] | {"values": {"a b": "c"}}}, "record.values: 'a b' must be 1 to 64"),
        ({"record": VITALS["record"] | {"columns": ["a"]}}, "record.columns: belong to format: csv"),
        ({"record": {"time": "at"}}, "record.values: is missing"),
        ({"record": CSV | {"columns": []}}, "record.columns: is missing; list the names"),
        ({"record": CSV | {"columns": ["at", "at"]}}, "record.columns: 'at' is named twice"),
        ({"record": CSV | {"time": "when"}}, "record.time: 'when' is not one of the columns patient"),
        ({"record": CSV | {"delimiter": "::"}}, "record.delimiter: '::': "),
        ({"features": ["value", "slope"]}, "features: ['value', 'slope'] is not allowed; expected auto, or a list of value, difference, residual"),
        ({"features": "all"}, "features: 'all' is not allowed; expected auto, or a list of"),
        ({"features": []}, "features: [] is not allowed; expected auto, or a list of"),
        ({"features": ["value", "value"]}, "features: ['value', 'value'] names a feature twice"),
        ({"features": "auto", "model": "one_class_svm", "model_version": "0f3c5a7b9d12"}, "features: belongs to a forest of plain records, not to a stream with a trained model"),
        ({"nmae": "vitals"}, "nmae: is not a field; the fields are name, source, record, log, model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_mistake_names_the_field_the_value_and_what_would_be_right(
    change: dict[str, Any], mistake: str
) -> None:
    name = change.get("name", "vitals")
    found = mistakes(document(VITALS | change))
    assert found[0].startswith(f"detectors.yaml: stream {name!r}: {mistake}")


def test_all_mistakes_are_reported_with_their_lines() -> None:
    text = """\
streams:
  - name: vitals
    source: vitals
    forest:
      trees: 0
    record:
      time: at
      values: {x: "a["}
"""
    with pytest.raises(InvalidDetectors) as refused:
        parse_configuration(text)
    lines = str(refused.value).splitlines()

    assert [line.partition(": stream")[0] for line in lines] == [
        "detectors.yaml: line 8",
        "detectors.yaml: line 5",
    ]


def test_an_entry_without_a_name_is_called_by_its_number() -> None:
    nameless = {name: value for name, value in VITALS.items() if name != "name"}
    assert mistakes(document(VITALS, nameless)) == [
        "detectors.yaml: stream number 2: name: is missing"
    ]


@pytest.mark.slow
@given(st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.sampled_from(["name", "source", "record", "window", "forest", "time", "values", "columns"]), each)))  # fmt: skip
def test_whatever_stands_in_the_file_is_refused_in_sentences(entry: Any) -> None:
    assert mistakes(document(entry))


def test_the_period_of_refreshing_reference_data_does_not_matter_to_states() -> None:
    often, seldom = (ReferenceData("s3://bucket/x.csv", "k", "x", refresh=n) for n in (10, 500))
    assert replace(STREAM, reference=often).fingerprint == replace(STREAM, reference=seldom).fingerprint  # fmt: skip


def test_a_csv_stream_may_take_values_from_its_reference_data() -> None:
    reference = REFERENCE | {"place": "patient", "columns": ["limit"]}
    values = {"x": "systolic", "limit": "reference.limit"}
    assert parsed(reference=reference, record=CSV | {"values": values}).columns == ("x", "limit")


STREAM = Stream("vitals", "vitals", RecordFormat("at", {"x": "x", "y": "y"}))


@pytest.mark.parametrize(
    "changed",
    [
        replace(STREAM, record=replace(STREAM.record, values={"x": "x"})),
        replace(STREAM, record=replace(STREAM.record, values={"y": "y", "x": "x"})),
        replace(STREAM, forest=ForestSettings(trees=50)),
        replace(STREAM, window=StreamWindow("tumbling", 60, ("count",))),
        replace(STREAM, preprocess="own:clean"),
        replace(STREAM, features="auto"),
        replace(STREAM, reference=ReferenceData("s3://bucket/x.csv", "k", "x")),
    ],
)
def test_states_become_invalid_with_a_setting_that_scores_depend_on(changed: Stream) -> None:
    assert changed.fingerprint != STREAM.fingerprint


def test_states_of_streams_without_features_stay_valid() -> None:
    assert STREAM.fingerprint == "5726747a8b8e"
    assert parsed(features=["difference", "value"]).feature_names == ("difference", "value")
    assert parsed(features="auto").feature_names == ("value", "difference", "residual")


@pytest.mark.parametrize(
    "changed",
    [
        replace(STREAM, sensitivity="high"),
        replace(STREAM, forest=ForestSettings(directionality=True)),
        replace(STREAM, keys=KeySettings(limit=5)),
        replace(STREAM, notify=IncidentBegin(3)),
        replace(STREAM, postprocess="own:extend"),
    ],
)
def test_states_stay_valid_with_another_sensitivity_or_limit(changed: Stream) -> None:
    assert changed.fingerprint == STREAM.fingerprint
