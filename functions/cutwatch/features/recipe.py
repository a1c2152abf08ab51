"""Feature rows: what the forest sees of a series, by a recipe that is made at training and then only applied.

The recipe is stored with the model. A transform uses the recipe of its model, whatever the configuration says by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cutwatch.detectors.detector import Engine, Feature
from cutwatch.features.changes import difference, lag_one_autocorrelation
from cutwatch.features.expectation import Expectation, expect, spread_of
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

# `auto`: from this lag-one autocorrelation within a day on, incidents show as sudden changes, and a rhythm that breaks as
# a residual; up to the other, as unusual values. Between them both are watched: no metric changes sides by a hair.
CHANGES_FROM, VALUES_UP_TO = 0.80, 0.90


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """`rows` (n, dimensions) and the epoch second of each row's newest datapoint (n,)."""

    rows: Floats
    epochs: NDArray[np.int64]

    def none(self) -> "FeatureRows":
        """Return an empty result of the same shape."""
        return FeatureRows(self.rows[:0], self.epochs[:0])


@dataclass(frozen=True)
class FeatureRecipe:
    """Which features, each divided by a spread of the training data, and how many datapoints make one row.

    `centre` is the training data's median; values are counted from it, because forests calculate in single
    precision and must not lose small changes of large values. `first` is the epoch second of the metric's first
    datapoint, as far as training looked back: nothing is known, and nothing filled, of the time before.
    """

    features: tuple[Feature, ...]
    spreads: tuple[float, ...]
    centre: float
    shingle_size: int
    time_zone: str
    first: int

    @property
    def dimensions(self) -> int:
        """Values in a row: SageMaker's `feature_dim`."""
        return len(self.features) * self.shingle_size

    @property
    def lead_in(self) -> int:
        """Datapoints before a window that its first row needs."""
        return self.shingle_size - 1 + ("difference" in self.features)

    @classmethod
    def fit(
        cls,
        series: Series,
        features: Sequence[Feature] | Literal["auto"],
        shingle_size: int,
        time_zone: str,
        engine: Engine,
    ) -> Self:
        """Return the recipe for a history that begins with the metric; `auto` chooses by its autocorrelation.

        SageMaker's forest gives one score, so `auto` chooses one feature for it.
        """
        if features == "auto":
            features = _automatic(lag_one_autocorrelation(series), engine)
        known = np.flatnonzero(~series.missing)
        centre = float(np.median(series.values[known]))
        plain = cls(
            tuple(features),
            (1.0,) * len(features),
            centre,
            shingle_size,
            time_zone,
            int(series.epochs[0]),
        )
        spreads = [_spread(column) for column in plain._columns(series, _after(series))]
        return cls(plain.features, tuple(spreads), centre, shingle_size, time_zone, plain.first)

    def transform(
        self, series: Series, start: int | None = None, expectation: Expectation | None = None
    ) -> FeatureRows:
        """One row per position whose last `shingle_size` datapoints are all known, oldest first.

        A row never spans a gap: values on both sides of it were not neighbours. What is expected is learned from before
        epoch second `start`; without one, all is history. `expectation` is that of the series, if it is known already.
        """
        columns = self._columns(series, _after(series) if start is None else start, expectation)
        scaled = np.stack(
            [column / spread for column, spread in zip(columns, self.spreads, strict=True)], axis=1
        )
        if len(scaled) < self.shingle_size:
            return FeatureRows(np.empty((0, self.dimensions)), np.empty(0, np.int64))
        shingles = np.lib.stride_tricks.sliding_window_view(scaled, self.shingle_size, axis=0)
        rows = shingles.transpose(0, 2, 1).reshape(len(shingles), self.dimensions)
        complete = ~np.isnan(rows).any(axis=1)
        return FeatureRows(rows[complete], series.epochs[self.shingle_size - 1 :][complete])

    def by_feature(self, scores: Floats) -> dict[Feature, Floats]:
        """Scores (n, k) by the feature that they are of; one score of a row of several features counts as the value's."""
        if scores.shape[1] == len(self.features):
            return {feature: scores[:, k] for k, feature in enumerate(self.features)}
        return {"value": scores[:, 0]}

    def _columns(
        self, series: Series, start: int, expectation: Expectation | None = None
    ) -> list[Floats]:
        columns: dict[Feature, Floats] = {
            "value": series.values - self.centre,
            "difference": difference(series),
        }
        if "residual" in self.features:
            expected = expectation or expect(series, start, self.time_zone)
            columns["residual"] = expected.residuals
        return [columns[feature] for feature in self.features]

    def to_payload(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back what `to_payload` wrote."""
        return cls(
            tuple(payload["features"]),
            tuple(payload["spreads"]),
            payload["centre"],
            payload["shingle_size"],
            payload["time_zone"],
            payload["first"],
        )


def _after(series: Series) -> int:
    return int(series.end.timestamp())


def _automatic(autocorrelation: float, engine: Engine) -> tuple[Feature, ...]:
    changes, values = autocorrelation >= CHANGES_FROM, autocorrelation < VALUES_UP_TO
    if engine == "sagemaker":
        return ("difference",) if changes else ("value",)
    return (*(("value",) if values else ()), *(("difference", "residual") if changes else ()))


def _spread(column: Floats) -> float:
    """Return the width of the middle 90 %; never 0."""
    known = column[~np.isnan(column)]
    return (spread_of(known) or float(np.std(known)) or 1.0) if len(known) else 1.0
