"""How many nights without their job are found, and what the nights with it raise, on generated metrics of nine kinds.

    PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/nightly_jobs.py

A metric has 41 days of five minutes; its job does not run in the last night but two. A job that is reported within an hour
and a half of its usual time is found.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch_cli.backtest.simulation import EngineName, Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from tests.support.builders import a_detector
from tests.support.nightly_jobs import KINDS, PERIOD, START, TWO_O_CLOCK, NightlyJob

DAYS, NIGHT = 41, 38
TRAINING = timedelta(days=7)
USUAL = START + timedelta(days=NIGHT, minutes=TWO_O_CLOCK)
ENGINES: tuple[EngineName, ...] = ("lambda", "sagemaker")


def events(job: NightlyJob, seed: int, engine: EngineName) -> Sequence[AnomalyEvent]:
    """Return the events of a metric whose job does not run in one night."""
    series = MetricSeries(60 * PERIOD, START, job.values(seed, DAYS, {NIGHT}).tolist())
    detector = a_detector(period=60 * PERIOD, engine=engine)
    return backtest(series, detector, TRAINING, Plan(engine, seed=1)).events


def main(seeds: Annotated[int, typer.Option(help="Metrics of each kind.")] = 2) -> None:
    """Print the counts for punctual and jittering jobs under both engines."""
    table = Table("engine", "jitter", "found", "events of that night", "other events", box=None)
    for engine in ENGINES:
        for jitter in (0, 20):
            found = night = others = 0
            for number, kind in enumerate(KINDS):
                for seed in range(1, seeds + 1):
                    raised = events(replace(kind, jitter=jitter), 100 * number + seed, engine)
                    late = [each.begins - USUAL for each in raised]
                    of_night = [each for each in late if abs(each) < timedelta(hours=6)]
                    found += any(each <= timedelta(hours=1.5) for each in of_night)
                    night += len(of_night)
                    others += len(late) - len(of_night)
            count = seeds * len(KINDS)
            table.add_row(engine, f"{jitter} min", f"{found} of {count}", f"{night}", f"{others}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
