import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.features import lead_in_periods, shingle
from tests.builders import NOON, a_series

readings = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=40)
sizes = st.integers(1, 12)


def test_a_row_holds_neighbours_oldest_first_and_bears_the_newests_timestamp() -> None:
    features = shingle(a_series([1, 2, 3, 4]), 3)

    assert features.rows.tolist() == [[1, 2, 3], [2, 3, 4]]
    assert features.epochs.tolist() == [int(NOON.timestamp()) + 300 * n for n in (2, 3)]


def test_no_row_spans_a_gap() -> None:
    features = shingle(a_series([1, 2, None, 4, 5, 6]), 2)
    assert features.rows.tolist() == [[1, 2], [4, 5], [5, 6]]


def test_a_series_shorter_than_a_shingle_gives_no_rows() -> None:
    features = shingle(a_series([1, 2]), 3)
    assert (features.rows.shape, features.epochs.shape) == ((0, 3), (0,))


@given(readings, sizes)
def test_there_is_one_row_for_every_position_whose_shingle_is_complete(
    values: list[float | None], size: int
) -> None:
    features = shingle(a_series(values), size)

    complete = [
        position
        for position in range(size - 1, len(values))
        if None not in values[position - size + 1 : position + 1]
    ]
    assert features.rows.tolist() == [values[p - size + 1 : p + 1] for p in complete]
    assert len(features.epochs) == len(complete)


@given(readings, sizes)
def test_rows_are_always_finite(values: list[float | None], size: int) -> None:
    assert np.isfinite(shingle(a_series(values), size).rows).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=40), sizes)
def test_with_the_lead_in_a_window_has_a_row_for_each_of_its_datapoints(
    values: list[float], size: int
) -> None:
    lead_in = lead_in_periods(size)
    assert len(shingle(a_series(values), size).rows) == len(values) - lead_in
