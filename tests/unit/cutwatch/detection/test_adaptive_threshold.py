from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detection.adaptive_threshold import Detection, detect
from cutwatch.detection.channels import Channel, Measured, measure
from cutwatch.detection.parameters import DEFAULT
from cutwatch.features.expectation import expect
from tests.support.builders import a_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutwatch.detectors.detector import Feature
    from cutwatch.timeseries.arrays import Floats

DAY, HOUR = 288, 12
SIX_HOURS = 6 * 3_600


def judged(
    multiples: list[float], joined_seconds: int = 1_800, start: int = 0, *, outside: bool = False
) -> Detection:
    """Channels that are given; the metric lies outside its range everywhere or nowhere."""
    size = len(multiples)
    history = [10.0, 11.0, 12.0] * DAY
    values = history + [99.0 if outside else 11.0] * size
    series = a_series(values)
    expectation = expect(series, int(series.epochs[len(history)]), "UTC")
    padded = np.concatenate([np.zeros(len(history)), multiples])
    measured = Measured((Channel("level", padded, joined_seconds),), expectation)
    found = detect(series.epochs, measured, int(series.epochs[len(history) + start]))
    shifted = tuple(
        type(event)(
            event.onset - len(history),
            event.peak - len(history),
            event.end - len(history),
            *(event.severity, event.first_severity, event.driver, event.follows),
        )
        for event in found.events
    )
    return Detection(found.severities[len(history) :], shifted)


def spans(detection: Detection) -> list[tuple[int, int]]:
    return [(event.onset, event.end) for event in detection.events]


def test_an_event_begins_at_the_first_and_ends_at_the_last_datapoint_above_the_cutoff() -> None:
    [event] = judged([0.2, 1.0, 4.0, 2.0, 0.9, 0.1]).events

    assert (event.onset, event.peak, event.end) == (1, 2, 3)
    assert (event.severity, event.first_severity) == (4.0, 1.0)


def test_what_lies_half_an_hour_apart_is_one_event_and_further_apart_two() -> None:
    assert spans(judged([2.0, *[0.0] * 5, 2.0])) == [(0, 6)]
    assert spans(judged([2.0, *[0.0] * 6, 2.0])) == [(0, 0), (7, 7)]


def test_changes_of_level_are_joined_over_hours() -> None:
    assert spans(judged([2.0, *[0.0] * 60, 1.4], SIX_HOURS)) == [(0, 61)]


def test_a_severe_rise_after_an_hour_of_recovery_is_a_second_incident() -> None:
    assert spans(judged([2.0, *[0.0] * 12, 1.5], SIX_HOURS)) == [(0, 0), (13, 13)]


def test_a_severe_rise_before_the_metric_has_recovered_goes_on_with_the_incident() -> None:
    assert spans(judged([2.0, *[0.0] * 30, 2.0], SIX_HOURS, outside=True)) == [(0, 31)]


def test_an_event_goes_on_until_the_metric_has_come_back_into_its_range() -> None:
    assert spans(judged([2.0, *[0.0] * 30, 2.0], outside=True)) == [(0, 31)]


def excursion(values: list[float], *anomalies: int, extra: int = 0) -> list[tuple[int, int]]:
    """Events where the metric is usually 10 to 12, and anomalous at these positions alone."""
    history = [10.0, 11.0, 12.0] * DAY
    series = a_series([*history, *values, *[11.0] * extra])
    multiples = np.zeros(len(series))
    multiples[len(history) + np.array(anomalies, int)] = 2.0
    measured = Measured(
        (Channel("level", multiples, 1_800),),
        expect(series, int(series.epochs[len(history)]), "UTC"),
    )
    found = detect(series.epochs, measured, int(series.epochs[len(history)]))
    return [(onset - len(history), end - len(history)) for onset, end in spans(found)]


def test_an_event_lasts_as_long_as_its_excursion() -> None:
    assert excursion([99.0] * 20, 0, extra=12) == [(0, 19)]
    assert excursion([11.0] * 20, 0) == [(0, 0)]


