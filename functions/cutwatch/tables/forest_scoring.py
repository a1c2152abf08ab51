"""One batch of a table's changes, scored by the forests of its keys, which learn each change after scoring it.

The same core as for streams: what differs is that a change is known by its id, not by a position, because DynamoDB orders the
changes of an item and no others.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.key_bucket import BucketHeader
from cutwatch.streams.notices import announce_configuration
from cutwatch.streams.outbox import Deliver
from cutwatch.streams.record import RawRecord
from cutwatch.streams.record_reader import ReadRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.sweep import Sweep
from cutwatch.tables.changes import Change
from cutwatch.tables.decoding import ChangeDecoder
from cutwatch.tables.forest_state import ForestStateStore, raw_change
from cutwatch.tables.scoring import TableBatch


class ChangeReader:
    """Reading of a table's changes, each from the bytes of its new image."""

    def __init__(self, table: WatchedTable) -> None:
        self._decode = ChangeDecoder(table).decode

    def read(self, records: Sequence[RawRecord]) -> Iterator[ReadRecord]:
        """Yield the changes in their order, each with its row or the reason why there is none."""
        for raw in records:
            image = json.loads(raw.data) if raw.data else None
            yield raw, (self._decode(Change(str(raw.position), image, raw)),)


def change_scorer(
    table: WatchedTable, buckets: int = 1, *, keeps_rows: bool = False
) -> StreamScorer:
    """Return the scoring of a table's changes. Each has a lane of its own, so it is late behind all changes of its key."""
    reader = ChangeReader(table)
    return StreamScorer(table.as_stream, buckets, reader, by_lane=False, keeps_rows=keeps_rows)


@dataclass(frozen=True)
class ForestTableScorer:
    """Scores batches of a table's changes. `deliver` empties an outbox."""

    scorer: StreamScorer
    store: ForestStateStore
    deliver: Deliver
    headers: dict[int, tuple[str, BucketHeader]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        table: WatchedTable,
        store: ForestStateStore,
        deliver: Deliver,
        *,
        keeps_rows: bool = False,
    ) -> "ForestTableScorer":
        """Return the scorer of a table; the first call of a configuration decides its number of buckets.

        `keeps_rows` puts every scored row into the outbox.
        """
        buckets = store.buckets(lambda _: announce_configuration(store))
        return cls(change_scorer(table, buckets, keeps_rows=keeps_rows), store, deliver)

    def score(
        self, changes: Sequence[Change], has_time: Callable[[], bool] = lambda: True
    ) -> TableBatch:
        """Score a batch. What cannot be scored now, or not be committed, comes again."""
        batches = BatchScorer(self.scorer, self.store, self.deliver)
        report = batches.score([raw_change(each) for each in changes], has_time)
        lost = {raw.lane for raw in report.failed}
        return TableBatch(report, [each for each in changes if each.id in lost])

    def close_silent(self, now: datetime, has_time: Callable[[], bool]) -> TableBatch:
        """End incidents of keys that have been silent, and deliver what is left in outboxes.

        Whether changes wait in the stream is not known, for no position is; an incident may end before they are read.
        """
        sweep = Sweep(self.scorer, self.store, self.deliver, lambda _: True, self.headers)
        return TableBatch(sweep.run(now, has_time))
