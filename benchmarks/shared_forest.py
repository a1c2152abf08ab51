"""Shards that share one forest by conditional writes: records per second, and how often a batch is applied in vain.

    OMP_NUM_THREADS=1 PYTHONPATH=functions:cli .venv/bin/python benchmarks/shared_forest.py --get 0.03 --put 0.05

Each shard has an execution environment of its own, which scores batches of 1,000 records one after the other. Reading and writing the state
takes as long as given; scoring takes the processor, which the environments share here as they do not on AWS, so rates are too low
rather than too high where a forest is large.
"""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.errors import ConditionFailed, NotFound
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore

BATCH, BATCHES = 1_000, 12
STREAM = Stream(
    "shared",
    "shared",
    RecordFormat("at", {"x": "x"}, time_format="seconds"),
    forest=ForestSettings(trees=30),
)


@dataclass
class SlowBucket:
    """One object store with latencies."""

    get_seconds: float
    put_seconds: float
    name: str = "bucket"
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    puts: int = 0

    def uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def read_with_etag(self, key: str) -> tuple[bytes, str]:
        time.sleep(self.get_seconds)
        with self.lock:
            if key not in self.objects:
                raise NotFound("GetObject", "NoSuchKey", key)
            return self.objects[key]

    def put_if(self, key: str, content: bytes, etag: str | None) -> str:
        time.sleep(self.put_seconds)
        with self.lock:
            self.puts += 1
            if self.objects.get(key, (b"", None))[1] != etag:
                raise ConditionFailed("PutObject", "PreconditionFailed", key)
            self.objects[key] = (content, f'"{self.puts}"')
            return self.objects[key][1]


def records(shard: int, first: int) -> list[RawRecord]:
    source = random.Random(shard * 1_000 + first)
    return [
        RawRecord(
            b'{"at": %d, "x": %f}' % (1_780_000_000 + first + n, source.gauss(0, 1)),
            f"shard-{shard}",
            first + n,
            1.9e9,
        )
        for n in range(BATCH)
    ]


def read_shard(bucket: SlowBucket, shard: int, retried: list[int]) -> None:
    store = StateStore(bucket, STREAM)  # type: ignore[arg-type]
    scorer = BatchScorer(StreamScorer(STREAM), store, lambda outbox: outbox.clear())
    for number in range(BATCHES):
        batch = records(shard, number * BATCH)
        while scorer.score(batch).failed:
            retried.append(number)


def measure(shards: int, get_seconds: float, put_seconds: float) -> tuple[float, float, int]:
    """Return records per second, writes per batch, and batches that the mapping had to send again."""
    bucket, retried = SlowBucket(get_seconds, put_seconds), list[int]()
    threads = [
        threading.Thread(target=read_shard, args=(bucket, shard, retried))
        for shard in range(shards)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    batches = shards * BATCHES
    return batches * BATCH / seconds, bucket.puts / batches, len(retried)


def main(
    get: Annotated[float, typer.Option(help="Seconds to read a state.")] = 0.03,
    put: Annotated[float, typer.Option(help="Seconds to write a state.")] = 0.05,
) -> None:
    table = Table(box=None)
    for heading in ("shards", "records/s", "writes per batch", "batches sent again"):
        table.add_column(heading, justify="right")
    for shards in (1, 4, 16):
        rate, writes, again = measure(shards, get, put)
        table.add_row(str(shards), f"{rate:,.0f}", f"{writes:.2f}", str(again))
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
