import json
import random

import numpy as np
import pytest

from cutwatch.streams.window_statistics import Pane, WindowStatistics, percentile

STATISTICS = ("count", "sum(x)", "mean(x)", "min(y)", "max(y)", "p95(x)", "p50(y)")
SAMPLE = 4_096


def pane_of(statistics: WindowStatistics, values: list[tuple[float, ...]]) -> Pane:
    pane = statistics.first(values[0])
    for each in values[1:]:
        statistics.add(pane, 0, each)
    return pane


def test_the_statistics_are_those_of_numpy_over_all_panes() -> None:
    source = random.Random(1)
    values: list[tuple[float, ...]] = [(source.gauss(5, 2), source.gauss(0, 1)) for _ in range(500)]
    statistics = WindowStatistics(STATISTICS, ("x", "y"), SAMPLE)
    panes = [pane_of(statistics, part) for part in (values[:1], values[1:120], values[120:])]

    x, y = np.array(values).T
    expected = (500, x.sum(), x.mean(), y.min(), y.max(), np.percentile(x, 95), np.median(y))
    assert statistics.row(panes) == pytest.approx(expected)


def test_percentiles_of_many_records_come_from_a_sample_of_bounded_size() -> None:
    count = 5 * SAMPLE
    statistics = WindowStatistics(("p90(x)",), ("x",), SAMPLE)
    pane = pane_of(statistics, [(float(n),) for n in range(count)])

    assert len(pane.samples[0]) == SAMPLE
    assert statistics.row([pane]) == pytest.approx((0.9 * count,), rel=0.03)


def test_a_sampled_value_counts_for_those_that_were_not_kept() -> None:
    statistics = WindowStatistics(("p25(x)", "p50(x)", "p100(x)"), ("x",), 1_000)
    few = pane_of(statistics, [(0.0,)] * 900)
    many = pane_of(statistics, [(float(n),) for n in range(1, 10_001)])

    assert statistics.row([few, many]) == pytest.approx((1_825, 4_550, 10_000), abs=500)
    assert statistics.row([few]) == (0, 0, 0)


def test_only_what_the_statistics_need_is_kept() -> None:
    statistics = WindowStatistics(("p90(y)", "mean(z)"), ("x", "y", "z"), SAMPLE)
    pane = pane_of(statistics, [(1.0, 2.0, 3.0)])

    assert pane.sums == [2.0, 3.0]
    assert pane.samples == [[2.0], []]


def test_a_pane_continues_after_it_was_stored() -> None:
    statistics = WindowStatistics(STATISTICS, ("x", "y"), SAMPLE)
    pane = pane_of(statistics, [(1.0, 2.0)])
    restored = Pane(*json.loads(json.dumps(pane.to_payload())))
    for each in (pane, restored):
        statistics.add(each, 0, (3.0, 4.0))

    assert statistics.row([restored]) == statistics.row([pane])


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert [percentile([3.0], percent) for percent in (0, 50, 100)] == [3.0, 3.0, 3.0]
