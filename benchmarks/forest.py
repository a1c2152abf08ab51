"""Learns and scores the same rows with Cutwatch's forests and others', side by side.

    OMP_NUM_THREADS=1 PYTHONPATH=functions:. .venv/bin/python benchmarks/forest.py

Every contender learns 8,640 rows (30 days at 5 minutes) and scores 2,016 (a week). They take turns in every
repetition, so that whatever else the machine does meets all of them. rrcf is pure Python and optional: it grows few
trees and scores few rows with them, and its times are scaled up.
"""

import gc
import pickle
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from time import process_time
from typing import Annotated, Any, NamedTuple, TypeVar

import numpy as np
import typer
from krcf import RandomCutForest
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.ensemble import IsolationForest

from cutwatch.forests.learning_forest import LearningForest
from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.backtest.static_forest import SAMPLES_PER_TREE, TREES, StaticForest

T = TypeVar("T")
LEARNED, SCORED = 8_640, 2_016
# What rrcf does of it, before its times are scaled up to all trees and rows.
RRCF_TREES, RRCF_SCORED = 10, 50
OURS, REFERENCE = "StaticForest", "krcf, static"


class Measurement(NamedTuple):
    """Processor seconds; `stored` is in bytes, 0 where there is no stored form to compare."""

    learning: float
    scoring: float
    scores: Floats
    stored: int


Contender = Callable[[Floats, Floats, int], Measurement]


def static_forest(learned: Floats, asked: Floats, seed: int) -> Measurement:
    learning, forest = _timed(lambda: StaticForest.train(learned, seed=seed))
    scoring, scores = _timed(lambda: forest.score(asked))
    return Measurement(learning, scoring, scores, len(forest.to_bytes()))


def learning_forest(learned: Floats, asked: Floats, seed: int) -> Measurement:
    """Scores every row before it learns it, so its learning is scoring too."""
    forest = LearningForest.untrained(1, learned.shape[1], seed=seed)
    learning, _ = _timed(lambda: forest.score(learned))
    scoring, scores = _timed(lambda: forest.score(asked))
    return Measurement(learning, scoring, scores, len(forest.to_bytes()))


def krcf_static(learned: Floats, asked: Floats, seed: int) -> Measurement:
    """AWS's forest as a static one: without decay, all rows equally likely to be held."""
    options: Any = {
        "dimensions": learned.shape[1],
        "shingle_size": 1,
        "num_trees": TREES,
        "sample_size": SAMPLES_PER_TREE,
        "lambda": 0.0,
        "random_seed": seed,
        "output_after": 1,
        "parallel_execution_enabled": False,
    }
    forest = RandomCutForest(options)
    rows, questions = learned.tolist(), asked.tolist()
    learning, _ = _timed(lambda: [forest.update(row) for row in rows])
    scoring, scores = _timed(lambda: [forest.score(row) for row in questions])
    return Measurement(learning, scoring, np.array(scores), len(bytes(forest.to_msgpack())))


def isolation_forest(learned: Floats, asked: Floats, seed: int) -> Measurement:
    forest = IsolationForest(
        n_estimators=TREES, max_samples=SAMPLES_PER_TREE, random_state=seed, n_jobs=1
    )
    learning, _ = _timed(lambda: forest.fit(learned))
    scoring, scores = _timed(lambda: -forest.score_samples(asked))
    return Measurement(learning, scoring, scores, len(pickle.dumps(forest)))


def rrcf_forest(learned: Floats, asked: Floats, seed: int) -> Measurement:
    """Trees of a sample each, a row's score being its collusive displacement once inserted: as rrcf's manual does."""
    tree_of = import_module("rrcf").RCTree
    random = np.random.default_rng(seed)
    held = [random.choice(len(learned), SAMPLES_PER_TREE, replace=False) for _ in range(RRCF_TREES)]
    grow, trees = _timed(lambda: [tree_of(learned[rows]) for rows in held])
    questions = asked[:RRCF_SCORED]
    scoring, scores = _timed(lambda: [[_codisp(t, row) for t in trees] for row in questions])
    every = TREES / RRCF_TREES
    padded = np.full(len(asked), np.nan)
    padded[: len(questions)] = np.mean(scores, axis=1)
    return Measurement(grow * every, scoring * every * len(asked) / len(questions), padded, 0)


def _codisp(tree: Any, row: Floats) -> float:
    tree.insert_point(row, index="asked")
    displacement = float(tree.codisp("asked"))
    tree.forget_point("asked")
    return displacement


CONTENDERS: Mapping[str, Contender] = {
    OURS: static_forest,
    REFERENCE: krcf_static,
    "LearningForest": learning_forest,
    "IsolationForest": isolation_forest,
    "rrcf": rrcf_forest,
}


def main(
    repetitions: Annotated[int, typer.Option(min=1, help="Turns of every contender.")] = 7,
) -> None:
    """Print medians, and how many times as long as StaticForest each contender takes."""
    names = [name for name in CONTENDERS if name != "rrcf" or find_spec("rrcf")]
    console = Console(width=120)
    for dimensions in (1, 8):
        turns = track(range(repetitions), f"{dimensions}-D", transient=True)
        done = [{name: _measure(name, dimensions, turn) for name in names} for turn in turns]
        console.print(_table(dimensions, {name: [one[name] for one in done] for name in names}))
    console.print(f"Medians of {repetitions} turns, {TREES} trees of {SAMPLES_PER_TREE} rows.")
    if "rrcf" not in names:
        console.print("rrcf is not installed and was left out.")
    else:
        console.print(f"rrcf: {RRCF_TREES} trees scoring {RRCF_SCORED} rows, times scaled up.")


def _measure(name: str, dimensions: int, turn: int) -> Measurement:
    random = np.random.default_rng(turn)
    learned = random.normal(size=(LEARNED, dimensions))
    asked = random.normal(size=(SCORED, dimensions)) * random.choice([1, 3], (SCORED, 1))
    gc.collect()
    return CONTENDERS[name](learned, asked, turn + 1)


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    started = process_time()
    result = act()
    return process_time() - started, result


def _table(dimensions: int, measured: Mapping[str, Sequence[Measurement]]) -> Table:
    table = Table(title=f"\n{dimensions}-D: {LEARNED:,} rows learned, {SCORED:,} scored", box=None)
    table.add_column("", no_wrap=True)
    for heading in ("learn ms", "x ours", "score ms", "x ours", "correlation", "stored KB"):
        table.add_column(heading, justify="right")
    ours = measured[OURS]
    for name, own in measured.items():
        learning, scoring = (_milliseconds(own, field) for field in ("learning", "scoring"))
        table.add_row(
            name,
            f"{learning:,.1f}",
            f"{learning / _milliseconds(ours, 'learning'):,.1f}",
            f"{scoring:,.1f}",
            f"{scoring / _milliseconds(ours, 'scoring'):,.1f}",
            f"{_correlation(own, measured[REFERENCE]):.3f}",
            f"{median(one.stored for one in own) / 1e3:,.0f}" if own[0].stored else "-",
        )
    return table


def _milliseconds(measurements: Sequence[Measurement], field: str) -> float:
    return 1e3 * median(getattr(one, field) for one in measurements)


def _correlation(own: Sequence[Measurement], reference: Sequence[Measurement]) -> float:
    """With the reference's scores of the same rows; the median of the turns."""
    return median(
        float(np.corrcoef(one.scores[known], other.scores[known])[0, 1])
        for one, other in zip(own, reference, strict=True)
        for known in [~np.isnan(one.scores)]
    )


if __name__ == "__main__":
    typer.run(main)
