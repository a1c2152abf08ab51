"""Feature rows: what the forest sees of a series, by a recipe that is made at training and then only applied.

The recipe is stored with the model. A transform uses the recipe of its model, whatever the configuration says by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cutwatch.detectors.detector import Feature
from cutwatch.features.seasonality import DAY, Profile
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

# `auto`: where one step explains this share of a day's variance, the difference shows sudden incidents, and the
# seasonal residual a rhythm that breaks; in noisier metrics both would mostly show noise.
AUTOCORRELATED = 0.90
# After a longer silence (seconds) nothing is known of the step to the next datapoint.
LONGEST_STEP = 3_600
# Datapoints from which on a day can be compared with its steps.
_FULL_DAY = 12


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """`rows` (n, dimensions) and the epoch second of each row's newest datapoint (n,)."""

    rows: Floats
    epochs: NDArray[np.int64]

    def none(self) -> "FeatureRows":
        """Of the same shape, without rows."""
        return FeatureRows(self.rows[:0], self.epochs[:0])


@dataclass(frozen=True)
class FeatureRecipe:
    """Which features, each divided by a spread of the training data, and how many datapoints make one row.

    The residual is divided by the value's spread: it counts as far as it is large for the metric as a whole.

    `centre` is the training data's median; values are counted from it, because forests calculate in single
    precision and must not lose small changes of large values. `explained` is the share of the training data's
    variance that one step explains (0 to 1): smooth metrics are near 1, white noise is near 0. `unit` is one step
    of a metric that hardly ever changes (in the metric's unit), 0 for all others.
    """

    features: tuple[Feature, ...]
    spreads: tuple[float, ...]
    centre: float
    shingle_size: int
    explained: float
    unit: float
    profile: Profile

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
    ) -> Self:
        """The recipe for a history; `auto` takes all features where one step explains 90 %, else the value."""
        explained = lag_one_autocorrelation(series)
        profile = Profile.fit(series, time_zone)
        chosen = _automatic(explained) if features == "auto" else tuple(features)
        centre = float(np.median(series.values[~series.missing])) if series.reported else 0.0
        spreads = tuple(_spread(_scale_of(series, feature, centre, profile)) for feature in chosen)
        unit = resolution(series)
        return cls(chosen, spreads, centre, shingle_size, explained, unit, profile)

    def transform(self, series: Series) -> FeatureRows:
        """One row per position whose last `shingle_size` datapoints are all known, oldest first.

        A row never spans a gap: values on both sides of it were not neighbours.
        """
        columns = [
            _column(series, feature, self.centre, self.profile) / spread
            for feature, spread in zip(self.features, self.spreads, strict=True)
        ]
        scaled = np.stack(columns, axis=1)
        if len(scaled) < self.shingle_size:
            return FeatureRows(np.empty((0, self.dimensions)), np.empty(0, np.int64))
        shingles = np.lib.stride_tricks.sliding_window_view(scaled, self.shingle_size, axis=0)
        rows = shingles.transpose(0, 2, 1).reshape(len(shingles), self.dimensions)
        complete = ~np.isnan(rows).any(axis=1)
        return FeatureRows(rows[complete], series.epochs[self.shingle_size - 1 :][complete])

    def to_payload(self) -> dict[str, Any]:
        """As it is stored with the model."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back what `to_payload` wrote."""
        return cls(
            tuple(payload["features"]),
            tuple(payload["spreads"]),
            payload["centre"],
            payload["shingle_size"],
            payload["explained"],
            payload["unit"],
            Profile.from_payload(payload["profile"]),
        )


def lag_one_autocorrelation(series: Series) -> float:
    """1 - var(difference) / (2 var(value)): the lag-one autocorrelation, of the median day and robustly.

    Within days, because over weeks every metric whose level moves looks smooth.
    """
    known = ~series.missing
    values, days = series.values[known], series.epochs[known] // DAY
    if len(values) < 2:  # noqa: PLR2004 - a difference needs two
        return 0.0
    deviations = [
        (_winsorised_deviation(day), _winsorised_deviation(np.diff(day)))
        for day in _full_days(values, days)
    ]
    of_values, of_steps = np.median(deviations, axis=0)
    return float(1 - (of_steps / of_values) ** 2 / 2) if of_values > 0 else 0.0


def _full_days(values: Floats, days: NDArray[np.int64]) -> list[Floats]:
    """The days with datapoints enough to compare; everything as one day where there are none."""
    groups = np.split(values, np.flatnonzero(np.diff(days)) + 1)
    return [group for group in groups if len(group) >= _FULL_DAY] or [values]


def resolution(series: Series) -> float:
    """The step of a near-constant metric (its middle 90 % is one value); 0 if it is not near-constant.

    Whole numbers step by 1; others by the smallest step seen, or by 1 % where none was.
    """
    known = series.values[~series.missing]
    if not len(known) or np.quantile(known, 0.05) < np.quantile(known, 0.95):
        return 0.0
    values = np.unique(known)
    if np.all(values == np.round(values)):
        return 1.0
    return float(np.diff(values).min()) if len(values) > 1 else abs(float(values[0])) / 100


def _automatic(explained: float) -> tuple[Feature, ...]:
    smooth = explained >= AUTOCORRELATED
    return ("value", "difference", "residual") if smooth else ("value",)


def _scale_of(series: Series, feature: Feature, centre: float, profile: Profile) -> Floats:
    """The column whose spread a feature is divided by."""
    return _column(series, "value" if feature == "residual" else feature, centre, profile)


def _column(series: Series, feature: Feature, centre: float, profile: Profile) -> Floats:
    if feature == "difference":
        return difference(series)
    return series.values - (centre if feature == "value" else profile.at(series.epochs))


def difference(series: Series) -> Floats:
    """Each datapoint less the one reported before it; 0 for the first and after a long silence, NaN in gaps."""
    known = np.flatnonzero(~series.missing)
    result = np.full(len(series), np.nan)
    if len(known):
        values = series.values[known]
        silence = np.diff(known, prepend=known[0]) * series.period
        steps = np.diff(values, prepend=values[0])
        result[known] = np.where(silence <= max(LONGEST_STEP, series.period), steps, 0.0)
    return result


def _spread(column: Floats) -> float:
    """The width of the middle 90 %; never 0."""
    known = column[~np.isnan(column)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, [0.05, 0.95])
    return float(high - low) or float(np.std(known)) or 1.0


def _winsorised_deviation(values: Floats) -> float:
    return float(np.std(np.clip(values, *np.quantile(values, [0.01, 0.99]))))
