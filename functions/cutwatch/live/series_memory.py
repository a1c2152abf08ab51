"""The stored series of live detectors, and those that an execution environment keeps in memory between runs."""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detector import Detector
from cutwatch.errors import MalformedState
from cutwatch.live.live_bucket import LiveState
from cutwatch.live.live_series import LiveSeries

# A series takes some 2.5 MB, mostly forests.
_KEPT = 300


@dataclass
class SeriesMemory:
    """Series by detector, each with the key of the stored one that it came from; the `newest` bucket has all of its own.

    A series in memory is used only if all of its datapoints are those of the state, so that no failure between two writes
    can leave a trace in it.
    """

    bucket: Bucket
    kept: OrderedDict[str, tuple[str, LiveSeries]] = field(default_factory=OrderedDict)
    newest: int | None = None

    def at(self, state: LiveState, detector: Detector) -> LiveSeries:
        """Return a detector's series up to the watermark of its state, and remove it from memory."""
        if state.series is None:
            raise MalformedState(f"{detector.name} has no stored series")
        key, series = self.kept.pop(detector.name, ("", None))
        if series is None or key != state.series or not _continues(series, state):
            series = self.stored(state.series)
        done = (series.through - state.stored_through) // state.period
        series.extend(state.values[done:], detector)
        return series

    def stored(self, key: str) -> LiveSeries:
        """Read a stored series. Raises `NotFound` or `MalformedState`."""
        return LiveSeries.from_bytes(self.bucket.read_bytes(key))

    def store(self, key: str, series: LiveSeries) -> None:
        """Write a series under a key that is only ever given to this content."""
        self.bucket.write_bytes(key, series.to_bytes())

    def keep(self, detector: str, key: str, series: LiveSeries) -> None:
        """Keep a series in memory."""
        self.kept[detector] = (key, series)
        self.kept.move_to_end(detector)
        while len(self.kept) > _KEPT:
            self.kept.popitem(last=False)


def _continues(series: LiveSeries, state: LiveState) -> bool:
    """Return True if the state's datapoints begin with those of the series."""
    done = (series.through - state.stored_through) // state.period
    if not 0 <= done <= len(state.values):
        return False
    own = series.observed.values[len(series.observed) - done :]
    return np.array_equal(own, state.values[:done], equal_nan=True)
