from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from cutwatch.detection.adaptive_threshold import DEFAULT, Baseline, Detection, detect
from cutwatch.detection.causal_threshold import detect_causally

PERIOD, HOUR, DAY = 300, 12, 288
BASELINE = Baseline(mean=1.0, standard_deviation=0.2, smooth=False)

some_scores = st.integers(1, 300).flatmap(
    lambda count: arrays(np.float64, count, elements=st.floats(0, 8))
)


def judged(scores: Any, lead_in: int = 0, baseline: Baseline = BASELINE) -> Detection:
    values = np.asarray(scores, np.float64)
    epochs = 1_790_000_100 + PERIOD * np.arange(len(values), dtype=np.int64)
    return detect_causally(epochs, values, PERIOD, int(epochs[lead_in]), baseline)


@given(some_scores, st.integers(1, 300))
def test_nothing_that_comes_later_changes_a_severity_or_an_event(
    scores: NDArray[np.float64], known: int
) -> None:
    whole, part = judged(scores), judged(scores[:known])

    np.testing.assert_array_equal(whole.severities[: len(part.severities)], part.severities)
    begun = [(event.onset, event.severity) for event in whole.events if event.onset < known]
    assert begun == [(event.onset, event.severity) for event in part.events]


def test_an_event_is_raised_by_the_first_datapoint_that_reaches_the_cutoff() -> None:
    scores = [*[1.0] * DAY, *[4.0] * 3, *[1.0] * DAY]
    judgement = judged(scores)

    [event] = judgement.events

    assert event.onset == int(np.argmax(judgement.severities >= 1))
    assert event.severity == judgement.severities[event.onset]


@pytest.mark.parametrize(("hours", "events"), [(1, 1), (4, 2)])
def test_an_event_lasts_until_it_has_been_quiet_for_a_while(hours: int, events: int) -> None:
    incident = [4.0] * 3
    scores = [*[1.0] * DAY, *incident, *[1.0] * hours * HOUR, *incident, *[1.0] * DAY]
    assert len(judged(scores).events) == events


def test_habit_counts_only_peaks_that_were_known_at_the_time() -> None:
    peaks = [*[1.0] * (DAY // 2), *[3.0] * 3, *[1.0] * (DAY // 2 - 3)]
    severities = judged(peaks * 8).severities
    heights = severities.reshape(8, DAY).max(axis=1)
    assert heights[0] == heights[2] > heights[3] == pytest.approx(heights[-1])


def test_at_the_end_of_a_window_it_judges_as_the_default_does() -> None:
    """By then all peaks are known."""
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.gamma(4, 0.3, 7 * DAY), np.ones(DEFAULT.rejudged_seconds)])
    epochs = PERIOD * np.arange(len(scores), dtype=np.int64)
    default = detect(epochs, scores, PERIOD, 0, BASELINE)
    causal = detect_causally(epochs, scores, PERIOD, 0, BASELINE)
    assert causal.severities[-1] == pytest.approx(default.severities[-1])
    assert causal.cutoff == pytest.approx(default.cutoff)


def test_a_smooth_metric_has_its_fixed_cutoff_at_every_moment() -> None:
    rng = np.random.default_rng(4)
    scores = rng.gamma(4, 0.3, 5 * DAY)
    smooth = Baseline(1.0, 0.2, smooth=True)
    epochs = PERIOD * np.arange(len(scores), dtype=np.int64)
    causal = detect_causally(epochs, scores, PERIOD, 0, smooth)
    np.testing.assert_allclose(
        causal.severities, detect(epochs, scores, PERIOD, 0, smooth).severities
    )


def test_without_rows_there_is_nothing_to_judge() -> None:
    nothing = np.empty(0)
    assert detect_causally(nothing.astype(np.int64), nothing, PERIOD, 0, BASELINE).events == ()
