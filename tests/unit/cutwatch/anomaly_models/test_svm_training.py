from functools import cache

import numpy as np
import pytest

from cutwatch.anomaly_models import svm_training
from cutwatch.anomaly_models.model import Rows
from cutwatch.anomaly_models.one_class_svm import OneClassSvm
from cutwatch.anomaly_models.svm_training import fit_one_class_svm
from cutwatch.timeseries.arrays import Floats


def rows_of(values: Floats) -> Rows:
    return Rows(np.arange(len(values), dtype=np.float64), values)


SOURCE = np.random.default_rng(1)
TRAINING = rows_of(SOURCE.normal(size=(2_000, 5)))
LATER = rows_of(SOURCE.normal(size=(700, 5)) * 3)


@cache
def fitted_machine() -> OneClassSvm:
    return fit_one_class_svm(TRAINING)


def test_scores_have_the_decision_function_of_scikit_learn() -> None:
    from sklearn.svm import OneClassSVM  # noqa: PLC0415 - takes two seconds in every worker

    gamma = 1 / (5 * TRAINING.values.var())
    machine = OneClassSVM(nu=0.01, gamma=gamma).fit(TRAINING.values)
    decisions = machine.decision_function(LATER.values)

    fitted = fitted_machine()
    assert fitted.density(LATER) + machine.intercept_ == pytest.approx(decisions, abs=1e-9)
    outliers = fitted.score(LATER) > fitted.border
    assert outliers.tolist() == (decisions < 0).tolist()
    assert 0 < outliers.sum() < 700


def test_few_rows_of_the_training_are_outside() -> None:
    outside = np.mean(fitted_machine().score(TRAINING) > fitted_machine().border)
    assert svm_training.NU / 2 < outside < 3 * svm_training.NU


def test_scores_grow_where_the_decision_function_is_flat() -> None:
    far = rows_of(np.array([[0.0] * 5, [3.0] * 5, [10.0] * 5, [30.0] * 5, [1e6] * 5]))
    scores = fitted_machine().score(far)
    assert np.all(np.diff(scores)[:3] > 0)
    assert np.isfinite(scores).all()
    assert scores[0] >= 0


def test_rows_score_the_same_one_by_one_and_in_chunks() -> None:
    alone = [float(fitted_machine().score(row)[0]) for row in LATER.one_by_one()]
    assert alone == pytest.approx(fitted_machine().score(LATER), abs=1e-12)


def test_a_machine_survives_bytes_exactly() -> None:
    restored = OneClassSvm.from_bytes(fitted_machine().to_bytes())
    assert restored.score(LATER).tolist() == fitted_machine().score(LATER).tolist()
    restored.learn(LATER)
    assert restored.to_bytes() == fitted_machine().to_bytes()


def test_a_large_training_is_sampled_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svm_training, "MOST_ROWS", 200)
    sampled = fit_one_class_svm(TRAINING)
    assert len(sampled._vectors) < 50
    assert np.corrcoef(sampled.score(LATER), fitted_machine().score(LATER))[0, 1] > 0.9


def test_rows_that_do_not_vary_have_a_machine() -> None:
    constant = rows_of(np.ones((500, 3)))
    fitted = fit_one_class_svm(constant)
    inside, outside = fitted.score(rows_of(np.array([[1.0] * 3, [2.0] * 3])))
    assert inside < outside
