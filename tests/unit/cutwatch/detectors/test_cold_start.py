import json
from typing import Any

import pytest
from krcf import RandomCutForest

from cutwatch.anomaly_models.forest_options import forest_options
from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.errors import InvalidDetectors
from cutwatch.forests.learning_forest import LearningForest

FOREST = {"trees": 30, "sample_size": 512, "time_decay": 5_120}
METRIC = {
    "name": "latency",
    "namespace": "Shop",
    "metric": "Latency",
    "statistic": "Average",
    "engine": "lambda",
    "features": ["value"],
    "period": 300,
}
ENTRY = {
    "name": "vitals",
    "source": "vitals",
    "record": {"time": "at", "values": ["x", "y"]},
    "forest": FOREST,
    "cold_start": "latency",
}
ONE = {"time": "at", "values": ["x"]}
MEAN = {"type": "tumbling", "size": 300, "statistics": ["mean(x)"]}


def parsed(
    stream: dict[str, Any], detector: dict[str, Any], more: dict[str, Any] | None = None
) -> list[str]:
    """Return the mistakes of a file, without what says where they stand."""
    detectors = [each for each in (METRIC | detector, more) if each]
    text = json.dumps({"detectors": detectors, "streams": [ENTRY | {"record": ONE} | stream]})
    try:
        parse_configuration(text)
    except InvalidDetectors as error:
        mistakes = str(error).split("\n")
        assert all("stream 'vitals': cold_start: " in each for each in mistakes)
        return [each.partition("cold_start: ")[2] for each in mistakes]
    return []


@pytest.mark.parametrize(
    ("stream", "detector"),
    [
        ({}, {}),
        ({"window": MEAN}, {}),
        ({"forest": FOREST | {"shingle_size": 4}}, {"shingle_size": 4}),
        ({"forest": FOREST | {"directionality": True}}, {}),
    ],
    ids=["records", "windows", "shingles", "directionality"],
)
def test_a_stream_may_begin_with_a_detectors_forest_if_both_fit(
    stream: dict[str, Any], detector: dict[str, Any]
) -> None:
    assert parsed(stream, detector) == []


@pytest.mark.parametrize(
    ("stream", "detector", "mistake"),
    [
        ({"cold_start": "latenzy"}, {},
         "'latenzy' is not a detector of this file; detectors with engine: lambda and features: [value] are latency"),
        ({"cold_start": "latenzy"}, {"features": "auto"},
         "'latenzy' is not a detector of this file; detectors with engine: lambda and features: [value] are none"),
        ({}, {"engine": "sagemaker"},
         "'latency' has engine: sagemaker, whose forest does not learn; set engine: lambda for the detector"),
        ({}, {"features": "auto"},
         "'latency' has features: auto, but the stream's rows are values; set features: [value] for the detector"),
        ({}, {"features": ["value", "difference"]},
         "'latency' has features: [value, difference], but the stream's rows are values; set features: [value] for the detector"),
        ({}, {"shingle_size": 8},
         "'latency' has shingle_size: 8, but the stream has forest.shingle_size: 1; make them equal"),
        ({"window": MEAN | {"size": 60}}, {},
         "'latency' has period: 300, but the stream has window.size: 60; make them equal"),
        ({"window": {"type": "sliding", "size": 300, "every": 60, "statistics": ["mean(x)"]}}, {},
         "rows of detectors do not overlap, but the stream has window.type: sliding; use none or tumbling"),
        ({"record": ENTRY["record"]}, {},
         "'latency' has one column, but the stream has 2: x, y; keep one"),
        ({"features": "auto"}, {},
         "'latency' has one forest, of values, but the stream has features: auto; remove features"),
        ({"source": "kafka:vitals"}, {},
         "'latency' cannot be used with source 'kafka:vitals'; only streams of Kinesis begin with a detector's forest"),
        ({"model": "one_class_svm", "model_version": "0f3c5a7b9d12", "forest": {}}, {},
         "'latency' cannot be used with model one_class_svm, which begins with its trained model; remove cold_start"),
        ({"forest": FOREST | {"trees": 100}}, {},
         "forests of detectors have trees: 30, sample_size: 512, time_decay: 5120, but the stream's forest has trees: 100, "
         "sample_size: 512, time_decay: 5120; write forest: {trees: 30, sample_size: 512, time_decay: 5120}"),
        ({"forest": FOREST | {"time_decay": 100_000}}, {},
         "forests of detectors have trees: 30, sample_size: 512, time_decay: 5120, but the stream's forest has trees: 30, "
         "sample_size: 512, time_decay: 100000; write forest: {trees: 30, sample_size: 512, time_decay: 5120}"),
    ],
    ids=["unknown", "none usable", "sagemaker", "automatic features", "features", "shingle", "window", "overlapping windows",
         "columns", "features of the stream", "Kafka", "trained model", "trees", "time decay"],
)  # fmt: skip
def test_each_mismatch_is_one_sentence_with_what_would_be_right(
    stream: dict[str, Any], detector: dict[str, Any], mistake: str
) -> None:
    assert mistake in parsed(stream, detector)


def test_a_template_has_no_forest_of_its_own() -> None:
    template = METRIC | {"name": "latencies", "for_each": "Shop", "limit": 5}
    assert parsed({"cold_start": "latencies"}, {}, template) == [
        "'latencies' is a template; name a detector that is declared without for_each"
    ]


def test_the_parameters_are_those_with_which_detectors_forests_are_made() -> None:
    [made] = LearningForest.untrained(1, 1).forests
    declared = RandomCutForest(forest_options(DETECTOR_FOREST, 1, 0))
    for forest in (made, declared):
        forest.update([1.0])
    parameters = [json.loads(each.to_json())["rcf"] for each in (made, declared)]
    names = ("capacity", "time_decay")
    assert [[each[name] for name in names] for each in parameters] == [[512, 1 / 5_120]] * 2
    assert [len(each["sampler_plus_trees"]) for each in parameters] == [30, 30]
