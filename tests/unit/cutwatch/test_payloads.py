"""Payloads that do not fit are refused by field and value, with what would be right."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.datasets.dataset import datasets_of
from cutwatch.detectors.detector import Detector
from cutwatch.errors import InvalidInput
from cutwatch.payloads import read_all
from cutwatch.registry.run import Run
from cutwatch.runs.batch import name_of
from tests.support.builders import a_detector, a_ratio
from tests.support.sample_events import sample

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        ("name", 5, "detector.name is 5; expected a text"),
        ("period", "300", "detector.period is '300'; expected a whole number"),
        ("period", True, "detector.period is True; expected a whole number"),
        ("period", 301, "detector.period: 301 must be a multiple of 60 seconds"),
        ("history_days", 0, "detector.history_days is 0; expected a whole number, 1 or more"),
        ("direction", "up", "detector.direction is 'up'; expected one of both, above, below"),
        ("features", ["level"], "detector.features is ['level']; expected auto or a list of"),
        ("cutoff", 3, "detector.cutoff is 3; expected an object"),
        ("cutoff", {"method": "x"}, "detector.cutoff.method is 'x'; expected one of adaptive"),
        ("cutoff", {"sigmas": float("nan")}, "detector.cutoff.sigmas is nan; expected a number"),
        ("cutoff", {"sigmas": 10**400}, "detector.cutoff.sigmas is 1000"),
        ("exclude", [{"start": "22:00"}], "detector.exclude[0].end is missing; expected a text"),
        ("exclude", [{"start": "x", "end": "y"}], "detector.exclude[0].'x' to 'y': expected two"),
        ("exclude", "night", "detector.exclude is 'night'; expected a list of: an object"),
        ("dimensions", {"Shop": None}, "detector.dimensions.'Shop' is None; expected a text"),
        ("dimensions", ["Shop"], "detector.dimensions is ['Shop']; expected an object"),
        ("namespace", "\ud800", "detector.namespace is '\\ud800'; expected a text"),
        ("minimum_deviation", {"absolute": -1}, "detector.minimum_deviation.absolute is -1;"),
        ("time_zone", "Mars", "detector.time_zone: 'Mars' is not an IANA time zone"),
    ],
)
def test_a_field_that_does_not_fit_is_named_with_its_value_and_what_would_be_right(
    field: str, value: Any, refusal: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Detector.from_payload(a_detector().to_payload() | {field: value})
    assert str(refused.value).startswith(refusal)


def test_a_metric_of_an_expression_that_does_not_fit_is_named_with_its_place() -> None:
    payload = a_ratio().to_payload()
    payload["metrics"]["errors"]["statistic"] = "Mean"
    with pytest.raises(InvalidInput, match=r"^detector\.metrics\.'errors'\.statistic: 'Mean' is"):
        Detector.from_payload(payload)


@pytest.mark.parametrize("payload", [None, [], "orders", 5, {}])
def test_what_is_no_detector_at_all_is_refused(payload: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^detector(\.name)? is "):
        Detector.from_payload(payload)


def test_the_one_of_a_list_that_does_not_fit_is_named_by_its_place() -> None:
    with pytest.raises(InvalidInput, match=r"^detectors\[1\] is None; expected an object"):
        read_all(Detector, [a_detector().to_payload(), None], "detectors")
    with pytest.raises(InvalidInput, match=r"^detectors is 'all'; expected a list"):
        read_all(Detector, "all", "detectors")


@given(st.sampled_from(sorted(Detector.__dataclass_fields__)), JSON)
def test_any_value_of_any_field_becomes_a_detector_that_travels_or_is_refused(
    field: str, value: Any
) -> None:
    try:
        detector = Detector.from_payload(a_detector().to_payload() | {field: value})
    except InvalidInput:
        return
    travelled = json.loads(json.dumps(detector.to_payload(), allow_nan=False))
    assert Detector.from_payload(travelled) == detector


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"kind": "test"}, r"run\.kind is 'test'; expected one of training, transform"),
        ({"id": "../x"}, r"run\.id is '\.\./x'; expected such as transform-"),
        ({"now": "soon"}, "now is 'soon'; expected ISO 8601"),
        ({"scheduled_time": "1970-01-01T00:00:00Z"}, r"run\.scheduled_time is '1970"),
        ({"on_demand": "no"}, r"run\.on_demand is 'no'; expected true or false"),
    ],
)
def test_a_run_that_cannot_be_is_refused(changed: dict[str, Any], refusal: str) -> None:
    with pytest.raises(InvalidInput, match=refusal):
        Run.from_payload(sample("store_metric_data")["run"] | changed)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"rows": -1}, r"datasets\[0\]\.rows is -1; expected a whole number, 0 or more"),
        ({"files": 0}, r"datasets\[0\]\.files is 0; expected a whole number, 1 or more"),
        ({"prefix": None}, r"datasets\[0\]\.prefix is None; expected a text"),
        ({"model": 1}, r"datasets\[0\]\.model is 1; expected a text or null"),
    ],
)
def test_a_dataset_that_does_not_fit_is_refused(changed: dict[str, Any], refusal: str) -> None:
    event = sample("train_forest")
    event["datasets"][0] |= changed
    with pytest.raises(InvalidInput, match=refusal):
        datasets_of(event)


def test_a_job_has_a_name_or_none() -> None:
    assert name_of(sample("register_model"), "model") is not None
    assert name_of({"model": {"name": None}}, "model") is None
    refused: tuple[Any, ...] = ([], {"name": ""}, {"name": 5})
    for wrong in refused:
        with pytest.raises(InvalidInput, match=r"^model"):
            name_of({"model": wrong}, "model")
