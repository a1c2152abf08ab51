"""Expected values of a key at the time of the day and the week.

Slots of five minutes have a mean each. Once a local day, with its first row, the profile of each column is fitted to the slots
before that row, as training fits that of a metric; the level follows once an hour. Both depend on the applied rows alone, never on
the clock, so a replay of the rows gives the same bytes.
"""

from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from cutwatch.features.seasonality import DAY, SHORTEST_SLOT, Profile
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

# A profile by weekday needs two weeks, and two more to settle.
PROFILE_DAYS = 28
SLOTS_A_DAY = DAY // SHORTEST_SLOT
_MOST_SLOTS = PROFILE_DAYS * SLOTS_A_DAY
_SLOTS_AN_HOUR = SLOTS_A_DAY // 24
# From so much history on a profile can have a rhythm.
_LEAST_SLOTS = 2 * SLOTS_A_DAY
# Slots that count as one, until most of them have a row: 5, 10, 15 and 30 minutes, 1, 2, 3, 4, 6, 8, 12 and 24 hours.
_GROUPED = (1, 2, 3, 6, 12, 24, 36, 48, 72, 96, 144, 288)
_MOSTLY = 0.5
# The level is the median of what the profile left of the last day, of at least so many means; a profile needs as many.
_LEAST_MEANS, _LEAST_KNOWN = 12, 3


class KeyProfile:
    """Means of the columns by slot since the first row, up to `PROFILE_DAYS`, and what is expected in the present slot."""

    def __init__(self, columns: int, time_zone: str) -> None:
        self._columns = columns
        self._time_zone = time_zone
        self._zone = ZoneInfo(time_zone)
        self._means = array("d")
        self._slot = 0
        self._sums = [0.0] * columns
        self._count = 0
        self._day = 0
        self._grouped = 1
        self._profiles: list[Profile] = []
        self._levels = [0.0] * columns
        self.expected: tuple[float, ...] = ()

    @property
    def slots(self) -> int:
        """The number of slots before the present one."""
        return len(self._means) // self._columns

    def move_to(self, time: float) -> bool:
        """Go on to the slot of a row's event time; return True if the profile was fitted.

        `expected` are the columns' values that are usual there, or nothing in the first two days. A row that is out of order
        belongs to the present slot.
        """
        slot = int(time // SHORTEST_SLOT)
        if not self._count:
            self._slot, self._day = slot, self._day_of(slot)
        if slot <= self._slot:
            return False
        before, self._slot = self._slot, slot
        self._close(slot - before)
        day = self._day_of(slot)
        fitted = day != self._day and self.slots >= _LEAST_SLOTS
        self._day = day
        if fitted:
            self._fit()
        if self._profiles:
            if fitted or slot // _SLOTS_AN_HOUR != before // _SLOTS_AN_HOUR:
                self._follow()
            self.expected = self._usual()
        return fitted

    def add(self, values: Sequence[float]) -> None:
        """Add a row to the present slot."""
        self._sums = [total + value for total, value in zip(self._sums, values, strict=True)]
        self._count += 1

    def _close(self, passed: int) -> None:
        """Enter the mean of the slot that ended, and those without rows since."""
        self._means.extend(total / self._count for total in self._sums)
        self._sums, self._count = [0.0] * self._columns, 0
        if passed > _MOST_SLOTS:
            del self._means[:]
            self._profiles, self.expected = [], ()
            return
        self._means.extend([np.nan] * (self._columns * (passed - 1)))
        del self._means[: max(self.slots - _MOST_SLOTS, 0) * self._columns]

    def _day_of(self, slot: int) -> int:
        return datetime.fromtimestamp(slot * SHORTEST_SLOT, self._zone).toordinal()

    def _grid(self, grouped: int) -> Floats:
        """Return the means (slots, columns) of whole groups of slots."""
        means = np.array(self._means).reshape(-1, self._columns)
        whole = means[(len(means) - self._slot) % grouped :]
        whole = whole[: len(whole) // grouped * grouped]
        groups = whole.reshape(-1, grouped, self._columns)
        counts = np.sum(~np.isnan(groups), axis=1)
        return np.where(counts > 0, np.nansum(groups, axis=1) / np.maximum(counts, 1), np.nan)

    def _fit(self) -> None:
        """Fit the profiles to the shortest groups that mostly have a row; keep the profiles before if there are too few."""
        for grouped in _GROUPED:
            grid = self._grid(grouped)
            known = np.count_nonzero(~np.isnan(grid[:, 0]))
            if known >= max(_MOSTLY * len(grid), _LEAST_MEANS):
                start = self._start(len(grid), grouped)
                series = (Series(start, grouped * SHORTEST_SLOT, column) for column in grid.T)
                self._profiles = [Profile.fit(each, self._time_zone)[0] for each in series]
                self._grouped = grouped
                return

    def _follow(self) -> None:
        """Take the median residual of the last day as the level of each column."""
        grid = self._grid(self._grouped)[-max(SLOTS_A_DAY // self._grouped, _LEAST_MEANS) :]
        epochs = Series(
            self._start(len(grid), self._grouped), self._grouped * SHORTEST_SLOT, grid[:, 0]
        ).epochs
        self._levels = [
            _median(column - profile.at(epochs))
            for profile, column in zip(self._profiles, grid.T, strict=True)
        ]

    def _start(self, length: int, grouped: int) -> datetime:
        """Return the begin of the last groups."""
        begin = (self._slot // grouped - length) * grouped
        return datetime.fromtimestamp(begin * SHORTEST_SLOT, UTC)

    def _usual(self) -> tuple[float, ...]:
        epoch = np.array([self._slot * SHORTEST_SLOT], np.int64)
        return tuple(
            float(profile.at(epoch)[0]) + level
            for profile, level in zip(self._profiles, self._levels, strict=True)
        )

    def to_parts(self) -> tuple[bytes, dict[str, Any]]:
        """Return means and tables as bytes, and the rest as JSON values."""
        tables = [each.table for each in self._profiles]
        content = b"".join([self._means.tobytes(), *(np.ascontiguousarray(each).tobytes() for each in tables)])  # fmt: skip
        return content, {
            "means": len(self._means),
            "slot": self._slot,
            "sums": self._sums,
            "count": self._count,
            "day": self._day,
            "grouped": self._grouped,
            "levels": self._levels,
            "expected": list(self.expected),
            "profiles": [[each.slot_seconds, *each.table.shape] for each in self._profiles],
        }

    @classmethod
    def from_parts(
        cls, content: bytes, payload: Mapping[str, Any], columns: int, time_zone: str
    ) -> "KeyProfile":
        """Read back what `to_parts` returned."""
        restored = cls(columns, time_zone)
        values = array("d", content)
        end = payload["means"]
        restored._means = values[:end]
        restored._slot, restored._day = payload["slot"], payload["day"]
        restored._sums, restored._count = payload["sums"], payload["count"]
        restored._grouped = payload["grouped"]
        restored._levels, restored.expected = payload["levels"], tuple(payload["expected"])
        for slot_seconds, kinds, slots in payload["profiles"]:
            begin, end = end, end + kinds * slots
            table = np.array(values[begin:end]).reshape(kinds, slots)
            restored._profiles.append(Profile(time_zone, slot_seconds, table))
        return restored


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) >= _LEAST_KNOWN else 0.0
