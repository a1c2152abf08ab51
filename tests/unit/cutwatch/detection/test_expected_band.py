import numpy as np

from cutwatch.detection.expected_band import expected_band
from cutwatch.features.expectation import expect
from tests.support.builders import NOON, a_series

START = int(NOON.timestamp())
DAY, WEEK = 288, 2_016


def test_a_band_has_a_point_for_each_hour_of_the_window_with_the_mean_of_its_range() -> None:
    random = np.random.default_rng(1)
    values = (
        100 + 20 * np.sin(np.arange(2 * WEEK) * 2 * np.pi / DAY) + random.normal(0, 1, 2 * WEEK)
    )
    series = a_series(values.tolist())
    start = START + WEEK * 300
    expectation = expect(series, start, "UTC")

    band = expected_band(series, expectation, start)

    assert band.step == 3_600
    assert [point.time for point in band.points] == list(range(start, start + WEEK * 300, 3_600))
    assert all(point.low < point.expected < point.high for point in band.points)
    assert band.points[5].expected == np.mean(expectation.values[WEEK + 60 : WEEK + 72])


def test_a_window_without_history_has_no_band() -> None:
    series = a_series([1.0] * 24)
    assert expected_band(series, expect(series, START, "UTC"), START).points == ()


def test_a_coarse_metric_has_a_point_for_each_of_its_periods() -> None:
    values = np.tile([10.0, 20.0, 30.0, 40.0], 60) + np.random.default_rng(1).normal(0, 1, 240)
    series = a_series(values.tolist(), period=21_600)
    start = int(series.epochs[200])
    band = expected_band(series, expect(series, start, "UTC"), start)
    assert band.step == 21_600
    assert [point.time for point in band.points] == series.epochs[200:].tolist()
