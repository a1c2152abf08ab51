"""How good detection is on labelled metrics: `python benchmarks/detection.py --nab DIR --kpi DIR --operations DIR`.

One configuration for all files; an alarm is a severity of 1 and more. With `--leave-one-out` the thresholds are searched on
two collections and measured on the third, and each is moved by 10 % and 20 %. See docs/detection.md.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from contenders import (
    Contender,
    Cutwatch,
    RowsATree,
    difference_z_score,
    isolation_forest,
    original_rule,
    rolling_z_score,
)
from first_week import print_first_week
from labelled import (
    Flags,
    LabelledMetric,
    Quality,
    fleet_quality,
    load_kpi,
    load_nab,
    load_operations,
    nab_quality,
)
from leave_one_out import print_leave_one_out
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cutwatch_cli.backtest.simulation import Plan
from cutwatch_cli.csv_files.csv_series import read_csv

CONTENDERS: Mapping[str, Contender] = {
    "learning forest": Cutwatch(Plan("lambda", "monthly")),
    "learning forest, causal": Cutwatch(Plan("lambda", "monthly", causal=True)),
    "static forest, weekly": Cutwatch(Plan("sagemaker", "weekly")),
    "static forest, monthly": Cutwatch(Plan("sagemaker", "monthly")),
    "isolation forest": isolation_forest,
    "original rule": original_rule,
    "rolling z-score": rolling_z_score,
    "z-score of differences": difference_z_score,
}
# How few rows a tree of a static forest needs.
SMALL_TREES: Mapping[str, Contender] = {
    f"{rows} rows a tree": RowsATree(rows) for rows in (2, 4, 8, 16, 32)
}
_WEEK = 7 * 86_400
Judge = Callable[[Sequence[LabelledMetric], Mapping[Path, Flags]], Quality]


class Job(NamedTuple):
    """One contender on one metric with one seed."""

    contender: str
    metric: LabelledMetric
    seed: int


class Result(NamedTuple):
    """The rows on which it alarmed; processor seconds it took, and the metric's weeks."""

    job: Job
    flags: Flags
    seconds: float
    weeks: float


def main(
    nab: Annotated[Path, typer.Option(help="The Numenta Anomaly Benchmark: data/, labels/.")],
    kpi: Annotated[Path, typer.Option(help="Metrics with a column `label`: data/*.csv.")],
    operations: Annotated[Path, typer.Option(help="The same, mostly hourly: data/*.csv.")],
    seeds: Annotated[int, typer.Option(min=1, help="Runs whose spread is shown.")] = 5,
    only: Annotated[list[str] | None, typer.Option(help="Leave out all other contenders.")] = None,
    small_trees: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--small-trees", help="Static forests of small trees instead.")
    ] = False,
    leave_one_out: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--leave-one-out", help="Search thresholds, and move each.")
    ] = False,
    first_week: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--first-week", help="The first scored week beside later ones.")
    ] = False,
    scores: Annotated[
        Path | None,
        typer.Option(help="Keep forests' scores of these two here, and use those that are there."),
    ] = None,
) -> None:
    """Print the quality of every contender on all collections, and per category."""
    metrics = [*load_nab(nab), *load_kpi(kpi), *load_operations(operations)]
    if leave_one_out or first_week:
        with tempfile.TemporaryDirectory() as temporary:
            folder = scores or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            if leave_one_out:
                print_leave_one_out(metrics, folder, Console(width=240))
            if first_week:
                print_first_week(metrics, folder, seeds, Console(width=120))
        return
    contenders = SMALL_TREES if small_trees else CONTENDERS
    names = [name for name in contenders if not only or name in only]
    jobs = [Job(*job) for job in product(names, metrics, range(1, seeds + 1))]
    results = _run(jobs)
    console = Console(width=120)
    console.print(_comparison(names, results))
    for name in names if not small_trees else ():
        console.print(_by_category(name, results))


def _run(jobs: Sequence[Job]) -> list[Result]:
    with ProcessPoolExecutor() as pool:
        done = pool.map(_measure, jobs)
        return list(track(done, "Measuring", total=len(jobs), transient=True))


def _measure(job: Job) -> Result:
    metric = read_csv(job.metric.path)
    started = time.process_time()
    raised = (CONTENDERS | SMALL_TREES)[job.contender](metric, job.seed)
    seconds = time.process_time() - started
    positions = np.asarray(metric.positions)
    first_rows = np.zeros(len(positions), bool)
    first_rows[np.unique(positions, return_index=True)[1]] = True
    flags: Flags = (np.nan_to_num(raised)[positions] >= 1) & first_rows
    return Result(job, flags, seconds, len(metric.values) * metric.period_seconds / _WEEK)


def _comparison(names: Iterable[str], results: Sequence[Result]) -> Table:
    table = Table(title="All collections, mean of the seeds ± their deviation", box=None)
    headings = (
        *("NAB standard", "recall", "false/1,000", "KPI recall", "false/week"),
        *("operations recall", "false/week", "s/week"),
    )
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    for name in names:
        own = [result for result in results if result.job.contender == name]
        first = _qualities(own, "NAB", nab_quality)
        second = _qualities(own, "KPI", fleet_quality)
        third = _qualities(own, "operations", fleet_quality)
        speed = sum(result.seconds for result in own) / sum(result.weeks for result in own)
        table.add_row(
            name,
            _spread([quality.score for quality in first], 1),
            *(_spread([getattr(q, field) for q in first], 2) for field in ("recall", *_REST)),
            *(
                cell
                for of in (second, third)
                for cell in (
                    _spread([quality.recall for quality in of], 3),
                    _spread([quality.false_alarms for quality in of], 2),
                )
            ),
            f"{speed:.3f}",
        )
    return table


_REST = ("false_alarms",)


def _by_category(name: str, results: Sequence[Result]) -> Table:
    table = Table(title=f"\n{name}, by category", title_justify="left", box=None)
    for heading in ("category", "metrics", "events", "score", "recall", "false alarms", "F1"):
        table.add_column(heading, justify="left" if heading == "category" else "right")
    own: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.job.contender == name:
            own[result.job.metric.category].append(result)
    for category, some in own.items():
        collection = some[0].job.metric.collection
        judge = nab_quality if collection == "NAB" else fleet_quality
        qualities = _qualities(some, collection, judge)
        metrics = {result.job.metric for result in some}
        table.add_row(
            category,
            str(len(metrics)),
            str(sum(len(metric.events) for metric in metrics)),
            *(_spread([getattr(q, field) for q in qualities], digits) for field, digits in _SHOWN),
        )
    return table


_SHOWN = (("score", 1), ("recall", 2), ("false_alarms", 2), ("f1", 2))


def _qualities(results: Sequence[Result], collection: str, judge: Judge) -> list[Quality]:
    """One per seed."""
    by_seed: dict[int, dict[LabelledMetric, Flags]] = defaultdict(dict)
    for result in results:
        if result.job.metric.collection == collection:
            by_seed[result.job.seed][result.job.metric] = result.flags
    return [
        judge(list(flags), {metric.path: one for metric, one in flags.items()})
        for flags in by_seed.values()
    ]


def _spread(numbers: Sequence[float], digits: int) -> str:
    if not len(numbers) or np.isnan(numbers).any():
        return "-"
    deviation = f" ±{np.std(numbers):.{digits}f}" if len(numbers) > 1 else ""
    return f"{np.mean(numbers):.{digits}f}{deviation}"


if __name__ == "__main__":
    typer.run(main)
