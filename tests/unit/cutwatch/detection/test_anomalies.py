from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detection.adaptive_threshold import Baseline
from cutwatch.detection.anomalies import WindowAnomalies, detect_anomalies
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import MinimumDeviation
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.timestamps import format_timestamp
from tests.support.builders import NOON, a_detector, a_recipe, a_series, moments

START = int(NOON.timestamp())
HOUR, DAY = 12, 288
readings = st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=30)


def detected(
    values: list[Any],
    lead_in: int = 0,
    method: Any = "training",
    *,
    follows: bool = False,
    **fields: Any,
) -> WindowAnomalies:
    """The anomalies of a window whose scores are its values; the first datapoints are its lead-in."""
    series = a_series(values)
    detector = a_detector(**fields)
    present = ~np.isnan(series.usable(detector).values)
    start = int(series.time_at(lead_in).timestamp())
    window = ScoredWindow(
        series.epochs[present], series.values[present], series, start, follows=follows
    )
    threshold = Threshold(method, Baseline(10.0, 2.0, smooth=False), Cutoff(10.0, 2.0, 3.0, 16.0))
    return detect_anomalies(window, detector, a_recipe(), threshold)


def iso(position: int) -> str:
    return format_timestamp(moments(position + 1)[-1])


def test_scores_above_the_frozen_cutoff_are_anomalies() -> None:
    found = detected([15.9, 16.0, 16.1])

    assert found.epochs.tolist() == [START, START + 300, START + 600]
    assert found.anomalies.tolist() == [0, 0, 1]
    assert found.scores.tolist() == [15.9, 16.0, 16.1]
    assert found.cutoff == 16.0


def test_the_lead_in_is_scored_again_and_not_published_again() -> None:
    found = detected([99.0, 99.0, 1.0], 2)

    assert found.epochs.tolist() == [START + 600]
    assert found.anomalies.tolist() == [0]


def test_the_original_rule_takes_mean_and_deviation_from_the_window_itself() -> None:
    week = [1.0] * 99 + [5.0]

    assert detected(week).anomalies.sum() == 0
    assert detected(week, method="window").anomalies.tolist() == [0] * 99 + [1]


def test_the_original_rule_leaves_the_lead_in_out_of_mean_and_deviation() -> None:
    assert detected([1_000.0] + [1.0] * 99 + [5.0], 1, "window").anomalies.sum() == 1


@pytest.mark.parametrize("method", ["training", "window", "adaptive"])
def test_every_method_detects_an_incident_as_one_event_with_the_facts_of_its_datapoints(
    method: str,
) -> None:
    values = [10.0] * DAY + [40.0] * HOUR + [10.0] * DAY

    [event] = detected(values, method=method).events

    assert event.id == f"orders:{event.start}"
    assert iso(DAY) <= event.start <= event.peak_time <= event.end
    assert event.severity is not None
    assert event.severity >= 1
    assert (event.score, event.expected, event.driver) == (40.0, 100.0, "level")
    assert (event.expected_low, event.expected_high) == (90.0, 110.0)


def test_the_part_that_was_published_before_is_classified_again_if_the_window_follows_it() -> None:
    values = [10.0] * DAY + [40.0] * 6 + [10.0] * DAY

    alone = detected(values, DAY + 6, "adaptive")
    following = detected(values, DAY + 6, "adaptive", follows=True)

    assert alone.events == ()
    [event] = following.events
    assert iso(DAY) <= event.start < iso(DAY + 3)


def test_of_what_was_published_before_only_ones_are_published_again_and_without_a_score() -> None:
    values = [10.0] * DAY + [40.0] * 6 + [10.0] * DAY

    found = detected(values, DAY + 6, "adaptive", follows=True)

    before = found.epochs < START + 300 * (DAY + 6)
    assert before.any()
    assert found.anomalies[before].all()
    assert np.isnan(found.scores[before]).all()
    assert not np.isnan(found.scores[~before]).any()


def test_events_that_nobody_asked_to_hear_of_are_left_out_with_their_ones() -> None:
    values = [10.0] * DAY + [40.0] * HOUR + [10.0] * DAY

    found = detected(values, direction="above")

    assert found.events == ()
    assert found.anomalies.sum() == 0
    assert len(found.scores) == len(values)


def test_a_minimum_deviation_is_in_the_metrics_unit() -> None:
    values = [99.0] * 10
    assert detected(values, minimum_deviation=MinimumDeviation(absolute=2)).events == ()
    assert len(detected(values, minimum_deviation=MinimumDeviation(absolute=1)).events) == 1


def test_gaps_are_nothing_unless_silence_is_the_anomaly() -> None:
    assert detected([1.0, None, 3.0]).epochs.tolist() == [START, START + 600]


def test_silence_is_an_event_without_a_score_where_the_detector_says_so() -> None:
    found = detected([1.0, None, None, 4.0], missing_data="anomalous")

    assert found.epochs.tolist() == [START, START + 300, START + 600, START + 900]
    assert found.anomalies.tolist() == [0, 1, 1, 0]
    assert np.isnan(found.scores).tolist() == [False, True, True, False]
    [event] = found.events
    assert (event.start, event.end, event.datapoints) == (iso(1), iso(2), 2)
    assert (event.severity, event.score, event.value) == (None, None, None)


def test_two_silences_are_two_events_and_all_events_are_in_order_of_time() -> None:
    found = detected([None, 50.0, None], missing_data="anomalous")
    assert [event.start for event in found.events] == [iso(0), iso(1), iso(2)]


def test_silence_in_the_lead_in_was_published_before() -> None:
    assert detected([None, None, 1.0], 2, missing_data="anomalous").anomalies.tolist() == [0]


def test_silence_in_an_excluded_time_is_not_silence() -> None:
    noon = (Exclusion("12:05", "12:10"),)
    found = detected([1.0, None, None, 4.0], missing_data="anomalous", exclude=noon)
    assert found.anomalies.tolist() == [0, 1, 0]


def test_the_highest_score_leaves_silence_out() -> None:
    assert detected([1.0, None, 3.0], missing_data="anomalous").max_score == 3.0
    assert detected([None], missing_data="anomalous").max_score is None


def test_a_window_without_scores_has_no_cutoff() -> None:
    assert detected([None], missing_data="anomalous").cutoff is None


def test_what_has_grown_too_old_is_left_out_with_all_events_kept() -> None:
    found = detected([50.0, 1.0, 1.0])
    later = found.since(START + 300)

    assert later.epochs.tolist() == [START + 300, START + 600]
    assert later.events == found.events


def test_severities_are_finite_numbers_whatever_the_scores() -> None:
    found = detected([0.0] * 99 + [5.0], method="window")

    assert np.isfinite(found.severities).all()
    assert all(np.isfinite(event.severity or 0) for event in found.events)


@given(
    readings,
    st.sampled_from(["ignore", "anomalous"]),
    st.sampled_from(["training", "window", "adaptive"]),
)
def test_every_datapoint_is_classified_once_and_every_one_belongs_to_an_event(
    values: list[float | None], policy: str, method: str
) -> None:
    found = detected(values, method=method, missing_data=policy)

    assert (np.diff(found.epochs) > 0).all()
    reported = sum(value is not None for value in values)
    assert len(found.epochs) == (len(values) if policy == "anomalous" else reported)
    for epoch in found.epochs[found.anomalies == 1].tolist():
        moment = format_timestamp(datetime.fromtimestamp(epoch, UTC))
        assert any(event.start <= moment <= event.end for event in found.events)
