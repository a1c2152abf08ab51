import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutwatch.detection.adaptive_threshold import (
    DEFAULT,
    SENSITIVITY,
    Baseline,
    Detection,
    Event,
    detect,
)

PERIOD, HOUR, DAY = 300, 12, 288
BASELINE = Baseline(mean=1.0, standard_deviation=0.2, smooth=False)
SMOOTH = replace(BASELINE, smooth=True)


def judged(
    scores: Any, lead_in: int = 0, baseline: Baseline = BASELINE, **options: Any
) -> Detection:
    values = np.asarray(scores, np.float64)
    epochs = 1_790_000_100 + PERIOD * np.arange(len(values), dtype=np.int64)
    return detect(epochs, values, PERIOD, int(epochs[lead_in]), baseline, **options)


def quiet(count: int = DAY) -> list[float]:
    return [1.0] * count


def incident(
    length: int, height: float = 4.0, quiet_before: int = DAY, quiet_after: int = DAY
) -> list[float]:
    return [*quiet(quiet_before), *[height] * length, *quiet(quiet_after)]


def test_nothing_happens_where_nothing_happens() -> None:
    judgement = judged(quiet())

    assert judgement.events == ()
    assert (judgement.severities < 1).all()


@pytest.mark.parametrize("length", [1, 3, HOUR, 6 * HOUR])
def test_an_incident_of_any_length_is_one_event(length: int) -> None:
    assert len(judged(incident(length)).events) == 1


@pytest.mark.parametrize("length", [3, HOUR, 6 * HOUR])
def test_an_event_begins_with_its_incident_and_ends_with_it(length: int) -> None:
    [event] = judged(incident(length)).events

    assert DAY <= event.onset < DAY + DEFAULT.smoothing
    assert event.onset <= event.peak <= event.end
    assert DAY + length - 1 <= event.end < DAY + length + DEFAULT.smoothing


def test_two_incidents_hours_apart_are_two_events() -> None:
    scores = [*incident(3, quiet_after=6 * HOUR), *incident(3, quiet_before=0)]
    assert len(judged(scores).events) == 2


@pytest.mark.parametrize(
    ("baseline", "bar", "hours_before"),
    [(BASELINE, DEFAULT.bar, 4), (SMOOTH, DEFAULT.smooth_bar, 2)],
)
def test_an_event_begins_where_it_builds_up_and_on_smooth_metrics_at_most_two_hours_before_its_peak(
    baseline: Baseline, bar: float, hours_before: float
) -> None:
    step = bar * (BASELINE.standard_deviation + DEFAULT.deviation_floor)
    build_up = np.linspace(1 + 0.7 * step, 1 + 0.8 * step, 4 * HOUR).tolist()
    scores = [*quiet(), *build_up, *[1 + 1.25 * step] * 3, *quiet()]

    [event] = judged(scores, baseline=baseline).events

    assert event.peak - event.onset == pytest.approx(hours_before * HOUR, abs=DEFAULT.smoothing)


def test_a_second_incident_within_the_reach_of_an_onset_is_an_event_of_its_own() -> None:
    scores = [*incident(3, quiet_after=3 * HOUR), *incident(3, quiet_before=0)]
    first, second = judged(scores).events
    assert second.onset >= first.end + 3 * HOUR - DEFAULT.smoothing


def test_two_peaks_of_one_incident_are_one_event() -> None:
    scores = [*quiet(), *[3.0] * HOUR, 5.0, *[3.0] * 3 * HOUR, 4.0, *[3.0] * HOUR, *quiet()]
    assert len(judged(scores).events) == 1


def test_a_severity_of_one_is_the_cutoff() -> None:
    judgement = judged(incident(3))
    [event] = judgement.events

    smoothed = BASELINE.mean + (BASELINE.standard_deviation + DEFAULT.deviation_floor) * DEFAULT.bar
    assert judgement.cutoff == pytest.approx(smoothed)
    assert (
        event.severity
        == pytest.approx(judgement.severities[event.peak])
        == pytest.approx(judgement.severities.max())
    )


