"""Rows with arbitrary timestamps, moved to the regular grid of a period."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from cutwatch.detectors.unit import Unit
from cutwatch.timeseries.arrays import Floats
from cutwatch.wording import count

Integers = npt.NDArray[np.int64]

SHORTEST_PERIOD = 60
USUAL_PERIODS = (
    *(60 * minutes for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(3600 * hours for hours in (1, 2, 3, 4, 6, 8, 12, 24, 168)),
)
JITTER = 0.05  # spacings this close count as one
NEGLIGIBLE = 0.01  # a smaller offset from the grid, as a share of the period, is not mentioned
STEADY = 0.5  # agreement of the rows on their offset from the grid: 1 complete, 0 none


@dataclass(frozen=True)
class MetricSeries:
    """Datapoints at every period from `start` on, NaN where there is none.

    `positions` holds, for each row of a file in its order, the datapoint it was merged into, and `cells` its timestamp and
    value as they stand there. `time_zone` is the zone in which to report the series, `unit` that of the values, if the file says so.
    """

    period_seconds: int
    start: datetime
    values: list[float]
    notes: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    cells: list[tuple[str, str]] = field(default_factory=list)
    time_zone: str = "UTC"
    unit: Unit | None = None

    @property
    def timestamps(self) -> list[datetime]:
        return [self._time(position) for position in range(len(self.values))]

    @property
    def end(self) -> datetime:
        """End of the series, exclusive."""
        return self._time(len(self.values))

    def _time(self, position: int) -> datetime:
        return self.start + timedelta(seconds=position * self.period_seconds)


def detect_period(epochs: Floats) -> int:
    """Return the most common spacing in seconds, snapped to a period of CloudWatch."""
    spacings = np.diff(np.unique(epochs))
    spacings.sort()
    alike = np.searchsorted(spacings, spacings * (1 + JITTER), side="right")
    alike -= np.arange(spacings.size)
    commonest = int(alike.argmax())
    return _snap(float(np.median(spacings[commonest : commonest + alike[commonest]])))


def on_grid(epochs: Floats, values: Floats, period: int) -> MetricSeries:
    """Average the rows of each period; a period without a value is a gap."""
    offset = _steady_offset(epochs, period)
    periods = _period_numbers(epochs, period, offset)
    first = int(periods.min())
    averages, rows_per_period = _average(periods - first, values)
    return MetricSeries(
        period,
        datetime.fromtimestamp(first * period, UTC),
        averages.tolist(),
        [
            f"Period of {period} s detected from {count(len(epochs), 'row')}.",
            *_shift_note(offset, period),
            *_irregularity_notes(epochs, values, period),
            *_averaging_note(rows_per_period),
            *_gap_note(averages),
        ],
        (periods - first).tolist(),
    )


def _snap(spacing: float) -> int:
    """Return a usual period close to the spacing, else round up to whole minutes: too short a period would leave gaps."""
    nearest = min(USUAL_PERIODS, key=lambda period: abs(period - spacing))
    if nearest * (1 - JITTER) <= spacing <= nearest * (1 + JITTER / 2):
        return nearest
    return SHORTEST_PERIOD * max(1, math.ceil(round(spacing / SHORTEST_PERIOD, 3)))


def _steady_offset(epochs: Floats, period: int) -> float | None:
    """Return the rows' offset within the period (the circular mean) if they agree, else None."""
    mean = np.exp(2j * np.pi * (epochs % period) / period).mean()
    if abs(mean) < STEADY:
        return None
    offset = round(float(np.angle(mean)) / (2 * np.pi) * period, 3) % period
    return offset if offset <= 0.75 * period else offset - period  # the last quarter is early


def _period_numbers(epochs: Floats, period: int, offset: float | None) -> Integers:
    """Return period numbers: jittered rows around a steady offset stay together, others stay where they are."""
    shift = 0.0 if offset is None else offset - period / 2
    return np.floor((epochs - shift) / period).astype(np.int64)


def _average(positions: Integers, values: Floats) -> tuple[Floats, Integers]:
    known = ~np.isnan(values)
    length = int(positions.max()) + 1
    rows = np.bincount(positions[known], minlength=length)
    shares = values[known] / rows[positions[known]]
    sums = np.bincount(positions[known], weights=shares, minlength=length)
    return np.where(rows > 0, sums, np.nan), rows


def _shift_note(offset: float | None, period: int) -> list[str]:
    if offset is None or abs(offset) < NEGLIGIBLE * period:
        return []
    where = f"{abs(offset):.0f} s {'after' if offset > 0 else 'before'}"
    return [f"Rows lie {where} the multiples of {period} s and were moved onto them."]


def _irregularity_notes(epochs: Floats, values: Floats, period: int) -> list[str]:
    notes = []
    if np.any(np.diff(epochs) < 0):
        notes.append("Rows were not in chronological order and were sorted.")
    if missing := int(np.isnan(values).sum()):
        notes.append(f"{count(missing, 'row')} without a value: missing datapoints.")
    if duplicates := len(epochs) - len(np.unique(epochs)):
        notes.append(f"{count(duplicates, 'row')} with the timestamp of another row.")
    if strays := int(np.count_nonzero(np.diff(np.unique(epochs)) % period)):
        notes.append(f"{count(strays, 'row')} not a whole number of periods after the row before.")
    return notes


def _averaging_note(rows_per_period: Integers) -> list[str]:
    crowded = rows_per_period[rows_per_period > 1]
    if not crowded.size:
        return []
    rows, datapoints = count(int(crowded.sum()), "row"), count(crowded.size, "datapoint")
    return [f"{rows} shared a period with others and were averaged into {datapoints}."]


def _gap_note(averages: Floats) -> list[str]:
    missing = np.isnan(averages)
    if not missing.any():
        return []
    gaps = int(np.count_nonzero(np.diff(missing.astype(np.int8), prepend=0) == 1))
    return [f"{count(gaps, 'gap')}, {count(int(missing.sum()), 'datapoint')} missing."]
