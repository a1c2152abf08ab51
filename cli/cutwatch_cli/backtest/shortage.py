"""Advice for a file without a score."""

import math
from collections.abc import Iterator
from datetime import timedelta

from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.wording import count
from cutwatch_cli.backtest.simulation import PROBATION_SHARE, EngineName
from cutwatch_cli.csv_files.regular_grid import MetricSeries

# Some more than the minimum: gaps and the first differences are not complete rows.
_GAPS = 1.1


def nothing_scored(series: MetricSeries, training_time: timedelta, engine: EngineName) -> str:
    """Return why nothing was scored, and which options or how much more data would change that."""
    reported = sum(not math.isnan(value) for value in series.values)
    learned = min(training_time // timedelta(seconds=series.period_seconds), len(series.values))
    needed = MINIMUM_TRAINING_ROWS[engine]
    return (
        f"nothing was scored: training needs {needed} complete rows with --engine {engine}, and "
        f"{count(learned, 'datapoint')} of {reported:,} came before the first training; "
        f"use {remedies(series, engine)}"
    )


def remedies(series: MetricSeries, engine: EngineName) -> str:
    """Return which options, or how much more data, would let the engine train, joined by "or"."""
    reported = sum(not math.isnan(value) for value in series.values)
    return ", or ".join(_remedies(series, reported, engine))


def _remedies(series: MetricSeries, reported: int, engine: EngineName) -> Iterator[str]:
    for name in dict.fromkeys((engine, "lambda")):
        rows = math.ceil(MINIMUM_TRAINING_ROWS[name] * _GAPS)
        if reported > rows:
            days = math.ceil(rows * series.period_seconds / 864) / 100
            option = "" if name == engine else f"--engine {name} "
            yield f"{option}--training-days {days:g}"
    longer = math.ceil(MINIMUM_TRAINING_ROWS[engine] / PROBATION_SHARE)
    yield f"a history of at least {longer:,} datapoints"
