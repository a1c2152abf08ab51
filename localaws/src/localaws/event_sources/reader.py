"""Reading the lanes of a source for one mapping, as far as the source and the queues let it."""

from collections.abc import Callable
from typing import Any

from localaws.event_sources.filters import Predicate
from localaws.event_sources.lanes import Lanes
from localaws.event_sources.source import Source, SourceThrottled, SourceUnreadable, Start

_SECONDS_UNTIL_READ_AGAIN = 1.0


class Reader:
    """`problem` is why the source could not be read, empty if it could; `view` is what filters see of an event.

    `polled` gets the numbers of records read and wanted of each page that has any. Set `has_news` when the source has new records.
    """

    def __init__(
        self,
        source: Source,
        lanes: Lanes,
        view: Callable[[Any], Any],
        polled: Callable[[int, int], None],
    ) -> None:
        self._source = source
        self._lanes = lanes
        self._view = view
        self._polled = polled
        self._is_fresh = False
        self._read: set[str] = set()
        self._not_before: dict[str, float] = {}
        self.retention_seconds = 0.0
        self.problem = ""
        self.has_news = False

    def begin(self) -> None:
        """Look for new lanes and new records at the next `step`, whatever was found last."""
        self._is_fresh = False
        self.has_news = True

    def step(self, wants: Predicate, now: float) -> bool:
        """Read a page of every lane that may have more; return whether there was anything."""
        if self.has_news:
            self.has_news = False
            self._read.clear()
        self._not_before = {lane: at for lane, at in self._not_before.items() if at > now}
        try:
            self._refresh()
            lanes = self._open()
            return sum(self._step(lane, start, wants, now) for lane, start in lanes) > 0
        except SourceUnreadable as error:
            self.problem = str(error)
        except SourceThrottled:
            self._not_before[""] = now + _SECONDS_UNTIL_READ_AGAIN
        return False

    def due(self) -> float | None:
        """Return when a source that gave no more for a while may be read again."""
        return min(self._not_before.values(), default=None)

    def _refresh(self) -> None:
        if not self._is_fresh:
            self.retention_seconds = self._source.retention_seconds()
            self._lanes.discover(self._source.lanes())
            self.problem = ""
            self._is_fresh = True

    def _open(self) -> list[tuple[str, Start]]:
        return [
            (lane, start)
            for lane, start in self._lanes.readable()
            if lane not in self._read and lane not in self._not_before
        ]

    def _step(self, lane: str, start: Start, wants: Predicate, now: float) -> bool:
        try:
            page = self._source.read(lane, start)
        except SourceThrottled:
            self._not_before[lane] = now + _SECONDS_UNTIL_READ_AGAIN
            return False
        wanted = [record for record in page.records if wants(self._view(record.event))]
        if page.records:
            self._polled(len(page.records), len(wanted))
        self._lanes.offer(lane, page, wanted, now)
        if not page.has_more:
            self._read.add(lane)
        if page.read_on is None:  # its children may be new
            self._is_fresh = False
        return bool(page.records) or page.read_on is None
