import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.datasets.description import (
    Description,
    WindowDescription,
    dataset_in,
)
from cutwatch.detection.thresholds import Threshold
from cutwatch.errors import InvalidInput
from tests.support.builders import NOON, a_series, a_training_description, a_window_description

DESCRIPTIONS = (a_training_description(), a_window_description(checkpoint="scores/forest.npz"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def stored(description: Description) -> Any:
    return json.loads(json.dumps(description.to_payload()))


@pytest.mark.parametrize("description", DESCRIPTIONS, ids=lambda each: type(each).__name__)
def test_a_description_is_read_back_as_it_was_written(description: Description) -> None:
    back = type(description).from_payload(stored(description))

    assert stored(back) == stored(description)
    assert (back.dataset, back.detector) == (description.dataset, description.detector)
    assert (back.start, back.end, back.recipe) == (NOON, description.end, description.recipe)
    assert dataset_in(stored(description)) == description.dataset


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_a_series_is_read_back_with_its_gaps(values: list[float | None]) -> None:
    series = a_series(values)
    back = WindowDescription.from_payload(stored(a_window_description(observed=series))).observed

    np.testing.assert_array_equal(back.values, series.values)
    assert (back.start, back.period) == (series.start, series.period)


def test_a_window_is_scored_with_what_its_detection_needs() -> None:
    epochs, scores = np.array([int(NOON.timestamp())]), np.array([12.0])
    description = a_window_description()

    window = description.scored(epochs, scores)

    assert (window.start, window.follows) == (int(NOON.timestamp()), True)
    assert window.observed is description.observed
    assert (window.epochs.tolist(), window.scores.tolist()) == (epochs.tolist(), [12.0])
    assert isinstance(description.threshold, Threshold)


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        ("rows", -1, "description.rows is -1; expected a whole number, 0 or more"),
        ("start", 5, "description.start is 5; expected a text"),
        ("start", "yesterday", "description.start is 'yesterday'"),
        ("detector", {"name": "orders"}, "description.detector.namespace: is missing"),
        ("recipe", {}, "description.recipe.features is missing"),
        ("values", None, "description.values is None; expected a list"),
        ("values", [1.0, "2"], "description.values holds something other than numbers and null"),
        ("model", None, "description.model is None; expected a text"),
        ("baseline", {"mean": "x"}, "description.baseline.mean is 'x'; expected a number"),
        ("cutoff_method", "x", "description.cutoff_method is 'x'; expected one of adaptive"),
        ("lost_periods", -1, "description.lost_periods is -1; expected a whole number, 0 or more"),
    ],
)
def test_a_field_that_does_not_fit_is_named_with_what_would_be_right(
    field: str, value: Any, refusal: str
) -> None:
    payload = stored(a_window_description()) | {field: value}
    with pytest.raises(InvalidInput) as raised:
        WindowDescription.from_payload(payload)
    assert str(raised.value).startswith(refusal)


@given(st.sampled_from(sorted(stored(DESCRIPTIONS[1]))), JSON)
def test_any_other_content_of_a_field_is_read_or_refused(field: str, value: Any) -> None:
    for description in DESCRIPTIONS:
        try:
            type(description).from_payload(stored(description) | {field: value})
        except InvalidInput:
            continue
