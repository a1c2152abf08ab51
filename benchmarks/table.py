"""Changes of a table per second of processor time, and calls, by endpoint and by forest: the numbers that `cutwatch cost --table` assumes.

    OMP_NUM_THREADS=1 PYTHONPATH=functions:cli:localaws/src .venv/bin/python benchmarks/table.py

A function gets the event of a mapping and gives its answer; it is warm, and its forests are full. S3 is a dict, the endpoint
answers at once, and its algorithm is measured by itself. Metrics and log lines, some per batch, are not written.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from cutwatch.detectors.stream import KeySettings
from cutwatch.detectors.watched_table import TableEngine, WatchedTable
from cutwatch.endpoints.cutoff_cache import CutoffCache
from cutwatch.endpoints.cutoff_store import VariantCutoff
from cutwatch.endpoints.invocation import ScoringEndpoint
from cutwatch.errors import NotFound
from cutwatch.streams.outbox import Outbox
from cutwatch.tables.changes import changes_of, partial_response
from cutwatch.tables.forest_scoring import ForestTableScorer, change_scorer
from cutwatch.tables.forest_state import ForestStateStore
from cutwatch.tables.scoring import TableScorer
from cutwatch.tables.state import TableStateStore
from localaws.sagemaker.random_cut_forest import Hyperparameters, load, score, train

BATCH, BATCHES, LEARNED = 1_000, 10, 3
# Of cases with several keys: a key learns 256 changes before it scores.
LEARNED_PER_KEY = 256
TREES, SAMPLE_SIZE = 100, 256
KEYS = (1, 10)
_START, _MODEL = 1_790_000_000, "model"


class Measured(NamedTuple):
    """Processor seconds, and calls a batch."""

    seconds: float
    calls: Mapping[str, float]


@dataclass
class Endpoint:
    """An endpoint that scores every row the same, and counts its calls."""

    calls: int = 0
    answers: dict[int, bytes] = field(default_factory=dict)

    def invoke_endpoint(self, **request: Any) -> Mapping[str, Any]:
        self.calls += 1
        rows = request["Body"].count(b"\n")
        if rows not in self.answers:
            self.answers[rows] = json.dumps({"scores": [{"score": 1.0123456789}] * rows}).encode()
        return {"Body": io.BytesIO(self.answers[rows]), "InvokedProductionVariant": _MODEL}


@dataclass
class MemoryBucket:
    """Objects that nobody else writes, with counts of calls."""

    name: str = "bucket"
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    gets: int = 0
    puts: int = 0

    def read_with_etag(self, key: str) -> tuple[bytes, str]:
        self.gets += 1
        if key not in self.objects:
            raise NotFound("GetObject", "NoSuchKey", key)
        return self.objects[key]

    def put_if(self, key: str, content: bytes, etag: str | None) -> str:  # noqa: ARG002 - nobody else writes
        self.puts += 1
        self.objects[key] = (content, f"{self.puts}")
        return f"{self.puts}"


@dataclass
class Cutoffs:
    """The registry's only cutoff."""

    cutoff: VariantCutoff

    def get(self, variant: str) -> VariantCutoff:  # noqa: ARG002 - there is one
        return self.cutoff


def table_of(keys: int, engine: TableEngine) -> WatchedTable:
    return WatchedTable(
        "taxi",
        "taxi",
        {"ridecount": "ridecount", "difference": "difference"},
        key="zone" if keys > 1 else "",
        time="time",
        engine=engine,
        keys=KeySettings(limit=keys) if engine == "forest" else KeySettings(),
    )


def events(keys: int, batches: int) -> list[dict[str, Any]]:
    """Return batches of a mapping: ordinary changes, of `keys` keys in turn, a second apart."""
    values = np.random.default_rng(0).normal(1_000, 100, size=(batches * BATCH, 2)).tolist()
    records = [_record(number, number % keys, row) for number, row in enumerate(values)]
    return [{"Records": records[at : at + BATCH]} for at in range(0, len(records), BATCH)]


