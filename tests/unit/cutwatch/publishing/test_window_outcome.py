from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detection.anomalies import WindowAnomalies
from cutwatch.publishing.window_outcome import most_together


def datapoints(*minutes: int) -> WindowAnomalies:
    """Datapoints of every minute of two hours, anomalous at some of them."""
    epochs = np.arange(120) * 60
    anomalies = np.isin(np.arange(120), minutes).astype(np.int64)
    nothing = np.full(120, np.nan)
    return WindowAnomalies(epochs, anomalies, nothing, nothing, (), 0.0)


@pytest.mark.parametrize(
    ("minutes", "together"),
    [
        ((), 0),
        ((7,), 1),
        ((0, 14), 2),
        ((0, 15), 1),
        (tuple(range(30)), 15),
        ((1, 2, 3, 40, 41), 3),
    ],
)
def test_anomalous_datapoints_are_counted_within_the_minutes_that_an_alarm_asks_for(
    minutes: tuple[int, ...], together: int
) -> None:
    assert most_together(datapoints(*minutes), timedelta(minutes=15)) == together


@given(st.sets(st.integers(0, 119)), st.integers(1, 130))
def test_no_stretch_of_that_length_has_more_of_them(minutes: set[int], span: int) -> None:
    most = most_together(datapoints(*minutes), timedelta(minutes=span))
    assert most == max(sum(start <= m < start + span for m in minutes) for start in range(120))