def habitual(peaks: int, height: float = 3.0) -> list[float]:
    """A day each of quiet, with a peak in its middle."""
    return [*quiet(DAY // 2), *[height] * 3, *quiet(DAY // 2 - 3)] * peaks


def test_what_always_peaks_must_exceed_its_own_habit() -> None:
    week = habitual(7)
    as_usual, much_more = [*week, *habitual(1)], [*week, *habitual(1, height=30.0)]

    assert len(judged(habitual(1)).events) == 1
    assert judged(as_usual, len(week)).cutoff > judged(quiet()).cutoff
    assert len(judged(much_more, len(week)).events) == 1


def test_habit_raises_the_bar_with_the_height_of_the_peaks_and_never_beyond_its_cap() -> None:
    week = len(habitual(7))
    low, high, huge = (judged(habitual(8, height), week) for height in (2.0, 4.0, 1_000.0))

    assert low.cutoff < high.cutoff < huge.cutoff
    step = BASELINE.standard_deviation + DEFAULT.deviation_floor
    most = BASELINE.mean + step * (DEFAULT.bar + DEFAULT.recurring_peak_cap)
    assert huge.cutoff == pytest.approx(most)


def test_two_incidents_make_no_habit() -> None:
    two = [*habitual(2, 30.0), *quiet(5 * DAY)]
    assert judged([*two, *quiet()], len(two)).cutoff == pytest.approx(judged(quiet()).cutoff)


def test_smooth_metrics_have_a_bar_of_their_own_and_no_habit() -> None:
    week = len(habitual(7))
    step = BASELINE.standard_deviation + DEFAULT.deviation_floor

    cutoff = judged(habitual(8, 30.0), week, SMOOTH).cutoff

    assert cutoff == pytest.approx(BASELINE.mean + step * DEFAULT.smooth_bar)


def test_the_lead_in_raises_no_events_of_its_own() -> None:
    scores = [*incident(3, quiet_after=0), *quiet()]
    assert judged(scores, lead_in=DAY + HOUR).events == ()


def test_an_incident_at_the_end_of_one_window_is_the_same_event_when_the_next_judges_it_again() -> (
    None
):
    """The next window begins two hours earlier for that purpose."""
    scores = incident(HOUR, quiet_after=DAY)
    again = DEFAULT.rejudged_seconds // PERIOD
    seen_first = judged(scores[: DAY + HOUR])

    seen_again = judged(scores, lead_in=DAY + HOUR - again)

    assert [e.onset for e in seen_first.events] == [e.onset for e in seen_again.events]


def test_no_rows_have_no_events() -> None:
    empty = detect(np.empty(0, np.int64), np.empty(0), PERIOD, 0, BASELINE)
    assert (empty.events, len(empty.severities)) == ((), 0)


def test_gaps_between_rows_keep_their_length() -> None:
    """Two incidents that a day of silence separates are two."""
    epochs = np.concatenate([np.arange(40), DAY + np.arange(40)]) * PERIOD
    scores = np.ones(80)
    scores[[10, 50]] = 9.0

    assert len(detect(epochs.astype(np.int64), scores, PERIOD, 0, BASELINE).events) == 2


scores = st.lists(st.floats(0, 100), min_size=1, max_size=120).map(np.array)


@given(scores, st.integers(0, 119))
def test_events_are_in_order_apart_from_each_other_and_of_the_judged_part(
    values: NDArray[np.float64], lead_in: int
) -> None:
    start = min(lead_in, len(values) - 1)

    judgement = judged(values, start)

    for event in judgement.events:
        assert 0 <= event.onset <= event.peak <= event.end < len(values)
        assert event.peak >= start
        assert event.severity >= 1
    for first, second in zip(judgement.events, judgement.events[1:], strict=False):
        assert first.end < second.onset


@given(scores)
def test_a_higher_sensitivity_never_finds_less(values: NDArray[np.float64]) -> None:
    def covered(sensitivity: Any) -> set[int]:
        events: tuple[Event, ...] = judged(values, sensitivity=sensitivity).events
        return {event.peak for event in events}

    def cutoff(sensitivity: Any) -> float:
        return judged(values, sensitivity=sensitivity).cutoff

    assert cutoff("high") <= cutoff("medium") <= cutoff("low")
    assert bool(covered("high")) >= bool(covered("medium")) >= bool(covered("low"))


@given(scores)
def test_every_sensitivity_scales_the_same_severities(values: NDArray[np.float64]) -> None:
    medium = judged(values).severities
    for name, factor in SENSITIVITY.items():
        scaled = judged(values, sensitivity=name).severities * factor
        np.testing.assert_allclose(scaled, medium)


@given(scores, st.floats(0.1, 10), st.floats(0.1, 5))
def test_a_baseline_of_higher_scores_never_makes_an_incident_graver(
    values: NDArray[np.float64], mean: float, more: float
) -> None:
    calm = judged(values, baseline=Baseline(mean, 1.0, smooth=True)).severities
    used_to_it = judged(values, baseline=Baseline(mean + more, 1.0, smooth=True)).severities
    assert (used_to_it <= calm + 1e-12).all()


def test_the_baseline_is_of_the_latest_training_scores() -> None:
    values = np.full(2 * DEFAULT.baseline_datapoints, 50.0)
    values[-DEFAULT.baseline_datapoints :] = 2.0

    assert Baseline.of_scores(values, 0.5) == Baseline(2.0, 0.0, smooth=False)


@pytest.mark.parametrize(("explained", "smooth"), [(0.89, False), (0.9, True), (1.0, True)])
def test_a_metric_whose_steps_explain_nearly_everything_is_smooth(
    explained: float, smooth: object
) -> None:
    assert Baseline.of_scores(np.array([1.0]), explained).smooth is smooth


def test_a_baseline_is_read_back_as_it_was_registered() -> None:
    assert Baseline.from_payload(json.loads(json.dumps(SMOOTH.to_payload()))) == SMOOTH
