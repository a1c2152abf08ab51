from functools import cache

import numpy as np
import pytest

from cutwatch.anomaly_models.harmonic_fit import fit_harmonic_regression
from cutwatch.anomaly_models.harmonic_regression import HarmonicRegression
from cutwatch.anomaly_models.model import Rows
from tests.support.series import MINUTE, daily_rows

WEEK = daily_rows(8, columns=2)
TRAINING, LATER = WEEK.between(0, 10_080), WEEK.between(10_080, 11_520)


@cache
def fitted() -> bytes:
    return fit_harmonic_regression(TRAINING, MINUTE).to_bytes()


def a_model() -> HarmonicRegression:
    return HarmonicRegression.from_bytes(fitted())


def changed(rows: Rows, place: int, column: int, by: float) -> Rows:
    values = rows.values.copy()
    values[place, column] += by
    return Rows(rows.times, values)


@pytest.mark.slow
def test_scores_of_ordinary_rows_are_those_of_normal_errors() -> None:
    scores = a_model().score(LATER)
    assert np.mean(scores) == pytest.approx(1.13, abs=0.1)
    assert np.max(scores) < 5


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("by", [-10.0, 10.0])
def test_an_outlier_in_any_column_and_direction_stands_out_alone(column: int, by: float) -> None:
    scores = a_model().score(changed(LATER, 700, column, by))
    assert np.argmax(scores) == 700
    assert scores[700] > 7
    assert np.max(scores[701:720]) < 6


def test_rows_score_the_same_one_by_one() -> None:
    together, model = a_model().score(LATER), a_model()
    alone = []
    for row in LATER.one_by_one():
        alone.append(float(model.score(row)[0]))
        model.learn(row)
    assert alone == pytest.approx(together, abs=1e-12)


def test_scoring_does_not_change_the_model() -> None:
    model = a_model()
    before = model.to_bytes()
    model.score(LATER)
    assert model.to_bytes() == before
    model.learn(LATER)
    assert model.to_bytes() != before


def test_a_model_survives_bytes_exactly() -> None:
    model = a_model()
    model.learn(LATER.between(0, 100))
    restored = HarmonicRegression.from_bytes(model.to_bytes())
    rest = LATER.between(100, 300)
    assert restored.score(rest).tolist() == model.score(rest).tolist()
    assert len(model.to_bytes()) < 4_000


def test_a_gap_is_bridged_by_the_season() -> None:
    model = a_model()
    after = model.score(LATER.between(600, 700))
    assert np.max(after) < 5


def test_a_missing_value_has_no_score_and_disturbs_none() -> None:
    values = LATER.values.copy()
    values[10] = np.nan
    values[20, 0] = np.nan
    scores = a_model().score(Rows(LATER.times, values))
    assert np.isnan(scores[10])
    assert np.isfinite(np.delete(scores, 10)).all()
    assert np.nanmax(scores) < 5
