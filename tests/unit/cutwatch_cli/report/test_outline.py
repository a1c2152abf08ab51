import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch_cli.report.outline import outline
from cutwatch_cli.report.outline_paths import METRIC_HEIGHT, WIDTH, extremes
from tests.support.sample_reports import PERIOD, START, event, report_of

REPORTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "nothing reported": {"values": [np.nan] * 200},
    "nothing scored": {
        "scores": [np.nan] * 200,
        "cutoffs": [],
        "trained_until": [],
        "expected": None,
    },
    "constant": {"values": [0.0] * 200},
    "negative": {"values": [-5.0] * 200},
    "gaps": {"values": [np.nan if position % 3 else 1e9 for position in range(200)]},
}


@given(
    values=st.lists(
        st.one_of(st.floats(-1e9, 1e9), st.just(float("nan"))), min_size=1, max_size=300
    ),
    columns=st.integers(1, 40),
)
def test_each_column_keeps_its_lowest_and_highest(values: list[float], columns: int) -> None:
    found = {column: (low, high) for column, low, high in extremes(np.array(values), columns)}

    expected: dict[int, list[float]] = {}
    for position, value in enumerate(values):
        if not np.isnan(value):
            expected.setdefault(position * columns // len(values), []).append(value)
    assert found == {column: (min(own), max(own)) for column, own in expected.items()}


def test_a_single_datapoint_of_nine_weeks_reaches_the_top_of_the_picture() -> None:
    values = np.full(18_144, 100.0)
    values[12_345] = 5000.0

    path = outline(report_of(count=18_144, values=values, expected=None)).metric

    assert min(y for _, y in vertices(path)) < 0.06 * METRIC_HEIGHT


def vertices(path: str) -> list[tuple[float, float]]:
    numbers = [float(each) for each in re.findall(r"-?[\d.]+", path.replace("h0", ""))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


@given(count=st.integers(1, 3_000), gap=st.integers(2, 50))
def test_a_line_passes_through_datapoints_alone_in_their_order(count: int, gap: int) -> None:
    values = np.where(np.arange(count) % gap, np.sin(np.arange(count) / 40), np.nan)
    if not np.isfinite(values).any():
        return
    drawn = outline(report_of(count=count, values=values, expected=None))

    heights = METRIC_HEIGHT * (1 - (values - drawn.lowest) / (drawn.highest - drawn.lowest))
    positions = [x / WIDTH * count - 0.5 for x, _ in vertices(drawn.metric)]
    assert positions == sorted(positions)
    for position, (_, y) in zip(positions, vertices(drawn.metric), strict=True):
        near = heights[max(round(position) - 1, 0) : round(position) + 2]
        assert np.nanmin(np.abs(near - y)) < 0.2


def test_an_event_of_one_datapoint_is_wide_enough_to_be_seen() -> None:
    drawn = outline(report_of([9_000], count=18_144, events=[event(9_000, 9_000)]))

    for rectangles in (drawn.events, drawn.anomalous):
        ((left, width),) = rectangles
        assert width >= 2
        assert left == pytest.approx(WIDTH * 9_000 / 18_144, abs=1)


def test_where_numbers_would_cover_each_other_the_most_severe_is_told() -> None:
    events = [event(100, 101, 2.0), event(102, 103, 7.0), event(180, 181, 1.0)]

    assert sorted(number for number, _ in outline(report_of(events=events)).numbers) == [2, 3]


def test_what_began_before_the_picture_is_cut_at_its_edge() -> None:
    drawn = outline(report_of(events=[event(-50, 10), event(-90, -60)]))

    assert drawn.events[0][0] == 0
    assert len(drawn.events) == 1


def test_a_training_before_the_picture_is_not_marked() -> None:
    drawn = outline(report_of(trained_until=[START - PERIOD, START + 100 * PERIOD]))

    assert drawn.trained == [WIDTH / 2]


@pytest.mark.parametrize("fields", REPORTS.values(), ids=REPORTS)
def test_there_is_an_outline_whatever_is_known(fields: dict[str, Any]) -> None:
    drawn = outline(report_of([10, 100], **fields))

    assert drawn.lowest < drawn.highest
    assert "nan" not in f"{drawn.metric}{drawn.expected}{drawn.score}{drawn.cutoff}"
