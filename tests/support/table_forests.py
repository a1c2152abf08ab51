"""A scorer of a table with the engine `forest`, with its bucket in memory."""

import json
import random
from collections.abc import Mapping
from typing import Any

from cutwatch.detectors.stream import ForestSettings
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.tables.forest_scoring import ForestTableScorer
from cutwatch.tables.forest_state import ForestStateStore, TableBucket
from tests.support.stream_state import FakeBucket, Inbox
from tests.support.streams import comparable_bucket
from tests.support.watched_tables import NOW, changes, stream_record, watched

SMALL = ForestSettings(trees=5, sample_size=16)


def forest_table(**fields: Any) -> WatchedTable:
    """A table whose forests are small enough for tests."""
    return watched(**{"engine": "forest", "forest": SMALL, **fields})


class ForestWatching:
    """One execution environment; several may share `bucket` and `inbox`."""

    def __init__(
        self,
        table: WatchedTable | None = None,
        bucket: FakeBucket | None = None,
        inbox: Inbox | None = None,
        *,
        keeps_rows: bool = False,
    ) -> None:
        self.table = table or forest_table()
        self.bucket = bucket or FakeBucket()
        self.inbox = inbox or Inbox()
        self.store = ForestStateStore(self.bucket, self.table.as_stream, self.table)
        self.scorer = ForestTableScorer.of(
            self.table, self.store, self.inbox.deliver, keeps_rows=keeps_rows
        )

    def score(self, *records: Mapping[str, Any]) -> Any:
        return self.scorer.score(changes(*records))

    def stored(self) -> dict[str, tuple[Any, ...]]:
        """Every stored bucket, in a form in which equal ones are equal."""
        return {key: _comparable(content) for key, content in self._buckets().items()}

    def applied(self) -> int:
        """The number of changes that all buckets remember."""
        stream = self.store.stream
        found = (TableBucket.from_bytes(each, stream) for each in self._buckets().values())
        return sum(len(each.changes) for each in found)

    def _buckets(self) -> dict[str, bytes]:
        keys = (self.store.key(each.number) for each in self.store.stored())
        return {key: self.bucket.read_bytes(key) for key in keys}


def _comparable(content: bytes) -> tuple[Any, ...]:
    keys = comparable_bucket(content)
    return (*keys, content[len(content) - 12 :])


def rides(count: int, *, seed: int = 1, high_at: int | None = None, **fields: Any) -> list[dict[str, Any]]:  # fmt: skip
    """Changes of different items, a minute apart; one value is far too high."""
    source = random.Random(seed)
    values = [round(source.gauss(100, 5), 3) for _ in range(count)]
    if high_at is not None:
        values[high_at] = 900.0
    return [
        stream_record(value, number + 1, item=f"ride-{number}", at=NOW + 60 * number, **fields)
        for number, value in enumerate(values)
    ]


def copy_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The same change as another delivery has it: an event of its own around it."""
    again: dict[str, Any] = json.loads(json.dumps(record))
    again["eventID"] = f"again-{record['eventID']}"
    return again
