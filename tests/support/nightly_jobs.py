"""Generated metrics with a job that runs every night at about the same time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

import numpy as np

from cutwatch.timeseries.arrays import Floats

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
MINUTES_A_DAY, PERIOD = 1_440, 5
TWO_O_CLOCK = 120


@dataclass(frozen=True)
class NightlyJob:
    """A job of so many `minutes` that begins within `jitter` minutes of two o'clock.

    It adds `height` (± 5 %) to noise of 2 around 50 and a daily wave.
    """

    minutes: int
    height: float
    wave: float
    jitter: int = 0

    def values(self, seed: int, days: int, without: Collection[int] = ()) -> Floats:
        """Return datapoints of five minutes, the job missing on the days `without`."""
        random = np.random.default_rng(seed)
        starts = PERIOD * np.arange(days * MINUTES_A_DAY // PERIOD)
        values = random.normal(50, 2, len(starts))
        values += self.wave * np.sin(2 * np.pi * starts / MINUTES_A_DAY)
        for day in range(days):
            begin = TWO_O_CLOCK + random.uniform(-self.jitter, self.jitter)
            height = self.height * random.normal(1, 0.05)
            if day not in without:
                values += height * share_of_periods(days, day, begin, self.minutes)
        return values


def share_of_periods(days: int, day: int, begin: float, minutes: float) -> Floats:
    """Return the share of each datapoint's five minutes that lies in so many minutes from `begin` of a day on."""
    first = day * MINUTES_A_DAY + begin
    starts = PERIOD * np.arange(days * MINUTES_A_DAY // PERIOD)
    overlap = np.minimum(starts + PERIOD, first + minutes) - np.maximum(starts, first)
    share: Floats = np.clip(overlap, 0, None) / PERIOD
    return share


KINDS = tuple(
    NightlyJob(minutes, height, wave)
    for minutes, (height, wave) in product((10, 30, 120), ((70, 0), (40, 20), (20, 20)))
)