def _record(number: int, key: int, row: Sequence[float]) -> dict[str, Any]:
    time = np.datetime64(_START + number, "s").item().isoformat()
    image = {"id": {"S": f"{number:012d}"}, "zone": {"S": f"zone-{key}"}, "time": {"S": time},
             "ridecount": {"N": f"{row[0]:.2f}"}, "difference": {"N": f"{row[1]:.2f}"}}  # fmt: skip
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"id": image["id"]},
            "NewImage": image,
            "SequenceNumber": f"{number:021d}",
            "ApproximateCreationDateTime": float(_START + number),
        },
    }


def by_endpoint(keys: int) -> Measured:
    table, bucket, endpoint = table_of(keys, "endpoint"), MemoryBucket(), Endpoint()
    ranges = ((1_000.0, 800.0, 1_200.0),) * len(table.columns)
    cutoff = VariantCutoff(
        _MODEL, table.fingerprint, table.columns, 2.0, 1.0, 0.3, ranges, 1_000, "2026-11-01T00:00:00Z"
    )  # fmt: skip
    scorer = TableScorer(
        table,
        ScoringEndpoint(endpoint, table.name),
        CutoffCache(Cutoffs(cutoff), table.fingerprint),  # type: ignore[arg-type]
        TableStateStore(bucket, table.name),  # type: ignore[arg-type]
        Outbox.clear,
    )
    seconds = timed(scorer, events(keys, LEARNED + BATCHES), LEARNED)
    return _measured(seconds, bucket, LEARNED + BATCHES, endpoint.calls)


def by_forest(keys: int) -> Measured:
    table = table_of(keys, "forest")
    bucket = MemoryBucket()
    learned = max(LEARNED, -(-LEARNED_PER_KEY * keys // BATCH))
    store = ForestStateStore(bucket, table.as_stream, table)  # type: ignore[arg-type]
    scorer = ForestTableScorer(change_scorer(table, store.initial_buckets()), store, Outbox.clear)
    seconds = timed(scorer, events(keys, learned + BATCHES), learned)
    return _measured(seconds, bucket, learned + BATCHES)


def timed(
    scorer: TableScorer | ForestTableScorer, batches: Sequence[Any], learned: int
) -> list[float]:
    """Return the processor seconds of each batch after the first `learned`."""
    seconds = []
    for event in batches:
        began = process_time()
        changes = changes_of(event)
        batch = scorer.score(changes)
        answer = partial_response(changes, batch.failed)
        seconds.append(process_time() - began)
        if answer["batchItemFailures"] or batch.report.errors:
            raise RuntimeError(f"changes failed: {batch.report.errors}")
    return seconds[learned:]


def _measured(
    seconds: Sequence[float], bucket: MemoryBucket, batches: int, invocations: int = 0
) -> Measured:
    counted = {"InvokeEndpoint": invocations, "GetObject": bucket.gets, "PutObject": bucket.puts}
    return Measured(median(seconds), {name: calls / batches for name, calls in counted.items()})


def algorithm_seconds() -> float:
    """Return the seconds in which the endpoint's algorithm scores a batch, on one core."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(SAMPLE_SIZE * TREES, 2))
    forest = load(train(rows, Hyperparameters(2, TREES, SAMPLE_SIZE)))
    seconds = []
    for rows in random.normal(size=(BATCHES, BATCH, 2)):
        began = process_time()
        score(forest, rows)
        seconds.append(process_time() - began)
    return median(seconds)


def main() -> None:
    table = Table(title=f"Batches of {BATCH:,} changes, two columns, {TREES} x {SAMPLE_SIZE} trees", box=None)  # fmt: skip
    for heading in ("engine", "keys", "changes/s", "us a change", "InvokeEndpoint", "GetObject", "PutObject"):  # fmt: skip
        table.add_column(heading, justify="right")
    cases: Mapping[str, Callable[[int], Measured]] = {"endpoint": by_endpoint, "forest": by_forest}
    for name, measure in cases.items():
        for keys in KEYS:
            _add(table, name, str(keys), measure(keys))
    _add(table, "the endpoint's algorithm", "", Measured(algorithm_seconds(), {}))
    Console(width=120).print(table)


def _add(table: Table, name: str, keys: str, found: Measured) -> None:
    calls = (f"{each:.2f}" for each in found.calls.values())
    each = found.seconds / BATCH
    table.add_row(name, keys, f"{1 / each:,.0f}", f"{each * 1e6:.1f}", *calls)


if __name__ == "__main__":
    main()
