import numpy as np
import pytest

from cutwatch.streams.expectation import FEWEST_ROWS, ROWS, RecentRows
from tests.support.streams import noise


def test_expected_is_the_median_and_the_range_of_90_percent_of_the_latest_rows() -> None:
    values = np.array(noise(2 * (ROWS + 100))).reshape(-1, 2)
    recent = RecentRows(2)
    for row in values.tolist():
        recent.add(row)

    for place, expected in enumerate(recent.expected()):
        latest = values[-ROWS:, place]
        assert expected == pytest.approx(np.percentile(latest, [50, 5, 95]))


def test_nothing_is_expected_after_too_few_rows() -> None:
    recent = RecentRows(1)
    for _ in range(FEWEST_ROWS - 1):
        recent.add((1.0,))

    assert recent.expected() == (None,)
    recent.add((1.0,))
    assert recent.expected() == ((1.0, 1.0, 1.0),)


def test_rows_and_their_number_have_to_fit() -> None:
    with pytest.raises(ValueError, match="0 values for 3 rows of 1 columns"):
        RecentRows(1, 3, b"")
