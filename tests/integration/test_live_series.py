"""Whatever the runs in between, a live detector finds what a causal backtest finds."""

from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector, MinimumDeviation
from cutwatch.errors import MalformedState
from cutwatch.live.live_series import LiveSeries
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.demo_data import active_users
from tests.support.builders import a_detector
from tests.support.live_backtest import LiveRuns, Window, begin, runs, windows_of

DEMO = active_users().series
HOUR_OF_DEMO = 12


def hourly(values: list[float]) -> MetricSeries:
    """The demo's metric every hour: as many days in a twelfth of the datapoints."""
    return MetricSeries(3_600, DEMO.start, values)


WEEK, WINDOWS = 168, 3
# Weeks with a broken rhythm, none, and a surge at night.
FIRST_WEEK = 3
HOURLY = hourly(DEMO.values[FIRST_WEEK * WEEK * HOUR_OF_DEMO :: HOUR_OF_DEMO][: 5 * WEEK])
DETECTORS = {
    "plain": a_detector(period=3_600, engine="lambda", live=True),
    "gaps are anomalous": a_detector(
        period=3_600, engine="lambda", live=True, missing_data="anomalous"
    ),
    "one direction, in Berlin": a_detector(
        period=3_600,
        engine="lambda",
        live=True,
        direction="below",
        time_zone="Europe/Berlin",
        minimum_deviation=MinimumDeviation(relative=0.3),
    ),
    "every feature, zeros": a_detector(
        period=3_600,
        engine="lambda",
        live=True,
        features=("value", "difference", "residual"),
        missing_data="zero",
        shingle_size=2,
    ),
}
cuts = st.lists(st.integers(1, WEEK - 1), max_size=3, unique=True).map(sorted)


@cache
def backtest(name: str) -> tuple[tuple[AnomalyEvent, ...], list[Window]]:
    """Return the events and windows of the detector's causal backtest."""
    return windows_of(HOURLY, DETECTORS[name], timedelta(weeks=2))


@pytest.mark.parametrize("name", DETECTORS)
@settings(max_examples=3)
@given(cuts=st.lists(cuts, min_size=WINDOWS, max_size=WINDOWS))
def test_live_runs_find_what_a_causal_backtest_finds(name: str, cuts: list[list[int]]) -> None:
    (events, windows), live = backtest(name), LiveRuns(DETECTORS[name])
    scored = [live.score(window, cut) for window, cut in zip(windows, cuts, strict=True)]

    for window, (series, _) in zip(windows, scored, strict=True):
        inside = window.window.epochs >= int(series.observed.start.timestamp())
        assert np.array_equal(series.epochs, window.window.epochs[inside])
        assert np.array_equal(series.scores, window.window.scores[inside])
    began = [change.event.id for change in live.changes if change.kind == "began"]
    assert len(began) == len(set(began))
    assert {event.id for event in events} <= set(began)
    for event in events:
        [*_, last] = [e for _, each in scored for e in each.events if e.id == event.id]
        assert last.end == event.end
        assert max(
            e.comparable_severity for _, each in scored for e in each.events if e.id == event.id
        ) == pytest.approx(event.comparable_severity, abs=0)


@pytest.mark.parametrize("name", ["plain", "one direction, in Berlin"])
def test_in_runs_of_six_datapoints_the_end_of_each_incident_is_a_change(name: str) -> None:
    (events, windows), live = backtest(name), LiveRuns(DETECTORS[name])
    for window in windows:
        live.score(window, list(range(6, WEEK, 6)))

    ended = {change.event.id for change in live.changes if change.kind == "ended"}
    lasting = {name for name, each in live.incidents.items() if not each.ended}
    assert {event.id for event in events} <= ended | lasting


@settings(max_examples=3)
@given(at=st.integers(1, WEEK - 1))
def test_a_series_that_is_stored_between_runs_goes_on_as_if_it_was_not(at: int) -> None:
    detector, window = plain()
    whole = begin(window, detector, None)
    stored = begin(window, detector, None)
    for values in runs(window, [at]):
        whole.extend(values, detector)
        stored.extend(values, detector)
        stored = LiveSeries.from_bytes(stored.to_bytes())

    assert np.array_equal(stored.scores, whole.scores)
    assert (stored.through, stored.model) == (whole.through, whole.model)


def test_another_window_begins_as_after_a_transform() -> None:
    detector, window = plain()
    following = backtest("plain")[1][1]
    series = begin(window, detector, None)
    for values in runs(window, [50]):
        series.extend(values, detector)
    series.begin_window(following.window.start, None)
    for values in runs(following, [20]):
        series.extend(values, detector)

    assert np.array_equal(series.observed.values, following.window.observed.values, equal_nan=True)
    assert np.array_equal(series.scores, following.window.scores)


def test_what_is_not_a_series_is_refused() -> None:
    with pytest.raises(MalformedState, match="not the series of a live detector"):
        LiveSeries.from_bytes(b"{}")


def plain() -> tuple[Detector, Window]:
    return DETECTORS["plain"], backtest("plain")[1][0]
