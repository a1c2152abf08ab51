"""Windows of runs. All windows are [start, end), aligned to the detector's period.

A model never sees a datapoint that it will score: training ends at the watermark.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cutwatch.aws.limits import METRIC_MAX_AGE, metric_retention
from cutwatch.detectors.detector import Detector
from cutwatch.timestamps import ceil_to_period, floor_to_period

# Time for the job, and for waiting on a quota, before the oldest datapoint becomes too old to publish.
PUBLISHING_MARGIN = timedelta(hours=12)
# Length of the history before a window: at least this time, and this many datapoints.
LEAD_IN, LEAD_IN_DATAPOINTS = timedelta(days=30), 1_000
# A model is outgrown when so many times its own history is there.
_OUTGROWN = 2


def earliest_readable(period: int, now: datetime) -> datetime:
    """Return the earliest start of a read of such periods (seconds).

    CloudWatch may return nothing at all of a range that begins before its retention, so reads keep a margin: retries
    and waiting make `now` older than the call.
    """
    return ceil_to_period(now - metric_retention(period) + PUBLISHING_MARGIN, period)


@dataclass(frozen=True)
class Window:
    """[start, end), and the number of periods before `start` that can no longer be published."""

    start: datetime
    end: datetime
    lost_periods: int = 0

    @property
    def is_empty(self) -> bool:
        """True if the window has no datapoints."""
        return self.end <= self.start


def lead_in_start(period: int, start: datetime) -> datetime:
    """Return the start of the history of a window from `start` on; `period` is in seconds."""
    length = max(LEAD_IN, LEAD_IN_DATAPOINTS * timedelta(seconds=period))
    return floor_to_period(start - length, period)


def is_outgrown(
    first: datetime, trained_through: datetime, start: datetime, history: timedelta
) -> bool:
    """Return True if the history before `start`, at most `history` of it, has doubled since a training.

    `first` is the first datapoint that the model knows.
    """
    return min(start - first, history) >= _OUTGROWN * (trained_through - first)


def newest_end(detector: Detector, scheduled_time: datetime, data_delay: timedelta) -> datetime:
    """Return the end of the newest window whose late datapoints have had `data_delay` to arrive."""
    return floor_to_period(scheduled_time - data_delay, detector.period)


def training_window(
    detector: Detector,
    newest: datetime,
    published_through: datetime | None,
    unpublished: timedelta,
    now: datetime,
) -> Window:
    """Return the history to learn from, ending where the first datapoint to score begins.

    `newest` is the latest end that this run allows, `unpublished` the length of the past that a detector
    without a watermark will score (zero in a scheduled training).
    """
    end = published_through or newest - unpublished
    oldest_publishable = newest - METRIC_MAX_AGE + PUBLISHING_MARGIN
    end = floor_to_period(min(max(end, oldest_publishable), newest), detector.period)
    start = floor_to_period(end - detector.history, detector.period)
    # Of a period that CloudWatch keeps for 15 days, an end two weeks ago may leave no history: that is too little to train.
    return Window(min(max(start, earliest_readable(detector.period, now)), end), end)


def transform_window(
    detector: Detector,
    newest: datetime,
    now: datetime,
    published_through: datetime | None,
    trained_through: datetime,
) -> Window:
    """Return the window from the watermark (or the end of the training data) to `newest`, less what is too old to publish."""
    wanted = published_through or trained_through
    start = max(wanted, ceil_to_period(now - METRIC_MAX_AGE + PUBLISHING_MARGIN, detector.period))
    lost = (start - wanted) // timedelta(seconds=detector.period) if published_through else 0
    return Window(start, newest, lost)
