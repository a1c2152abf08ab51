"""Datapoints for live detectors: what has closed since each one's watermark, and what may still be corrected."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from cutwatch.aws.limits import GET_METRIC_DATA_MAX_DATAPOINTS
from cutwatch.detectors.detector import Detector
from cutwatch.errors import CutwatchError
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.queries import query_count
from cutwatch.timeseries.reader import Read, read_many
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import floor_to_period

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# After the end of a period, CloudWatch shows most datapoints within this time.
AFTER_THE_BOUNDARY = timedelta(minutes=2)
# Periods that are read again, as many as last this long: datapoints arrive late, and sums grow until all have arrived.
READ_AGAIN, READ_AGAIN_PERIODS = timedelta(minutes=15), 3


@dataclass(frozen=True)
class ToRead:
    """The range of a detector's datapoints to read."""

    detector: Detector
    start: datetime
    end: datetime


def closed_end(period: int, now: datetime) -> datetime:
    """Return the end of the newest period (seconds) that is over and whose datapoint can be expected."""
    return floor_to_period(now - AFTER_THE_BOUNDARY, period)


def read_again_periods(period: int) -> int:
    """Return how many of the newest datapoints are read again in each run."""
    return max(READ_AGAIN_PERIODS, int(READ_AGAIN.total_seconds()) // period)


def read_all(cloudwatch: "CloudWatchClient", ranges: Sequence[ToRead]) -> Read:
    """Read every range. A detector has an error instead if its datapoints cannot be read; one call's error stops no other."""
    found: Read = {}
    for together in _together(ranges):
        detectors = [each.detector for each in together]
        try:
            found |= read_many(cloudwatch, detectors, together[0].start, together[0].end)
        except CutwatchError as error:
            found |= dict.fromkeys((each.name for each in detectors), error)
    return found


def _together(ranges: Sequence[ToRead]) -> Iterator[list[ToRead]]:
    """Group ranges that are alike, as many in a group as fill one response."""
    alike: dict[tuple[datetime, datetime], list[ToRead]] = defaultdict(list)
    for each in ranges:
        alike[each.start, each.end].append(each)
    for (start, end), group in alike.items():
        most = max(
            (end - start).total_seconds() // each.detector.period * query_count(each.detector)
            for each in group
        )
        size = max(int(GET_METRIC_DATA_MAX_DATAPOINTS // max(most, 1)), 1)
        for first in range(0, len(group), size):
            yield group[first : first + size]


def settled(values: Floats, end: datetime, period: int, now: datetime, wait: timedelta) -> Floats:
    """Return values (n,) up to `end` without the gaps at their end that are younger than `wait`.

    A datapoint that is late must not pass for a gap.
    """
    known = np.flatnonzero(~np.isnan(values))
    last = int(known[-1]) + 1 if len(known) else 0
    age = (now - wait - (end - timedelta(seconds=period * len(values)))).total_seconds()
    return values[: max(last, min(max(int(age // period), 0), len(values)))]


def is_corrected(stored: Floats, read: Floats) -> bool:
    """Return True if datapoints (n,) that were scored have other values now. One that is gone is kept as it was."""
    known = ~np.isnan(read)
    return not np.array_equal(stored[known], read[known])


def corrected(stored: Floats, read: Floats) -> Floats:
    """Return stored datapoints (n,) with the values that they have now."""
    return np.asarray(np.where(np.isnan(read), stored, read))


def series_of(read: Mapping[str, Series | CutwatchError], name: str) -> Series:
    """Return what was read of a detector; raises its error."""
    found = read[name]
    if isinstance(found, CutwatchError):
        raise found
    return found
