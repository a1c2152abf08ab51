import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detection.adaptive_threshold import Baseline
from cutwatch.detection.scored_window import ScoredWindow, Verdicts
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detectors.detector import CutoffRule, MinimumDeviation
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.timestamps import format_timestamp
from tests.support.builders import NOON, a_detector, a_recipe, a_series, moments

START = int(NOON.timestamp())
HOUR, DAY = 12, 288
readings = st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=30)


def scored(
    values: list[Any],
    lead_in: int = 0,
    method: Any = "training",
    *,
    follows: bool = False,
    **fields: Any,
) -> ScoredWindow:
    """A window whose scores are its values; the first datapoints are its lead-in."""
    series = a_series(values)
    detector = a_detector(cutoff=CutoffRule(method), **fields)
    description = {
        "detector": detector.to_payload(),
        "recipe": a_recipe(profile=a_recipe().profile).to_payload(),
        "start": format_timestamp(series.moment(lead_in)),
        "baseline": Baseline(10.0, 2.0, smooth=False).to_payload(),
        "cutoff": Cutoff(10.0, 2.0, 3.0, 16.0).to_payload(),
        "cutoff_method": method,
        "follows": follows,
        "series_start": format_timestamp(series.start),
        "values": [None if np.isnan(value) else value for value in series.values.tolist()],
    }
    present = ~np.isnan(series.usable(detector).values)
    stored = json.loads(json.dumps(description))
    return ScoredWindow(stored, series.epochs[present], series.values[present])


def verdicts(values: list[Any], *args: Any, **options: Any) -> Verdicts:
    return scored(values, *args, **options).verdicts()


def iso(position: int) -> str:
    return format_timestamp(moments(position + 1)[-1])


def test_scores_above_the_frozen_cutoff_are_anomalies() -> None:
    judged = verdicts([15.9, 16.0, 16.1])

    assert judged.epochs.tolist() == [START, START + 300, START + 600]
    assert judged.anomalies.tolist() == [0, 0, 1]
    assert judged.scores.tolist() == [15.9, 16.0, 16.1]
    assert judged.cutoff == 16.0


def test_the_lead_in_is_scored_again_and_not_published_again() -> None:
    judged = verdicts([99.0, 99.0, 1.0], 2)

    assert judged.epochs.tolist() == [START + 600]
    assert judged.anomalies.tolist() == [0]


def test_the_original_rule_takes_mean_and_deviation_from_the_window_itself() -> None:
    week = [1.0] * 99 + [5.0]

    assert verdicts(week).anomalies.sum() == 0
    assert verdicts(week, method="window").anomalies.tolist() == [0] * 99 + [1]


def test_the_original_rule_leaves_the_lead_in_out_of_mean_and_deviation() -> None:
    assert verdicts([1_000.0] + [1.0] * 99 + [5.0], 1, "window").anomalies.sum() == 1


@pytest.mark.parametrize("method", ["training", "window", "adaptive"])
def test_every_method_judges_an_incident_as_one_event_with_the_facts_of_its_datapoints(
    method: str,
) -> None:
    values = [10.0] * DAY + [40.0] * HOUR + [10.0] * DAY

    [event] = verdicts(values, method=method).events

    assert event.id == f"orders:{event.start}"
    assert iso(DAY) <= event.start <= event.peak_time <= event.end
    assert event.severity is not None
    assert event.severity >= 1
    assert (event.score, event.expected, event.driver) == (40.0, 100.0, "level")
    assert (event.expected_low, event.expected_high) == (90.0, 110.0)


def test_the_part_that_was_published_before_is_judged_again_if_the_window_follows_it() -> None:
    values = [10.0] * DAY + [40.0] * 6 + [10.0] * DAY

    alone = verdicts(values, DAY + 6, "adaptive")
    following = verdicts(values, DAY + 6, "adaptive", follows=True)

    assert alone.events == ()
    [event] = following.events
    assert iso(DAY) <= event.start < iso(DAY + 3)


def test_of_what_was_published_before_only_ones_are_published_again_and_without_a_score() -> None:
    values = [10.0] * DAY + [40.0] * 6 + [10.0] * DAY

    judged = verdicts(values, DAY + 6, "adaptive", follows=True)

    before = judged.epochs < START + 300 * (DAY + 6)
    assert before.any()
    assert judged.anomalies[before].all()
    assert np.isnan(judged.scores[before]).all()
    assert not np.isnan(judged.scores[~before]).any()


