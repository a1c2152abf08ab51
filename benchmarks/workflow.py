"""How long fleets of detectors take through both state machines on the local AWS, and what they ask of it.

PYTHONPATH=functions:. .venv/bin/python benchmarks/workflow.py                   # 1, 100 and 1,000 detectors
PYTHONPATH=functions:. .venv/bin/python benchmarks/workflow.py --sizes 1,5000

Each size has a process of its own. Memory and processor time of the functions are read from /proc: Linux only.
"""

import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Annotated

import numpy as np
import typer
from function_processes import FunctionProcesses
from rich.console import Console
from rich.table import Table

from cutwatch.detectors.detector import Detector, Engine
from cutwatch_cli.replay.application import deploy
from localaws import LocalAws, Stack

PERIOD = 300
HISTORY_DAYS = 30
TRAINING = datetime(2026, 6, 1, 3, tzinfo=UTC)
TRANSFORM = TRAINING + timedelta(weeks=1)
START = TRAINING - timedelta(days=HISTORY_DAYS)
DATAPOINTS = int((TRANSFORM - START).total_seconds()) // PERIOD
_RUNS = {"training": ("TrainingRule", TRAINING), "transform": ("TransformRule", TRANSFORM)}
_PATIENCE = 7200.0


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds by the clock and of processors, API calls by operation."""

    seconds: float
    driver: float
    functions: Mapping[str, float]
    calls: Mapping[str, int]

    @property
    def processor(self) -> float:
        return self.driver + sum(self.functions.values())


@dataclass(frozen=True)
class Measurement:
    """One fleet: its runs, and the peak of memory of the driver and of each function's largest process in MB."""

    detectors: int
    runs: Mapping[str, Cost]
    driver_mb: float
    functions_mb: Mapping[str, float]


def measure(size: int) -> Measurement:
    detectors = [detector(number) for number in range(size)]
    with LocalAws() as aws:
        aws.clock.move_to(TRAINING)
        stack = deploy(aws, detectors, {"DataDelayMinutes": "0"})
        load(aws, detectors)
        runs = {}
        with FunctionProcesses() as functions:
            for kind in _RUNS:
                runs[kind] = _run(aws, stack, functions, kind, size)
    driver = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measurement(size, runs, driver, functions.peak_mb)


def detector(number: int, engine: Engine = "lambda") -> Detector:
    name = f"metric-{number:05}"
    return Detector(
        name=name,
        namespace="Shop",
        metric=name,
        statistic="Average",
        period=PERIOD,
        history_days=HISTORY_DAYS,
        engine=engine,
    )


def load(aws: LocalAws, detectors: Sequence[Detector]) -> None:
    """A daily rhythm with noise of its own for every metric, and one spike in the week that is scored."""
    moments = [START + timedelta(seconds=PERIOD * n) for n in range(DATAPOINTS)]
    rhythm = 100 + 20 * np.sin(2 * np.pi * np.arange(DATAPOINTS) * PERIOD / 86_400)
    for seed, watched in enumerate(detectors):
        values = rhythm + np.random.default_rng(seed).normal(0, 2, DATAPOINTS)
        values[-500:-494] += 200
        aws.cloudwatch.load_series(
            watched.namespace, watched.metric, watched.dimensions, PERIOD, moments, values
        )


def _run(aws: LocalAws, stack: Stack, functions: FunctionProcesses, kind: str, size: int) -> Cost:
    rule, at = _RUNS[kind]
    aws.clock.move_to(at)
    aws.calls.clear()
    spent = functions.processor_seconds()
    started, processor = time.monotonic(), time.process_time()
    (execution,) = stack.fire(rule, at=at)
    ended = execution.wait(timeout=_PATIENCE)
    seconds, driver = time.monotonic() - started, time.process_time() - processor
    expected = {"TRAINED" if kind == "training" else "PUBLISHED": size}
    if ended.status != "SUCCEEDED" or ended.output["statuses"] != expected:
        raise RuntimeError(f"the {kind} of {size} ended as {ended}")
    calls = Counter(f"{call.service} {call.operation}" for call in aws.calls)
    used = functions.processor_seconds()
    by_function = {name: used[name] - spent.get(name, 0) for name in used}
    return Cost(seconds, driver, {name: each for name, each in by_function.items() if each}, calls)


def main(
    sizes: Annotated[str, typer.Option(help="Fleets to measure, with commas between.")] = (
        "1,100,1000"
    ),
) -> None:
    """Print the tables of docs/performance.md."""
    console = Console(width=120)
    chosen = [int(size) for size in sizes.split(",")]
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as apart:
        results = apart.map(measure, chosen)
        measured: list[Measurement] = []
        for one in results:
            measured.append(one)
            _print(console, measured)


def _print(console: Console, measured: Sequence[Measurement]) -> None:
    """All tables so far: the largest fleet takes longest, and may not end."""
    console.print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} processors")
    for kind in _RUNS:
        console.print(_times(kind, measured))
        console.print(_functions(kind, measured))
        console.print(_calls(kind, measured))


def _times(kind: str, measured: Sequence[Measurement]) -> Table:
    headings = ("seconds", "detectors a minute", "processor s", "of the driver", "each more, ms")
    table = _table(kind, *headings, "driver MB", "largest function MB")
    base = min(measured, key=lambda one: one.detectors)
    for one in measured:
        cost, more = one.runs[kind], one.detectors - base.detectors
        marginal = 1e3 * (cost.processor - base.runs[kind].processor) / more if more else np.nan
        table.add_row(
            f"{one.detectors:,}",
            f"{cost.seconds:,.1f}",
            f"{60 * one.detectors / cost.seconds:,.0f}",
            f"{cost.processor:,.1f}",
            f"{cost.driver:,.1f}",
            f"{marginal:,.1f}" if more else "",
            f"{one.driver_mb:,.0f}",
            f"{max(one.functions_mb.values()):,.0f}",
        )
    return table


def _functions(kind: str, measured: Sequence[Measurement]) -> Table:
    table = _table(f"{kind}: processor ms a detector", *(f"{one.detectors:,}" for one in measured))
    for name in sorted({name for one in measured for name in one.runs[kind].functions}):
        spent = [1e3 * one.runs[kind].functions.get(name, 0) / one.detectors for one in measured]
        table.add_row(name, *(f"{each:,.1f}" for each in spent))
    driver = [1e3 * one.runs[kind].driver / one.detectors for one in measured]
    table.add_row("the local AWS", *(f"{each:,.1f}" for each in driver))
    return table


def _calls(kind: str, measured: Sequence[Measurement]) -> Table:
    table = _table(f"{kind}: calls a detector", *(f"{one.detectors:,}" for one in measured))
    for name in sorted({name for one in measured for name in one.runs[kind].calls}):
        made = [one.runs[kind].calls.get(name, 0) / one.detectors for one in measured]
        table.add_row(name, *(f"{each:,.2f}" for each in made))
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=f"\n{title}", box=None)
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


if __name__ == "__main__":
    typer.run(main)
