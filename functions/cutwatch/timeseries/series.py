"""A metric's datapoints on the regular grid of its period, with explicit gaps."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from cutwatch.detectors.detector import Detector, MissingData
from cutwatch.detectors.exclusions import excluded
from cutwatch.errors import InvalidInput
from cutwatch.timeseries.arrays import Epochs, Floats


@dataclass(frozen=True, eq=False)
class Series:
    """Values at `start`, `start + period`, …; NaN where nothing was reported. The period is in seconds."""

    start: datetime
    period: int
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> datetime:
        """End of the series, exclusive."""
        return self.start + timedelta(seconds=self.period * len(self))

    @property
    def epochs(self) -> Epochs:
        """Epoch seconds of every position."""
        return int(self.start.timestamp()) + self.period * np.arange(len(self), dtype=np.int64)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """True where no datapoint was reported."""
        return np.isnan(self.values)

    @property
    def reported(self) -> int:
        """Number of reported datapoints."""
        return int(np.count_nonzero(~self.missing))

    @classmethod
    def from_datapoints(
        cls,
        start: datetime,
        end: datetime,
        period: int,
        datapoints: Iterable[tuple[datetime, float]],
    ) -> "Series":
        """Align datapoints of [start, end) to the grid; count values that are not finite as missing.

        Raises `InvalidInput` if the window is not aligned to the period.
        """
        origin = int(start.timestamp())
        if origin % period or int(end.timestamp()) % period:
            raise InvalidInput(f"window {start} to {end} is not aligned to {period} seconds")
        values = np.full((int(end.timestamp()) - origin) // period, np.nan)
        for time, value in datapoints:
            position = (int(time.timestamp()) - origin) // period
            if 0 <= position < len(values) and isfinite(value):
                values[position] = value
        return cls(start, period, values)

    def from_first(self, first: int | None = None) -> "Series":
        """Return the part from the first datapoint on; where one is known at or before epoch second `first`, from there on.

        A metric that has not begun has no gaps.
        """
        known = np.flatnonzero(~self.missing)
        begun = int(self.epochs[known[0]]) if len(known) else None
        if first is not None:
            begun = first if begun is None else min(first, begun)
        if begun is None or not len(self) or begun <= self.epochs[0]:
            return self
        skipped = min((begun - int(self.epochs[0])) // self.period, len(self))
        return Series(
            self.start + timedelta(seconds=skipped * self.period),
            self.period,
            self.values[skipped:],
        )

    def filled(self, policy: MissingData) -> "Series":
        """Return the values with gaps filled by the policy; `ignore` and `anomalous` keep gaps."""
        if policy == "zero":
            return replace(self, values=np.where(self.missing, 0.0, self.values))
        if policy == "previous":
            return replace(self, values=_carried_forward(self.values))
        return self

    def usable(self, detector: Detector) -> "Series":
        """Return the series with gaps filled by the detector's policy, and excluded times made gaps."""
        filled = self.filled(detector.missing_data)
        if not detector.exclude:
            return filled
        out = excluded(self.epochs.tolist(), detector.exclude, detector.time_zone)
        return replace(filled, values=np.where(out, np.nan, filled.values))

    def since(self, start: datetime) -> "Series":
        """Return the part from `start` on, a timestamp on the grid within the series."""
        skipped = max(int((start - self.start).total_seconds()) // self.period, 0)
        return Series(max(start, self.start), self.period, self.values[skipped:])

    def time_at(self, position: int) -> datetime:
        """Return the timestamp at a position."""
        return datetime.fromtimestamp(int(self.epochs[position]), UTC)


def _carried_forward(values: Floats) -> Floats:
    last_reported = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(last_reported >= 0, values[np.maximum(last_reported, 0)], np.nan)