def test_an_excursion_to_the_other_side_is_not_the_end_of_an_event() -> None:
    assert excursion([99.0] * 20 + [-99.0] * 20, 0) == [(0, 19)]


def test_an_event_goes_on_in_an_excursion_that_begins_within_half_an_hour_of_it() -> None:
    slowly = [99.0] * 30
    assert excursion([11.0] * 6 + slowly, 0, 26, extra=12) == [(0, 35)]
    assert excursion([11.0] * 7 + slowly, 0, 27, extra=12) == [(0, 0), (27, 36)]


def test_a_spike_soon_after_one_that_is_over_is_an_event_of_its_own() -> None:
    spike, usual = [99.0] * 3, [11.0] * 7
    assert excursion([*spike, *usual, *spike, *usual], 0, 10) == [(0, 2), (10, 12)]


def test_an_event_does_not_last_on_a_day_of_a_kind_that_was_never_seen() -> None:
    random = np.random.default_rng(8)
    hours = np.arange(6 * DAY) % DAY / HOUR
    values = 100 + 50 * ((hours >= 9) & (hours < 17)) + random.normal(size=6 * DAY)
    values[5 * DAY :] = 20 + random.normal(size=DAY)
    series = a_series(values.tolist())
    saturday = series.time_at(5 * DAY)
    assert saturday.weekday() == 5
    expectation = expect(series, int(series.epochs[4 * DAY]), "UTC")
    multiples = multiples_at(len(values), [slice(5 * DAY, 5 * DAY + 3)])
    measured = Measured((Channel("change", multiples, 1_800),), expectation)

    found = detect(series.epochs, measured, int(series.epochs[4 * DAY]))

    assert expectation.rhythm
    assert spans(found) == [(5 * DAY, 5 * DAY + 2)]


def test_a_saturday_like_a_workday_is_unusual_to_its_end() -> None:
    random = np.random.default_rng(9)
    days, hours = np.divmod(np.arange(34 * DAY) / HOUR, 24)
    workday = (days % 7 < 5) | (days == 33)
    values = 60 + 140 * (workday & (hours >= 9) & (hours < 17)) + random.normal(size=34 * DAY)
    series = a_series(values.tolist())
    assert series.time_at(33 * DAY).weekday() == 5
    opens, closes = 33 * DAY + 9 * HOUR, 33 * DAY + 17 * HOUR
    measured = Measured(
        (Channel("change", multiples_at(len(values), [slice(opens, opens + 3)]), 1_800),),
        expect(series, int(series.epochs[28 * DAY]), "UTC"),
    )

    found = detect(series.epochs, measured, int(series.epochs[28 * DAY]))

    assert spans(found) == [(opens, closes - 1)]


def test_an_event_that_goes_on_from_before_the_window_says_so() -> None:
    [event] = judged([2.0, 2.0, 2.0, 0.0], start=2).events
    assert (event.onset, event.follows) == (2, True)

    [second] = judged([2.0, *[0.0] * 30, 2.0], SIX_HOURS, start=31).events
    assert (second.onset, second.follows) == (31, False)

    [alone] = judged([2.0, *[0.0] * 8, 2.0], start=9).events
    assert (alone.onset, alone.follows) == (9, False)


def test_the_lead_in_raises_no_events_of_its_own() -> None:
    assert judged([9.0, 0.0, 0.0], start=1).events == ()


@given(st.lists(st.floats(0, 5), min_size=2, max_size=60), st.integers(1, 59))
def test_onsets_never_depend_on_what_comes_later(multiples: list[float], cut: int) -> None:
    part = max(min(cut, len(multiples) - 1), 1)
    whole = [event.onset for event in judged(multiples).events if event.onset < part]
    assert [event.onset for event in judged(multiples[:part]).events] == whole


