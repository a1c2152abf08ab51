"""Fitting of the one-class SVM with scikit-learn, which functions that score do not have."""

import math
from importlib import import_module

import numpy as np

from cutwatch.anomaly_models.model import Rows
from cutwatch.anomaly_models.one_class_svm import OneClassSvm

# Share of the training's rows that may lie outside.
NU = 0.01
# The fit takes time with the square of the rows; of more, evenly spaced ones are taken.
MOST_ROWS = 10_000


def fit_one_class_svm(rows: Rows, nu: float = NU) -> OneClassSvm:
    """Return the machine of rows (n, d), at least one."""
    values = np.nan_to_num(rows.values, nan=0.0)
    chosen = values[np.linspace(0, len(values) - 1, min(len(values), MOST_ROWS)).astype(int)]
    # scikit-learn's "scale", which has no value where nothing varies.
    gamma = 1 / (chosen.shape[1] * (float(chosen.var()) or 1.0))
    # Its import takes two seconds, and trainings of other models need none of it.
    machine = import_module("sklearn.svm").OneClassSVM(kernel="rbf", nu=nu, gamma=gamma)
    fitted = machine.fit(chosen)
    weights = np.ascontiguousarray(fitted.dual_coef_[0], np.float64)
    vectors = np.ascontiguousarray(fitted.support_vectors_, np.float64)
    border = math.log(weights.sum() / -fitted.intercept_[0])
    return OneClassSvm(vectors, weights, gamma, border)
