"""Series of minutes for tests of models: a day's course, ARMA noise around it."""

import numpy as np

from cutwatch.anomaly_models.model import Rows
from cutwatch.timeseries.arrays import Floats

MINUTE = 60
MIDNIGHT = 1_780_272_000.0


def arma_noise(count: int, ar: tuple[float, ...], ma: tuple[float, ...], seed: int) -> Floats:
    """Return an ARMA process (count,) of errors with deviation 1, after a warm-up."""
    # Lists: numpy takes longer for one number than for a hundred.
    errors = np.random.default_rng(seed).normal(size=count + 500).tolist()
    values: list[float] = []
    for step, error in enumerate(errors):
        value = error
        for lag, weight in enumerate(ar, start=1):
            value += weight * values[step - lag] if step >= lag else 0.0
        for lag, weight in enumerate(ma, start=1):
            value += weight * errors[step - lag] if step >= lag else 0.0
        values.append(value)
    return np.array(values[500:])


def daily_rows(days: int, seed: int = 1, columns: int = 1) -> Rows:
    """Return minutes of a daily course with ARMA(2, 1) noise."""
    times = MIDNIGHT + MINUTE * np.arange(days * 1_440, dtype=np.float64)
    course = 100 + 20 * np.sin(2 * np.pi * times / 86_400) + 6 * np.cos(6 * np.pi * times / 86_400)
    noise = [arma_noise(len(times), (0.6, 0.2), (0.3,), seed + each) for each in range(columns)]
    return Rows(times, np.column_stack([course + each for each in noise]))
