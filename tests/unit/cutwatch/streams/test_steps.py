import json
import math

import pytest

from cutwatch.streams.expectation import ROWS, RecentRows
from cutwatch.streams.steps import step_limits, step_multiple
from tests.support.streams import noise

SMOOTH = [100 * math.sin(number / 40) for number in range(ROWS)]


def after(values: list[float]) -> tuple[RecentRows, list[float]]:
    recent, limits = RecentRows(1), list[float]()
    for value in values:
        recent.add((value,))
        limits = step_limits(recent, limits)
    return recent, limits


def test_a_step_many_times_the_usual_one_reaches_the_cutoff() -> None:
    recent, limits = after(SMOOTH)
    assert step_multiple(recent, (SMOOTH[-1] + 2.0,), limits) < 1
    assert step_multiple(recent, (SMOOTH[-1] + 30.0,), limits) > 3
    assert step_multiple(recent, (SMOOTH[-1] - 30.0,), limits) > 3


@pytest.mark.parametrize("values", [noise(ROWS, 0), [7.0] * ROWS])
def test_steps_of_noise_and_of_a_constant_do_not_count(values: list[float]) -> None:
    recent, limits = after(values)
    assert limits == [0.0]
    assert step_multiple(recent, (1e6,), limits) == 0


def test_nothing_is_known_of_the_first_rows() -> None:
    recent, limits = after(SMOOTH[: ROWS // 2 - 1])
    assert limits == []
    recent.add((0.0,))
    assert step_limits(recent, limits)[0] > 0


def test_limits_stay_until_they_are_looked_up_again() -> None:
    recent, limits = after(SMOOTH)
    recent.add((5_000.0,))
    assert step_limits(recent, limits) is limits


@pytest.mark.parametrize("count", [1, 3, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 7])
def test_the_latest_rows_are_known_in_their_order(count: int) -> None:
    recent = RecentRows(2)
    for number in range(count):
        recent.add((number, -number))

    restored = RecentRows(2, count, recent.values.tobytes())
    kept = range(max(count - ROWS, 0), count)
    assert [list(column) for column in restored.columns()] == [[*kept], [-n for n in kept]]
    assert list(restored.latest()) == [count - 1, 1 - count]
    assert json.dumps([*restored.values]) == json.dumps([*recent.values])
