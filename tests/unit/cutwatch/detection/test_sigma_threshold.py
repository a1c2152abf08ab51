import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutwatch.detection.sigma_threshold import Cutoff

scores = st.lists(st.integers(0, 10**9), min_size=1, max_size=50).map(
    lambda counts: np.array(counts) / 1e3
)
sigmas = st.floats(0.1, 10)


def test_the_cutoff_is_mean_plus_k_standard_deviations() -> None:
    cutoff = Cutoff.of_scores(np.array([1.0, 3.0]), 3)

    assert (cutoff.mean, cutoff.standard_deviation, cutoff.value) == (2.0, 1.0, 5.0)


@pytest.mark.parametrize("value", [0.0, 0.7, 1e6])
def test_equal_scores_flag_none_of_themselves(value: float) -> None:
    equal = np.full(100, value)
    assert Cutoff.of_scores(equal, 3).value >= value


def test_scores_that_differ_by_rounding_only_flag_nothing() -> None:
    nearly_equal = np.full(1_000, 0.7)
    nearly_equal[0] += 1e-9

    assert (nearly_equal <= Cutoff.of_scores(nearly_equal, 3).value).all()


def test_scores_that_are_all_zero_still_have_a_cutoff_to_measure_others_by() -> None:
    assert Cutoff.of_scores(np.zeros(100), 3).value > 0


@given(scores, sigmas)
def test_no_more_than_one_in_k_squared_of_the_reference_scores_is_flagged(
    reference: NDArray[np.float64], k: float
) -> None:
    flagged = (reference > Cutoff.of_scores(reference, k).value).mean()
    assert flagged <= 1 / k**2 + 1e-9


@given(scores, sigmas, sigmas)
def test_a_larger_k_never_lowers_the_cutoff(
    reference: NDArray[np.float64], one: float, other: float
) -> None:
    lenient, strict = (Cutoff.of_scores(reference, k) for k in sorted((one, other)))
    assert strict.value >= lenient.value


@given(scores, sigmas)
def test_a_registered_cutoff_is_read_back_as_it_was(
    reference: NDArray[np.float64], k: float
) -> None:
    cutoff = Cutoff.of_scores(reference, k)
    assert Cutoff.from_payload(json.loads(json.dumps(cutoff.to_payload()))) == cutoff
