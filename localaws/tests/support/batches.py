"""Records and a stream of lanes in memory, for the decisions of event source mappings."""

from collections.abc import Iterable, Sequence

from localaws.event_sources.batches import Batch, Outcome, Result, SourceRecord
from localaws.event_sources.lanes import Lanes, Turn
from localaws.event_sources.source import LaneName, Page, Start

DONE = Outcome(Result.DONE)
FAILED = Outcome(Result.FAILED)
NOT_INVOKED = Outcome(Result.NOT_INVOKED)
RETENTION = 86_400.0


def record(name: str, arrived: float = 0.0, key: str = "key", size: int = 100) -> SourceRecord:
    return SourceRecord(name, key, arrived, size, {"name": name})


def records(names: Iterable[str], arrived: float = 0.0) -> list[SourceRecord]:
    return [record(name, arrived) for name in names]


def names(batch: Batch | None) -> str:
    """The positions of a batch, joined; they are single letters in these tests."""
    return "-" if batch is None else "".join(each.position for each in batch.records)


def reported(index: int) -> Outcome:
    """A failure that the function reported from this record of the batch on."""
    return Outcome(Result.FAILED, first_failed=index)


class Stream:
    """Lanes with their records; a lane ends once its records are read if it is closed."""

    def __init__(self) -> None:
        self.lanes: dict[str, list[SourceRecord]] = {}
        self.parents: dict[str, tuple[str, ...]] = {}
        self.closed: set[str] = set()

    def open(self, lane: str, *parents: str) -> None:
        self.lanes[lane] = []
        self.parents[lane] = parents
        self.closed |= set(parents)

    def put(self, lane: str, *put: SourceRecord) -> None:
        self.lanes[lane] += put

    def names(self) -> list[LaneName]:
        return [LaneName(lane, self.parents[lane]) for lane in self.lanes]

    def page(self, lane: str, start: Start, most: int = 1000) -> Page:
        place = int(start.after or 0)
        page = self.lanes[lane][place : place + most]
        at_end = place + len(page) == len(self.lanes[lane])
        read_on = None if at_end and lane in self.closed else Start(after=str(place + len(page)))
        return Page(page, read_on, has_more=not at_end)

    def feed(self, lanes: Lanes, now: float, most: int = 1000) -> None:
        """Let the lanes read all that they may."""
        lanes.discover(self.names())
        for lane, start in lanes.readable():
            page = self.page(lane, start, most)
            lanes.offer(lane, page, page.records, now)


def positions(turns: Sequence[Turn]) -> list[str]:
    return [each.position for turn in turns for each in turn.batch.records]
