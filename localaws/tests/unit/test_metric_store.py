"""Statistics per period, against the plain definition."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudwatch.metric_store import MetricKey, MetricStore, Sample, Samples
from localaws.cloudwatch.statistics import statistic_by_period

KEY = MetricKey.of("Shop", "sales", {})
SAMPLES = st.lists(st.tuples(st.integers(0, 5_000), st.integers(-1000, 1000)), min_size=1)
DEFINITIONS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
    "p90": lambda values: float(np.percentile(values, 90)),
}


def stored(samples: list[tuple[int, int]]) -> MetricStore:
    store = MetricStore()
    for time, value in samples:
        store.add(KEY, Samples.of([Sample(time, value, 1.0, value, value, "None")]))
    return store


@pytest.mark.parametrize("statistic", sorted(DEFINITIONS))
@given(samples=SAMPLES, period=st.sampled_from([1, 60, 300]))
def test_a_statistic_of_a_period_is_that_of_its_samples(
    statistic: str, samples: list[tuple[int, int]], period: int
) -> None:
    found = stored(samples).samples(KEY, 0, 10_000)
    assert found is not None
    times, values = statistic_by_period(found, statistic, 0, period)
    expected = defaultdict(list)
    for time, value in samples:
        expected[time // period * period].append(float(value))
    assert times.tolist() == sorted(expected)
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        assert value == pytest.approx(DEFINITIONS[statistic](expected[time]))


@given(samples=SAMPLES, start=st.integers(0, 5_000), length=st.integers(0, 5_000))
def test_samples_of_a_window_include_its_start_and_exclude_its_end(
    samples: list[tuple[int, int]], start: int, length: int
) -> None:
    found = stored(samples).samples(KEY, start, start + length)
    assert found is not None
    expected = sorted(time for time, _ in samples if start <= time < start + length)
    assert found.times.tolist() == expected


def test_a_metric_that_does_not_exist_has_no_samples() -> None:
    assert MetricStore().samples(KEY, 0, 1) is None
