"""Ridership of taxis in half hours: generated with planted incidents, or read from a file."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from cutwatch.detectors.watched_table import TableEngine
from cutwatch.timestamps import format_timestamp, parse_timestamp

HALF_HOUR = timedelta(minutes=30)
DAY, WEEK = 48, 7 * 48
_FIRST = datetime(2026, 7, 6, tzinfo=UTC)
_TRAINING_WEEKS, _LIVE_WEEKS = 13, 4
# An incident weighs little in the median, so it has no echo a week later.
_COMPARED_WEEKS = 4


@dataclass(frozen=True)
class Ride:
    """The rides of a half hour, and their difference from the median of the same half hour in the weeks before."""

    time: datetime
    rides: float
    difference: float

    @property
    def item(self) -> dict[str, dict[str, str]]:
        """The item of the table."""
        return {
            "id": {"S": f"{self.time:%Y%m%d%H%M}"},
            "time": {"S": format_timestamp(self.time)},
            "ridecount": {"N": f"{self.rides:.0f}"},
            "difference": {"N": f"{self.difference:.0f}"},
        }


@dataclass(frozen=True)
class PlantedRides:
    """A planted incident, from its first half hour to the end of its last."""

    begin: datetime
    end: datetime
    kind: str


@dataclass(frozen=True)
class Ridership:
    """Rides to train with, rides that come live, and the incidents among those; none are known of a file."""

    training: Sequence[Ride]
    live: Sequence[Ride]
    planted: Sequence[PlantedRides] = ()


# Day of the live weeks, hour, hours, factor, addend, name.
_INCIDENTS = (
    (3, 9.0, 4.0, 0.05, 0.0, "streets closed"),
    (8, 18.0, 3.0, 1.0, 14_000.0, "concert"),
    (15, 7.5, 5.0, 0.25, 0.0, "snow storm"),
    (19, 2.0, 4.0, 1.0, 12_000.0, "trains do not run"),
    (24, 12.0, 6.0, 0.0, 0.0, "no data from the meters"),
)


def generated(seed: int) -> Ridership:
    """Return weeks of rides with a rhythm of days and weeks, and with planted incidents."""
    count = (_TRAINING_WEEKS + _LIVE_WEEKS) * WEEK
    place = np.arange(count)
    hour, day = place % DAY / 2, place // DAY % 7
    rhythm = (
        12_000
        + 7_000 * np.sin((hour - 10.5) / 24 * 2 * np.pi)
        + 2_500 * np.sin(hour / 12 * 2 * np.pi)
    )
    weekend = np.where(day >= 5, np.where(hour < 5, 5_000, -1_500), 0)
    noise = np.random.default_rng(seed).normal(0, 350, count)
    rides = np.maximum(rhythm + weekend + noise, 200.0)
    first_live = _TRAINING_WEEKS * WEEK
    planted = []
    for number, begins, hours, factor, addend, kind in _INCIDENTS:
        begin = first_live + number * DAY + int(begins * 2)
        end = begin + int(hours * 2)
        rides[begin:end] = rides[begin:end] * factor + addend
        planted.append(PlantedRides(_FIRST + begin * HALF_HOUR, _FIRST + end * HALF_HOUR, kind))
    times = [_FIRST + number * HALF_HOUR for number in range(count)]
    found = list(_with_differences(times, rides.tolist()))
    first = first_live - _COMPARED_WEEKS * WEEK
    return Ridership(found[:first], found[first:], planted)


def read_rides(path: Path) -> Ridership:
    """Read a CSV file with the columns `timestamp` and `value`; its first half is the training data. Raises `ValueError`."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        times = [parse_timestamp(row["timestamp"]) for row in rows]
        rides = [float(row["value"]) for row in rows]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: expected the columns timestamp and value ({error!r})") from None
    found = list(_with_differences(times, rides))
    return Ridership(found[: len(found) // 2], found[len(found) // 2 :])


def _with_differences(times: Sequence[datetime], rides: Sequence[float]) -> Iterator[Ride]:
    for place in range(_COMPARED_WEEKS * WEEK, len(times)):
        before = [rides[place - week * WEEK] for week in range(1, _COMPARED_WEEKS + 1)]
        yield Ride(times[place], rides[place], rides[place] - median(before))


def declaration(engine: TableEngine) -> dict[str, Any]:
    """Return the table's entry under `tables` in detectors.yaml."""
    own = {"cutoff": {"sigmas": 4.0}} if engine == "endpoint" else {"engine": engine}
    return {
        "name": "taxi",
        "source": "taxi_ridership",
        "values": ["ridecount", "difference"],
        "time": "time",
        "mails_per_hour": 1_000,
        **own,
    }