@pytest.mark.parametrize(("sensitivity", "count"), [("low", 0), ("medium", 1), ("high", 2)])
def test_sensitivity_moves_the_cutoff(sensitivity: str, count: int) -> None:
    history = [10.0, 11.0, 12.0] * DAY
    series = a_series([*history, *[11.0] * 40])
    start = int(series.epochs[len(history)])
    multiples = np.zeros(len(series))
    multiples[len(history) + np.array([5, 25])] = [1.2, 0.8]
    measured = Measured((Channel("change", multiples, 1_800),), expect(series, start, "UTC"))

    assert len(detect(series.epochs, measured, start, sensitivity).events) == count  # type: ignore[arg-type]


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.integers(DAY, 3 * DAY))
def test_severities_never_depend_on_what_comes_later(seed: int, part: int) -> None:
    random = np.random.default_rng(seed)
    values = 100 + 20 * np.sin(np.arange(6 * DAY) * 2 * np.pi / DAY) + random.normal(size=6 * DAY)
    series = a_series(values.tolist())
    start = int(series.epochs[3 * DAY])
    scores: dict[Feature, Floats] = {"difference": random.gamma(4, 0.25, len(values))}
    whole = measure(series, start, scores, "UTC")
    shorter = a_series(values[: 3 * DAY + part].tolist())
    seen = measure(shorter, start, {"difference": scores["difference"][: len(shorter)]}, "UTC")

    for channel, same in zip(whole.channels, seen.channels, strict=True):
        np.testing.assert_allclose(channel.multiples[: len(shorter)], same.multiples)


def test_a_window_without_a_history_has_no_severities() -> None:
    series = a_series([1.0, 2.0, 3.0])
    start = int(series.epochs[0])
    found = detect(series.epochs, measure(series, start, {}, "UTC"), start)

    assert np.isnan(found.severities).all()
    assert found.events == ()


def severities_of_a_step(size: float, amplitude: float, base: float = 100.0) -> Detection:
    """A sine without noise for three weeks, with an hour and a half that lies higher near its end."""
    positions = np.arange(21 * DAY)
    values = base + amplitude * np.sin(2 * np.pi * positions / DAY)
    values[20 * DAY + 150 :][:18] += size
    series = a_series(values.tolist())
    start = int(series.epochs[14 * DAY])
    return detect(
        series.epochs, measure(series, start, {"difference": np.ones(len(values))}, "UTC"), start
    )


@pytest.mark.parametrize("base", [100.0, 1e6])
def test_a_small_step_of_a_metric_without_noise_is_not_severe(base: float) -> None:
    amplitude = 20.0
    spread = 2 * amplitude * np.sin(np.pi * 0.45)
    for share, most in ((0.03, 1.2), (0.05, 2.0), (0.5, 20.0)):
        found = severities_of_a_step(share * spread, amplitude, base)
        assert max(event.severity for event in found.events) <= most * 1.05
    assert max(event.severity for event in severities_of_a_step(spread, amplitude, base).events) > 3


def test_the_limit_of_severity_neither_makes_nor_drops_an_event() -> None:
    random = np.random.default_rng(5)
    values = 100 + random.normal(0, 1, 21 * DAY)
    values[20 * DAY :][:12] += 40
    series = a_series(values.tolist())
    start = int(series.epochs[14 * DAY])
    scores: dict[Feature, Floats] = {"difference": random.normal(1, 0.3, len(values))}
    limited = detect(series.epochs, measure(series, start, scores, "UTC"), start)
    free = replace(DEFAULT, share_of_spread=1e-9)
    unlimited = detect(series.epochs, measure(series, start, scores, "UTC", free), start)
    assert spans(limited) == spans(unlimited)
    assert len(spans(limited)) > 0


@pytest.mark.parametrize(
    ("period", "size", "counts"),
    [(300, 2.9, True), (3_600, 2.9, True), (86_400, 2.9, False), (86_400, 6.0, True)],
)
def test_a_score_that_is_not_averaged_needs_a_larger_deviation(
    period: int, size: float, *, counts: bool
) -> None:
    random = np.random.default_rng(11)
    values = random.normal(100, 1, 400)
    before = expect(a_series(values.tolist(), period=period), 10**11, "UTC")
    values[-1] = before.values[-1] + size * before.scale[-1]
    series = a_series(values.tolist(), period=period)
    scores: dict[Feature, Floats] = {"value": np.where(np.arange(400) == 399, 99.0, 1.0)}
    measured = measure(series, int(series.epochs[-1]), scores, "UTC")

    assert (measured.channels[-2].multiples[-1] >= 1) == counts


