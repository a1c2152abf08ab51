"""Lines of a picture."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cutwatch.widget.axes import Scale
from cutwatch.widget.paths import line, segments, thinned

PERIOD = 300
POINTS = st.lists(
    st.tuples(st.integers(0, 2_000), st.floats(-1e6, 1e6)), max_size=200, unique_by=lambda p: p[0]
).map(lambda points: sorted((PERIOD * position, value) for position, value in points))
X = Scale(0, 2_000 * PERIOD, 0, 100)
Y = Scale(-1e6, 1e6, 100, 0)


@given(POINTS)
def test_a_line_breaks_at_every_gap_and_nowhere_else(points: list[tuple[int, float]]) -> None:
    runs = list(segments(points, PERIOD))
    assert [point for run in runs for point in run] == points
    for run in runs:
        assert all(b[0] - a[0] == PERIOD for a, b in pairwise(run))
    for before, after in pairwise(runs):
        assert after[0][0] - before[-1][0] > PERIOD


@given(POINTS)
def test_thinning_keeps_the_extremes_and_the_ends_and_at_most_four_points_a_pixel(
    points: list[tuple[int, float]],
) -> None:
    kept = thinned(points, X)
    assert set(kept) <= set(points)
    assert kept == sorted(kept)
    assert len(kept) <= 4 * 101
    if points:
        values = [value for _, value in points]
        assert {kept[0], kept[-1]} == {points[0], points[-1]}
        assert {min(values), max(values)} <= {value for _, value in kept}


def test_a_point_alone_is_a_dot_not_a_line() -> None:
    path, alone = line([(0, 1.0), (PERIOD, 2.0), (9 * PERIOD, 3.0)], PERIOD, X, Y)
    assert path.count("M") == 1
    assert alone == "M0 50h0".replace("M0", f"M{X(9 * PERIOD):.0f}")


def test_nothing_is_no_line() -> None:
    assert line([], PERIOD, X, Y) == ("", "")
