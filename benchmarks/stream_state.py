"""Processor time to score a record and to write and read a key's state: the numbers that `cutwatch cost --stream` assumes.

    OMP_NUM_THREADS=1 PYTHONPATH=functions:cli .venv/bin/python benchmarks/stream_state.py

Forests are full, and states stay in memory between batches of 1,000, as in a function that is invoked again and again.
"""

from statistics import median
from time import process_time

import numpy as np
from rich.console import Console
from rich.table import Table
from stream import BATCH, raw_records, stream_of

from cutwatch.detectors.stream import ForestSettings
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.scoring import StreamScorer

BATCHES = 10
# Trees, columns, keys.
CASES = ((30, 1, 1), (100, 1, 1), (100, 2, 1), (30, 1, 10), (100, 1, 10))


def measured(trees: int, columns: int, keys: int) -> tuple[float, float, float, float]:
    """Return microseconds per record, milliseconds to write and to read a key's state, and its kilobytes."""
    stream = stream_of(columns, ForestSettings(trees=trees), keys)
    scorer, bucket = StreamScorer(stream, 1), KeyBucket.empty(stream, 0)
    learned = 2 * stream.forest.sample_size * keys
    rows = np.random.default_rng(0).normal(size=(learned + BATCHES * BATCH, columns))
    arrived = scorer.by_bucket(raw_records(rows, keys))[0]
    scorer.score(bucket, arrived[:learned])
    content = bucket.to_bytes(stream)
    scoring, writing = [], []
    for start in range(learned, len(arrived), BATCH):
        began = process_time()
        scorer.score(bucket, arrived[start : start + BATCH])
        bucket.outbox.clear()
        between = process_time()
        content = bucket.to_bytes(stream)
        scoring.append(between - began)
        writing.append(process_time() - between)
    began = process_time()
    read = KeyBucket.from_bytes(content, stream)
    for key in [*read.states]:
        _ = read.states[key]
    reading = process_time() - began
    return (
        median(scoring) / BATCH * 1e6,
        median(writing) / keys * 1e3,
        reading / keys * 1e3,
        len(content) / keys / 1e3,
    )


def main() -> None:
    table = Table(title=f"Batches of {BATCH:,} records, states in memory", box=None)
    for heading in ("trees", "columns", "keys", "us a record", "ms to write a key", "ms to read a key", "kB a key"):  # fmt: skip
        table.add_column(heading, justify="right")
    for case in CASES:
        table.add_row(*map(str, case), *(f"{each:.2f}" for each in measured(*case)))
    Console().print(table)


if __name__ == "__main__":
    main()
