from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.report.detector_report import DetectorReport
from cutwatch_cli.report.series_data import column_data, description
from tests.support import report_pages
from tests.support.sample_reports import PERIOD, START, event, expected, nine_weeks, report_of

SCORES = st.one_of(st.floats(0, 1e6), st.just(float("nan")))


def unpacked(report: DetectorReport) -> dict[str, Floats]:
    return report_pages.unpacked(*column_data(report), len(report.values))


@given(values=arrays(float, 50, elements=st.one_of(st.floats(-1e12, 1e12), st.just(float("nan")))))
def test_a_value_comes_back_as_exactly_as_a_chart_of_its_range_can_show(values: Floats) -> None:
    known = values[~np.isnan(values)]
    spread = float(np.ptp(known)) if known.size else 0.0

    found = unpacked(report_of(count=50, values=values))["value"]

    np.testing.assert_allclose(found, values, rtol=0, atol=1e-5 * spread)


@given(scores=arrays(float, 50, elements=SCORES))
def test_a_score_comes_back_to_four_digits(scores: Floats) -> None:
    found = unpacked(report_of(count=50, scores=scores))["score"]

    np.testing.assert_allclose(found, scores, rtol=1.3e-4, atol=1e-37)


def test_small_changes_of_large_values_are_not_lost() -> None:
    values = 1e12 + np.arange(200.0)

    assert column_data(report_of(values=values))[0] == ["f8", "f4", "f4", "f4", "f4"]
    np.testing.assert_array_equal(unpacked(report_of(values=values))["value"], values)


def test_the_expected_value_comes_with_its_range_where_something_was_judged() -> None:
    range_of = expected(200, 10.0, -1.0, 2.0)
    range_of.values[:50] = range_of.low[:50] = range_of.high[:50] = np.nan

    found = unpacked(report_of(expected=range_of))

    assert all(np.isnan(found[name][:50]).all() for name in ("expected", "below", "above"))
    assert [set(found[name][50:]) for name in ("expected", "below", "above")] == [{10}, {1}, {2}]


def test_stretches_are_told_by_position_and_events_by_the_second() -> None:
    report = report_of(
        [10, 11, 12],
        events=[event(10, 12)],
        cutoffs=[(START - timedelta(days=1), 2.0), (START + 5 * PERIOD, 3.0)],
    )
    start = int(START.timestamp())

    told = description(report)

    assert told["anomalous"] == [(10, 13)]
    assert told["events"] == [[start + 3000, start + 3900, 3.5, "high"]]
    assert told["cutoffs"] == [[0, 2.0], [5, 3.0]]


def test_a_datapoint_takes_less_than_eight_bytes_of_the_page() -> None:
    report = nine_weeks(1)
    _, text = column_data(report)

    assert len(text) / len(report.values) == pytest.approx(7, abs=1)
