"""The lanes of a source: which may be read, and which batch comes next in each.

A lane is read once all records of its parents are done. A lane that was not there when the mapping was created is read from its
beginning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from localaws.event_sources.batch_queue import BatchQueue
from localaws.event_sources.batches import Batch, Discard, Outcome, Settings, SourceRecord
from localaws.event_sources.source import LaneName, Page, Start
from localaws.event_sources.tumbling_windows import TumblingQueue

_MOST_QUEUED = 20_000


@dataclass(frozen=True)
class Turn:
    """A batch that is to be delivered, with the lane and the queue that it is from."""

    lane: str
    queue: int
    batch: Batch


class _Lane:
    def __init__(self, name: LaneName, start: Start, queues: list[BatchQueue]) -> None:
        self.name = name
        self.read_on: Start | None = start
        self.queues = queues

    @property
    def is_done(self) -> bool:
        return self.read_on is None and all(queue.is_empty for queue in self.queues)

    @property
    def queued(self) -> int:
        return sum(map(len, self.queues))


class Lanes:
    """All lanes of one mapping; `first` is where those begin that there were when it was created, `default` where others do."""

    def __init__(
        self,
        settings: Settings,
        first: Mapping[str, Start],
        default: Start,
    ) -> None:
        self._settings = settings
        self._first = first
        self._default = default
        self._lanes: dict[str, _Lane] = {}

    def discover(self, names: Sequence[LaneName]) -> None:
        """Take up new lanes, and let those end that the source has no more: what was left in them has expired."""
        there = {name.id for name in names}
        for lane in self._lanes.values():
            if lane.name.id not in there:
                lane.read_on = None
        for name in names:
            if name.id not in self._lanes:
                start = self._first.get(name.id, self._default)
                self._lanes[name.id] = _Lane(name, start, self._queues())

    def readable(self) -> Iterator[tuple[str, Start]]:
        """Yield the lanes that may be read now, each with where to read on."""
        for lane in list(self._lanes.values()):
            parents = (self._lanes.get(parent) for parent in lane.name.parents)
            ready = all(parent is None or parent.is_done for parent in parents)
            if ready and lane.read_on is not None and lane.queued < _MOST_QUEUED:
                yield lane.name.id, lane.read_on

    def offer(self, lane_id: str, page: Page, wanted: Sequence[SourceRecord], now: float) -> None:
        """Queue those records of a page that the mapping's filters let pass."""
        lane = self._lanes[lane_id]
        lane.read_on = page.read_on
        self._distribute(lane, wanted, now)

    def discard_old(self, now: float, retention_seconds: float) -> list[tuple[str, Discard]]:
        return [
            (lane.name.id, discard)
            for lane in self._lanes.values()
            for queue in lane.queues
            for discard in queue.discard_old(now, retention_seconds)
        ]

    def turns(self, now: float) -> list[Turn]:
        """Take every batch that is ready, at most one of each queue; `settle` has to follow for each."""
        return [
            Turn(lane.name.id, number, batch)
            for lane in self._lanes.values()
            for number, queue in enumerate(lane.queues)
            if (batch := queue.take(now)) is not None
        ]

    def settle(self, turn: Turn, outcome: Outcome, now: float) -> list[Discard]:
        return self._lanes[turn.lane].queues[turn.queue].settle(turn.batch, outcome, now)

    def due(self, now: float) -> float | None:
        """Return when the next batch will be ready; None while there is nothing to deliver."""
        times = (queue.due(now) for lane in self._lanes.values() for queue in lane.queues)
        return min((time for time in times if time is not None), default=None)

    def rewind(self, count: int, now: float) -> None:
        """Queue the last `count` delivered records of each lane again."""
        for lane in self._lanes.values():
            for queue in lane.queues:
                queue.rewind(count, now)

    def change(self, settings: Settings, now: float) -> None:
        """Go on with other settings; retries start from scratch."""
        self._settings = settings
        for lane in self._lanes.values():
            records = [record for queue in lane.queues for record in queue.records]
            lane.queues = self._queues()
            self._distribute(lane, records, now)

    def _queues(self) -> list[BatchQueue]:
        kind = TumblingQueue if self._settings.tumbling_seconds else BatchQueue
        return [kind(self._settings) for _ in range(self._settings.parallelization)]

    def _distribute(self, lane: _Lane, records: Sequence[SourceRecord], now: float) -> None:
        """Give each key's records to the same queue, so that they stay in order."""
        for number, queue in enumerate(lane.queues):
            queue.offer(
                [each for each in records if _queue_of(each.key, len(lane.queues)) == number], now
            )


def _queue_of(key: str, queues: int) -> int:
    return crc32(key.encode()) % queues