def test_events_that_nobody_asked_to_hear_of_are_left_out_with_their_ones() -> None:
    values = [10.0] * DAY + [40.0] * HOUR + [10.0] * DAY

    judged = verdicts(values, direction="above")

    assert judged.events == ()
    assert judged.anomalies.sum() == 0
    assert len(judged.scores) == len(values)


def test_a_minimum_deviation_is_in_the_metrics_unit() -> None:
    values = [99.0] * 10
    assert verdicts(values, minimum_deviation=MinimumDeviation(absolute=2)).events == ()
    assert len(verdicts(values, minimum_deviation=MinimumDeviation(absolute=1)).events) == 1


def test_gaps_are_nothing_unless_silence_is_the_anomaly() -> None:
    assert verdicts([1.0, None, 3.0]).epochs.tolist() == [START, START + 600]


def test_silence_is_an_event_without_a_score_where_the_detector_says_so() -> None:
    judged = verdicts([1.0, None, None, 4.0], missing_data="anomalous")

    assert judged.epochs.tolist() == [START, START + 300, START + 600, START + 900]
    assert judged.anomalies.tolist() == [0, 1, 1, 0]
    assert np.isnan(judged.scores).tolist() == [False, True, True, False]
    [event] = judged.events
    assert (event.start, event.end, event.datapoints) == (iso(1), iso(2), 2)
    assert (event.severity, event.score, event.value) == (None, None, None)


def test_two_silences_are_two_events_and_all_events_are_in_order_of_time() -> None:
    judged = verdicts([None, 50.0, None], missing_data="anomalous")
    assert [event.start for event in judged.events] == [iso(0), iso(1), iso(2)]


def test_silence_in_the_lead_in_was_published_before() -> None:
    assert verdicts([None, None, 1.0], 2, missing_data="anomalous").anomalies.tolist() == [0]


def test_silence_in_an_excluded_time_is_not_silence() -> None:
    noon = (Exclusion("12:05", "12:10"),)
    judged = verdicts([1.0, None, None, 4.0], missing_data="anomalous", exclude=noon)
    assert judged.anomalies.tolist() == [0, 1, 0]


def test_the_highest_score_leaves_silence_out() -> None:
    assert verdicts([1.0, None, 3.0], missing_data="anomalous").max_score == 3.0
    assert verdicts([None], missing_data="anomalous").max_score is None


def test_a_window_without_scores_has_no_cutoff() -> None:
    assert verdicts([None], missing_data="anomalous").cutoff is None


def test_what_has_grown_too_old_is_left_out_with_all_events_kept() -> None:
    judged = verdicts([50.0, 1.0, 1.0])
    later = judged.since(START + 300)

    assert later.epochs.tolist() == [START + 300, START + 600]
    assert later.events == judged.events


def test_severities_are_finite_numbers_whatever_the_scores() -> None:
    judged = verdicts([0.0] * 99 + [5.0], method="window")

    assert np.isfinite(judged.severities).all()
    assert all(np.isfinite(event.severity or 0) for event in judged.events)


@given(
    readings,
    st.sampled_from(["ignore", "anomalous"]),
    st.sampled_from(["training", "window", "adaptive"]),
)
def test_every_datapoint_is_judged_once_and_every_one_belongs_to_an_event(
    values: list[float | None], policy: str, method: str
) -> None:
    judged = verdicts(values, method=method, missing_data=policy)

    assert (np.diff(judged.epochs) > 0).all()
    reported = sum(value is not None for value in values)
    assert len(judged.epochs) == (len(values) if policy == "anomalous" else reported)
    for epoch in judged.epochs[judged.anomalies == 1].tolist():
        moment = format_timestamp(datetime.fromtimestamp(epoch, UTC))
        assert any(event.start <= moment <= event.end for event in judged.events)


@given(readings)
def test_a_series_is_read_back_from_its_description(values: list[float | None]) -> None:
    window = scored(values)
    np.testing.assert_array_equal(window.observed.values, a_series(values).values)
    assert window.observed.start == NOON
