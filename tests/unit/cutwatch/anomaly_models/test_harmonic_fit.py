from typing import Any

import numpy as np
import pytest

from cutwatch.anomaly_models.harmonic_fit import _errors, fit_arma, fit_harmonic_regression
from cutwatch.anomaly_models.model import Rows
from cutwatch.errors import InvalidInput
from cutwatch.timeseries.arrays import Floats
from tests.support.series import MINUTE, arma_noise, daily_rows

# docs/logs.md names these: they are far below the standard errors of the estimates, .2 and .01.
COEFFICIENTS, DEVIATION = 0.03, 0.005


def arima(noise: Floats, ar: int, ma: int) -> Any:
    from statsmodels.tsa.arima.model import ARIMA  # noqa: PLC0415 - takes a second in every worker

    return ARIMA(noise, order=(ar, 0, ma), trend="n")


@pytest.mark.slow
def test_coefficients_are_those_of_statsmodels() -> None:
    noise = arma_noise(1_500, (0.6, 0.2), (0.3,), seed=1)
    exact = arima(noise, 2, 1).fit()
    ar, ma = fit_arma(noise)
    errors = _errors(noise, np.concatenate([ar, ma]))

    assert [*ar, *ma] == pytest.approx(exact.params[:3], abs=COEFFICIENTS)
    assert errors.std() == pytest.approx(exact.params[3] ** 0.5, rel=DEVIATION)


def test_errors_are_those_of_statsmodels_filter() -> None:
    noise = arma_noise(500, (0.5,), (0.4,), seed=3)
    exact = arima(noise, 1, 1).filter([0.5, 0.4, 1.0])
    errors = _errors(noise, np.array([0.5, 0.4]))
    assert errors[50:] == pytest.approx(exact.resid[50:], abs=1e-9)


def test_the_season_is_found() -> None:
    column = fit_harmonic_regression(daily_rows(7), MINUTE).columns[0]
    constant, sine, cosine = column.season[:3]
    assert constant == pytest.approx(100, abs=0.5)
    assert (sine, cosine) == pytest.approx((20, 0), abs=0.5)
    assert column.deviation == pytest.approx(1, rel=0.02)


def test_weekly_terms_need_two_weeks() -> None:
    minutes, period = daily_rows(15), 10 * MINUTE
    rows = Rows(minutes.times[::10], minutes.values[::10])
    week = rows.between(0, len(rows.times) * 7 // 15)
    assert len(fit_harmonic_regression(week, period).seasons) == 1
    assert len(fit_harmonic_regression(rows, period).seasons) == 2


def test_too_few_rows_are_refused_with_the_number_that_is_needed() -> None:
    with pytest.raises(InvalidInput, match="10 rows are too few for a harmonic regression; it needs 20"):  # fmt: skip
        fit_harmonic_regression(daily_rows(1).between(0, 10), MINUTE)


def test_missing_values_do_not_disturb_the_fit() -> None:
    rows = daily_rows(7)
    values = rows.values.copy()
    values[::17] = np.nan
    column = fit_harmonic_regression(Rows(rows.times, values), MINUTE).columns[0]
    assert column.season[0] == pytest.approx(100, abs=0.5)
    assert column.deviation == pytest.approx(1, rel=0.3)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_a_constant_series_has_a_model(value: float) -> None:
    rows = daily_rows(1)
    model = fit_harmonic_regression(Rows(rows.times, np.full_like(rows.values, value)), MINUTE)
    assert np.all(model.score(Rows(rows.times[-1:] + MINUTE, np.array([[value]]))) < 1)


def test_a_random_walk_gets_coefficients_that_do_not_explode() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=3_000))
    ar, ma = fit_arma(walk - walk.mean())
    roots = np.roots([1.0, *-ar])
    assert np.max(np.abs(roots)) < 1
    assert abs(ma[0]) < 1
