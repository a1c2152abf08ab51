"""Fitting of the dynamic harmonic regression with numpy.

Least squares for the season, Hannan and Rissanen's regression for a first ARMA, then Gauss-Newton steps on the sum of squared
one-step errors (the conditional sum of squares). The tests compare the result with statsmodels' exact estimates.
"""

from itertools import accumulate

import numpy as np

from cutwatch.anomaly_models.harmonic_regression import (
    DAY,
    WEEK,
    ColumnModel,
    HarmonicRegression,
    Season,
    fourier_terms,
)
from cutwatch.anomaly_models.model import Rows
from cutwatch.errors import InvalidInput
from cutwatch.timeseries.arrays import Floats

AR_ORDER, MA_ORDER = 2, 1
_SEASONS = (Season(DAY, 8), Season(WEEK, 3))
_STEPS, _CONVERGED = 20, 1e-8
# AR and MA polynomials stay this far from the unit circle.
_LARGEST_ROOT = 0.995
_LEAST_DEVIATION = 1e-3
# Rows that the regression needs for each of its coefficients.
_ROWS_PER_COEFFICIENT = 5


def fit_harmonic_regression(rows: Rows, period: int) -> HarmonicRegression:
    """Return the model of rows (n, d) that are `period` seconds apart; missing ones may be left out.

    Daily terms are fitted from two days on, weekly terms from two weeks on. Raises `InvalidInput` if there are too few rows.
    """
    span = float(rows.times[-1] - rows.times[0]) if len(rows.times) else 0.0
    # Terms of a season that was not seen twice would extrapolate into its unseen part.
    seasons = [each for each in _SEASONS if span + period >= 2 * each.seconds]
    terms = fourier_terms(rows.times, tuple(seasons))
    needed = _ROWS_PER_COEFFICIENT * (terms.shape[1] + AR_ORDER + MA_ORDER)
    if len(rows.times) < needed:
        raise InvalidInput(
            f"{len(rows.times)} rows are too few for a harmonic regression; it needs {needed}"
        )
    columns = tuple(_column(terms, rows.values[:, each]) for each in range(rows.values.shape[1]))
    model = HarmonicRegression(period, tuple(seasons), columns)
    model.learn(rows)
    return model


def _column(terms: Floats, values: Floats) -> ColumnModel:
    present = np.isfinite(values)
    season = _least_squares(terms[present], values[present])
    around = np.where(present, values - terms @ season, 0.0)
    ar, ma = fit_arma(around)
    errors = _errors(around, np.concatenate([ar, ma]))
    return ColumnModel(
        tuple(season.tolist()),
        tuple(ar.tolist()),
        tuple(ma.tolist()),
        max(float(np.std(errors[present])), _LEAST_DEVIATION),
        max(float(np.std(around[present])), _LEAST_DEVIATION),
    )


def fit_arma(values: Floats, p: int = AR_ORDER) -> tuple[Floats, Floats]:
    """Return the AR (p,) and MA (1,) coefficients of a series (n,) with mean 0."""
    if not np.any(values):
        return np.zeros(p), np.zeros(MA_ORDER)
    coefficients = _hannan_rissanen(values, p)
    for _ in range(_STEPS):
        errors = _errors(values, coefficients)
        change = _least_squares(_slopes(values, errors, coefficients), -errors)
        coefficients, improved = _line_search(values, coefficients, change)
        if not improved or np.max(np.abs(change)) < _CONVERGED:
            break
    return coefficients[:p], coefficients[p:]


def _line_search(values: Floats, start: Floats, change: Floats) -> tuple[Floats, bool]:
    """Return the coefficients after the longest step that lowers the sum of squares, if there is one."""
    before = _sum_of_squares(values, start)
    for part in (1.0, 0.5, 0.25, 0.125, 0.0625):
        candidate = start + part * change
        candidate = np.concatenate([_stable(candidate[:-1]), _stable(-candidate[-1:]) * -1])
        if _sum_of_squares(values, candidate) < before:
            return candidate, True
    return start, False


def _sum_of_squares(values: Floats, coefficients: Floats) -> float:
    errors = _errors(values, coefficients)
    return float(errors @ errors)


def _hannan_rissanen(values: Floats, p: int) -> Floats:
    """Return a first estimate: errors of a long autoregression stand in for the errors of the ARMA."""
    long = min(20, len(values) // 10)
    lags = _lags(values, long)
    weights = _least_squares(lags[long:], values[long:])
    errors = np.where(np.arange(len(values)) >= long, values - lags @ weights, 0.0)
    design = np.column_stack([_lags(values, p), _lags(errors, MA_ORDER)])[long + MA_ORDER :]
    found = _least_squares(design, values[long + MA_ORDER :])
    return np.concatenate([_stable(found[:p]), -_stable(-found[p:])])


def _lags(values: Floats, count: int) -> Floats:
    """Return the values of 1 to `count` steps before each step, (n, count), 0 before the first."""
    return np.column_stack(
        [np.concatenate([np.zeros(lag), values[:-lag]]) for lag in range(1, count + 1)]
    )


def _errors(values: Floats, coefficients: Floats) -> Floats:
    """Return the one-step errors (n,) under p AR coefficients and the MA coefficient after them."""
    ar = coefficients[:-1]
    return _filtered(values - _lags(values, len(ar)) @ ar, float(coefficients[-1]))


def _slopes(values: Floats, errors: Floats, coefficients: Floats) -> Floats:
    """Return the derivatives (n, p + 1) of one-step errors (n,) by the coefficients."""
    # The derivative of an error is the same recursion over the lagged values and errors.
    driving = -np.column_stack([_lags(values, len(coefficients) - 1), _lags(errors, MA_ORDER)])
    return np.column_stack([_filtered(each, float(coefficients[-1])) for each in driving.T])


def _filtered(inputs: Floats, ma: float) -> Floats:
    """Return x (n,) with x[t] = inputs[t] - ma x[t-1]."""
    # A list: numpy takes longer for one number than for a hundred. LAPACK's reflections look at the sign of a zero: 0.0 keeps it.
    outputs = accumulate(
        inputs.tolist(), lambda latest, each: each - (0.0 + ma * latest), initial=0.0
    )
    return np.array([*outputs][1:], np.float64)


def _least_squares(design: Floats, values: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], np.float64)


def _stable(coefficients: Floats) -> Floats:
    """Return AR coefficients with every root inside the unit circle: those outside are drawn towards 0."""
    roots = np.roots(np.concatenate([[1.0], -coefficients]))
    largest = float(np.max(np.abs(roots), initial=0.0))
    if largest <= _LARGEST_ROOT:
        return coefficients
    powers = np.arange(1, len(coefficients) + 1)
    scaled: Floats = coefficients * (_LARGEST_ROOT / largest) ** powers
    return scaled
