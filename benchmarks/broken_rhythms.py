"""How many breaks of a daily or weekly rhythm are found, on generated metrics of three shapes.

    PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/broken_rhythms.py

A metric has 41 days and one break, in the fifth or sixth week: a day that begins four hours late, one whose peak does not
come, a Saturday like a workday or a workday like a Saturday. It is found if an event begins on that day.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.backtest.simulation import EngineName, Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from tests.support.builders import a_detector

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAYS, TRAINING = 41, timedelta(days=14)
DAY, SATURDAY, TUESDAY, WEDNESDAY = 86_400, 33, 36, 37
LATE, HOUR = 4, 3_600
OPENS, CLOSES = 8, 18
ENGINES: tuple[EngineName, ...] = ("lambda", "sagemaker")
PERIODS = (300, HOUR)
# What a weekend has of a workday's values, and the noise as a share of a value.
WEEKENDS, NOISES = (0.4, 0.7), (0.03, 0.1)
# A workday's values by the hour of the day.
SHAPES: Mapping[str, Callable[[Floats], Floats]] = {
    "wave": lambda hours: 100 - 40 * np.cos(2 * np.pi * (hours - 4) / 24),
    "office hours": lambda hours: np.where((hours >= OPENS) & (hours < CLOSES), 100.0, 10.0),
    "evening peak": lambda hours: (
        40 + 20 * np.sin(2 * np.pi * (hours - 9) / 24) + 80 * np.exp(-(((hours - 20) / 2) ** 2))
    ),
}
BREAKS: Mapping[str, int] = {
    "Saturday like a workday": SATURDAY,
    "workday like a Saturday": TUESDAY,
    "peak that does not come": WEDNESDAY,
    "day four hours late": WEDNESDAY,
}


def values(rhythm: str, shape: str, weekend: float, noise: float, period: int) -> Floats:
    """Return a metric (n,) with its break."""
    seconds = np.arange(DAYS * DAY // period) * period
    days, hours = seconds // DAY, seconds % DAY / HOUR
    broken = days == BREAKS[rhythm]
    if rhythm == "day four hours late":
        hours = np.where(broken, (hours - LATE) % 24, hours)
    quiet = days % 7 >= SATURDAY % 7
    if "like a" in rhythm:
        quiet ^= broken
    usual = SHAPES[shape](hours) * np.where(quiet, weekend, 1.0)
    if rhythm == "peak that does not come":
        usual = np.where(broken, np.minimum(usual, np.quantile(usual[broken], 0.4)), usual)
    random = np.random.default_rng(round(10 * weekend + 100 * noise))
    return usual * (1 + noise * random.normal(size=len(usual)))


def main() -> None:
    """Print the counts by kind of break, engine and period."""
    table = Table("engine", "every", "break", "found", "its events", "other events", box=None)
    for engine, period, rhythm in product(ENGINES, PERIODS, BREAKS):
        detector = a_detector(period=period, engine=engine)
        plan = Plan(engine, "weekly" if period == HOUR else "monthly", seed=1)
        found = own = others = 0
        kinds = list(product(SHAPES, WEEKENDS, NOISES))
        for kind in kinds:
            series = MetricSeries(period, START, values(rhythm, *kind, period).tolist())
            raised = backtest(series, detector, TRAINING, plan).events
            of_day = sum((each.begins - START).days == BREAKS[rhythm] for each in raised)
            found += of_day > 0
            own += of_day
            others += len(raised) - of_day
        every = f"{period // 60} min"
        table.add_row(engine, every, rhythm, f"{found} of {len(kinds)}", f"{own}", f"{others}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
