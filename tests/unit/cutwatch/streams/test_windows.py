import json
import random

import numpy as np
import pytest

from cutwatch.streams.windows import SAMPLE, OpenWindow, TumblingWindows, percentile

STATISTICS = ("count", "sum(x)", "mean(x)", "min(y)", "max(y)", "p95(x)", "p50(y)")


def test_a_window_closes_when_the_watermark_passes_its_end() -> None:
    rule, windows = TumblingWindows(60, ("count",), ("x",)), dict[int, OpenWindow]()
    for time in (119.9, 60, 120):
        rule.add(windows, time, (1.0,))

    assert rule.close(windows, 119.9) == []
    assert rule.close(windows, 120) == [(60, (2.0,))]
    assert rule.close(windows, 120) == []
    assert list(windows) == [120]


def test_windows_close_in_the_order_of_time() -> None:
    rule, windows = TumblingWindows(10, ("sum(x)",), ("x",)), dict[int, OpenWindow]()
    for time in (25, 5, 15):
        rule.add(windows, time, (float(time),))

    assert rule.close(windows, 100) == [(0, (5.0,)), (10, (15.0,)), (20, (25.0,))]


def test_the_statistics_are_those_of_numpy() -> None:
    source = random.Random(1)
    values = [(source.gauss(5, 2), source.gauss(0, 1)) for _ in range(500)]
    rule, windows = TumblingWindows(60, STATISTICS, ("x", "y")), dict[int, OpenWindow]()
    for each in values:
        rule.add(windows, 1, each)
    [(_, row)] = rule.close(windows, 60)

    x, y = np.array(values).T
    expected = (500, x.sum(), x.mean(), y.min(), y.max(), np.percentile(x, 95), np.median(y))
    assert row == pytest.approx(expected)


def test_percentiles_of_a_large_window_come_from_a_sample_of_bounded_size() -> None:
    count = 5 * SAMPLE
    rule, windows = TumblingWindows(60, ("p90(x)",), ("x",)), dict[int, OpenWindow]()
    for n in range(count):
        rule.add(windows, 1, (float(n),))

    assert len(windows[0].samples[0]) == SAMPLE
    [(_, (p90,))] = rule.close(windows, 60)
    assert p90 == pytest.approx(0.9 * count, rel=0.03)


def test_values_without_percentiles_are_not_kept() -> None:
    rule, windows = TumblingWindows(60, ("p90(y)", "mean(x)"), ("x", "y")), dict[int, OpenWindow]()
    rule.add(windows, 1, (1.0, 2.0))
    assert windows[0].samples == [[], [2.0]]


def test_a_window_continues_after_it_was_stored() -> None:
    rule, windows = TumblingWindows(60, STATISTICS, ("x", "y")), dict[int, OpenWindow]()
    rule.add(windows, 1, (1.0, 2.0))
    restored = {0: OpenWindow.from_payload(json.loads(json.dumps(windows[0].to_payload())))}
    for each in (windows, restored):
        rule.add(each, 2, (3.0, 4.0))

    assert rule.close(restored, 60) == rule.close(windows, 60)


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert [percentile([3.0], percent) for percent in (0, 50, 100)] == [3.0, 3.0, 3.0]
