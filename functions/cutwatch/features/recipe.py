"""Feature rows, built by a recipe that training fits and transforms apply.

The recipe is stored with the model. A transform uses its model's recipe, whatever the configuration says by then.
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
        """Return an empty result of the same shape."""
        return FeatureRows(self.rows[:0], self.epochs[:0])


@dataclass(frozen=True)
class FeatureRecipe:
    """Features, the spreads that they are divided by, and the number of datapoints per row.

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
        """Values per row: SageMaker's `feature_dim`."""
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
        """Fit the recipe to a history; `auto` selects all features if one step explains 90 %, else the value."""
        explained = lag_one_autocorrelation(series)
        profile = Profile.fit(series, time_zone)
        chosen = _automatic(explained) if features == "auto" else tuple(features)
        centre = float(np.median(series.values[~series.missing])) if series.reported else 0.0
        spreads = tuple(_spread(_scale_of(series, feature, centre, profile)) for feature in chosen)
        unit = resolution(series)
        return cls(chosen, spreads, centre, shingle_size, explained, unit, profile)

    def transform(self, series: Series) -> FeatureRows:
        """Return one row per position with `shingle_size` known datapoints up to it, oldest first.

        A row never spans a gap, because the values on its two sides were not adjacent.
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
        """Return the recipe as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back a payload of `to_payload`."""
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
    """Return 1 - var(difference) / (2 var(value)): the robust lag-one autocorrelation of the median day.

    It is computed within days, because over weeks every metric with a moving level looks smooth.
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
    """Split into days with enough datapoints to compare; without any, return everything as one day."""
    groups = np.split(values, np.flatnonzero(np.diff(days)) + 1)
    return [group for group in groups if len(group) >= _FULL_DAY] or [values]


def resolution(series: Series) -> float:
    """Return the step of a near-constant metric (its middle 90 % is one value); 0 for other metrics.

    Whole numbers step by 1; others by the smallest observed step, or by 1 % without one.
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
    """Return the column with the spread that a feature is divided by."""
    return _column(series, "value" if feature == "residual" else feature, centre, profile)


def _column(series: Series, feature: Feature, centre: float, profile: Profile) -> Floats:
    if feature == "difference":
        return difference(series)
    return series.values - (centre if feature == "value" else profile.at(series.epochs))


def difference(series: Series) -> Floats:
    """Return each datapoint minus the previous one; 0 for the first and after a long gap, NaN in gaps."""
    known = np.flatnonzero(~series.missing)
    result = np.full(len(series), np.nan)
    if len(known):
        values = series.values[known]
        silence = np.diff(known, prepend=known[0]) * series.period
        steps = np.diff(values, prepend=values[0])
        result[known] = np.where(silence <= max(LONGEST_STEP, series.period), steps, 0.0)
    return result


def _spread(column: Floats) -> float:
    """Return the width of the middle 90 %; never 0."""
    known = column[~np.isnan(column)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, [0.05, 0.95])
    return float(high - low) or float(np.std(known)) or 1.0


def _winsorised_deviation(values: Floats) -> float:
    return float(np.std(np.clip(values, *np.quantile(values, [0.01, 0.99]))))