def shifted(hours: int = 32, factor: float = 1.4) -> "Floats":
    """Three weeks of a daily wave; from nine o'clock of the 16th day on, a shift by a factor."""
    random = np.random.default_rng(41)
    values = 100 - 60 * np.cos(2 * np.pi * np.arange(21 * DAY) / DAY)
    values += random.normal(size=len(values))
    values[SHIFT : SHIFT + hours * HOUR] *= factor
    return values


SHIFT = 15 * DAY + 9 * HOUR
NIGHT, BACK = SHIFT + 17 * HOUR, SHIFT + 32 * HOUR
# Each an anomaly of an hour.
SHIFTED, BELOW_AT_NIGHT, RETURNED = (slice(at, at + HOUR) for at in (SHIFT, NIGHT, BACK))


def judged_from(start: int, values: "Floats", *anomalies: slice) -> Detection:
    series = a_series(values.tolist())
    measured = Measured(
        (Channel("level", multiples_at(len(values), anomalies), 1_800),),
        expect(series, int(series.epochs[14 * DAY]), "UTC"),
    )
    return detect(series.epochs, measured, int(series.epochs[start]))


def multiples_at(size: int, anomalies: "Sequence[slice]") -> "Floats":
    multiples = np.zeros(size)
    for each in anomalies:
        multiples[each] = 2.0
    return multiples


def test_what_only_the_followed_level_of_a_shift_makes_unexpected_is_part_of_its_event() -> None:
    found = judged_from(14 * DAY, shifted(), SHIFTED, BELOW_AT_NIGHT, RETURNED)

    assert spans(found) == [(SHIFT, BACK + HOUR - 1)]


def test_a_window_knows_the_shift_before_it_from_which_the_metric_returns() -> None:
    [event] = judged_from(NIGHT + 2 * HOUR, shifted(), SHIFTED, BELOW_AT_NIGHT, RETURNED).events

    assert (event.onset, event.follows) == (BACK, True)


def test_a_second_incident_on_a_shifted_level_is_an_event_of_its_own() -> None:
    values = shifted()
    values[RETURNED] += 200

    found = judged_from(14 * DAY, values, SHIFTED, BELOW_AT_NIGHT, RETURNED)
    [after] = judged_from(NIGHT + 2 * HOUR, values, SHIFTED, BELOW_AT_NIGHT, RETURNED).events

    assert [onset for onset, _ in spans(found)] == [SHIFT, BACK]
    assert (after.onset, after.follows) == (BACK, False)


def test_an_anomaly_after_an_incident_whose_level_was_not_followed_is_an_event_of_its_own() -> None:
    found = judged_from(14 * DAY, shifted(hours=1), SHIFTED, BELOW_AT_NIGHT)

    assert [onset for onset, _ in spans(found)] == [SHIFT, NIGHT]


@pytest.mark.parametrize(("gap", "count"), [(30, 1), (40, 2)])
def test_what_did_not_come_goes_on_with_an_event_that_ended_shortly_before(
    gap: int, count: int
) -> None:
    values = [10.0, 11.0, 12.0] * DAY
    series, begin = a_series(values), 2 * DAY
    first = multiples_at(len(values), [slice(begin, begin + 1)])
    late = multiples_at(len(values), [slice(begin + gap, begin + gap + 2)])
    measured = Measured(
        (Channel("level", late, 35 * 300, late=True), Channel("level", first, 1_800)),
        expect(series, int(series.epochs[DAY]), "UTC"),
    )

    whole = detect(series.epochs, measured, int(series.epochs[begin - 10]))
    rest = detect(series.epochs, measured, int(series.epochs[begin + 1]))

    assert len(whole.events) == count
    assert [event.follows for event in rest.events] == [count == 1]
