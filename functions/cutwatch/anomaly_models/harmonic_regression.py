"""Dynamic harmonic regression: Fourier terms for day and week, ARMA errors around them, scored by a recursion.

It stands in for SARIMA: with a season of 1,440 minutes, SARIMA's own filter takes minutes for one fit
(docs/logs.md, Models). `harmonic_fit` fits it.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from cutwatch.anomaly_models import model_file
from cutwatch.anomaly_models.model import Rows
from cutwatch.timeseries.arrays import Floats

KIND = "harmonic_regression"
DAY, WEEK = 86_400, 604_800
# A residual counts for the next predictions up to this many standard deviations: one outlier is one anomaly, not p + q.
_CLIPPED = 4.0
# After this many missing steps, the values before say nothing about the next one.
_FORGETS = 120


@dataclass(frozen=True)
class Season:
    """A period in seconds and the number of its harmonics."""

    seconds: int
    harmonics: int


@dataclass(frozen=True)
class ColumnModel:
    """The model of one column: coefficients of the Fourier terms, AR and MA coefficients, deviation of the errors.

    `spread` is the deviation around the season alone; it counts after a gap.
    """

    season: tuple[float, ...]
    ar: tuple[float, ...]
    ma: tuple[float, ...]
    deviation: float
    spread: float


@dataclass
class ColumnState:
    """The last values around the season, and the last errors, newest first."""

    values: list[float]
    errors: list[float]

    def push(self, value: float, error: float) -> None:
        """Add the values of the next step."""
        self.values = [value, *self.values][: len(self.values)]
        self.errors = [error, *self.errors][: len(self.errors)]


@dataclass
class HarmonicRegression:
    """Fitted regression of every column on the steps of a series.

    `period` is the step in seconds, `last` the time of the last learned row.
    """

    period: int
    seasons: tuple[Season, ...]
    columns: tuple[ColumnModel, ...]
    last: float | None = None
    states: list[ColumnState] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.states:
            self.states = [
                ColumnState([0.0] * len(each.ar), [0.0] * len(each.ma)) for each in self.columns
            ]

    def score(self, rows: Rows) -> Floats:
        """Return the largest standardised one-step error of each row's columns (n,); NaN if all are missing."""
        sizes = np.abs(self.contributions(rows))
        largest = np.max(np.nan_to_num(sizes, nan=-1.0), axis=1, initial=-1.0)
        return np.where(largest < 0, np.nan, largest)

    def contributions(self, rows: Rows) -> Floats:
        """Return the standardised one-step errors of the columns (n, d); NaN where a value is missing."""
        copied = [ColumnState([*each.values], [*each.errors]) for each in self.states]
        return self._advance(rows, copied)

    def learn(self, rows: Rows) -> None:
        """Take the rows as the steps before the next one. Coefficients change only in training."""
        self._advance(rows, self.states)
        self.last = float(rows.times[-1]) if len(rows.times) else self.last

    def _advance(self, rows: Rows, states: list[ColumnState]) -> Floats:
        """Advance states over rows; return the standardised errors (n, d)."""
        terms = fourier_terms(rows.times, self.seasons)
        expected = terms @ np.array([each.season for each in self.columns]).T
        around = (rows.values - expected).tolist()
        errors, last = np.empty(rows.values.shape), self.last
        for number, (time, values) in enumerate(zip(rows.times.tolist(), around, strict=True)):
            missing = 0 if last is None else max(round((time - last) / self.period) - 1, 0)
            errors[number] = [
                _step(column, state, value, missing)
                for column, state, value in zip(self.columns, states, values, strict=True)
            ]
            last = time
        return errors

    def to_bytes(self) -> bytes:
        """Return the model in the form that `from_bytes` reads."""
        header = {
            "period": self.period,
            "seasons": [asdict(each) for each in self.seasons],
            "columns": [asdict(each) for each in self.columns],
            "last": self.last,
            "states": [asdict(each) for each in self.states],
        }
        return model_file.to_bytes(KIND, header, [])

    @classmethod
    def from_bytes(cls, content: bytes) -> "HarmonicRegression":
        """Read back what `to_bytes` returned. Raises `MalformedState`."""
        header, _ = model_file.from_bytes(KIND, content)
        return cls(
            header["period"],
            tuple(Season(**each) for each in header["seasons"]),
            tuple(_column(each) for each in header["columns"]),
            header["last"],
            [ColumnState(**each) for each in header["states"]],
        )


def _column(payload: dict[str, Any]) -> ColumnModel:
    sequences = {name: tuple(payload[name]) for name in ("season", "ar", "ma")}
    return ColumnModel(**{**payload, **sequences})


def fourier_terms(times: Floats, seasons: tuple[Season, ...]) -> Floats:
    """Return a constant and sine and cosine of every harmonic at some times, (n, 1 + 2 x harmonics)."""
    terms = [np.ones(len(times))]
    for season in seasons:
        for harmonic in range(1, season.harmonics + 1):
            angle = 2 * np.pi * harmonic * (times % season.seconds) / season.seconds
            terms += [np.sin(angle), np.cos(angle)]
    return np.column_stack(terms)


def _step(column: ColumnModel, state: ColumnState, value: float, missing: int) -> float:
    """Return the standardised error of a column's next value, and advance its state over it; NaN if it is missing."""
    deviation = column.deviation
    if missing:
        _skip(column, state, missing)
        deviation = column.spread
    predicted = _prediction(column, state)
    if value != value:  # noqa: PLR0124 - NaN is not equal to itself
        state.push(predicted, 0.0)
        return value
    error = value - predicted
    limit = _CLIPPED * deviation
    clipped = min(max(error, -limit), limit)
    state.push(predicted + clipped, clipped)
    return error / deviation


def _skip(column: ColumnModel, state: ColumnState, missing: int) -> None:
    """Advance over missing steps as if they had been what was predicted; after many, nothing is left of the past."""
    if missing > _FORGETS:
        state.values, state.errors = [0.0] * len(state.values), [0.0] * len(state.errors)
        return
    for _ in range(missing):
        state.push(_prediction(column, state), 0.0)


def _prediction(column: ColumnModel, state: ColumnState) -> float:
    from_values = sum(a * b for a, b in zip(column.ar, state.values, strict=True))
    return from_values + sum(a * b for a, b in zip(column.ma, state.errors, strict=True))
