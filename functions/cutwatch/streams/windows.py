"""Windows over the records of a key: records in, a row per closed window out.

A `WindowRule` is a type of windows; `OpenWindows` are kept between records. Rows depend on the records and their order only.
docs/streams.md has the bounds of the memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple, Protocol

from cutwatch.streams.incidents import Origin
from cutwatch.streams.record import Record
from cutwatch.streams.window_statistics import Pane, Row

# With `missing_data: zero`, rows of 0 after the last window with records; then the key idles until its next record.
MOST_EMPTY_WINDOWS = 60


class ClosedWindow(NamedTuple):
    """The row of a window, or of a single record, with its time in epoch seconds and its origin."""

    time: float
    values: Row
    origin: Origin


@dataclass(slots=True)
class OpenWindows:
    """Windows of a key between records.

    `panes` are by their start, `due` is the event time from which the next window can be closed (infinite if none can),
    `closed` the end of the last closed window, `filled` the end of the last one with records, `records` the number of
    records in windows by count.
    """

    panes: dict[float, Pane] = field(default_factory=dict)
    due: float = inf
    closed: float = -inf
    filled: float = -inf
    records: int = 0

    @property
    def open(self) -> int:
        """The number of panes whose records have not been in a row yet."""
        return sum(start >= self.closed for start in self.panes)

    def to_payload(self) -> dict[str, Any]:
        """Return the windows as JSON values."""
        return {
            "panes": [[start, pane.to_payload()] for start, pane in sorted(self.panes.items())],
            "due": _number_or_none(self.due),
            "closed": _number_or_none(self.closed),
            "filled": _number_or_none(self.filled),
            "records": self.records,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "OpenWindows":
        """Read back what `to_payload` returned."""
        return cls(
            {start: Pane(*pane) for start, pane in payload["panes"]},
            inf if payload["due"] is None else payload["due"],
            -inf if payload["closed"] is None else payload["closed"],
            -inf if payload["filled"] is None else payload["filled"],
            payload["records"],
        )


class WindowRule(Protocol):
    """A type of windows. Neither method gets a record, or a watermark, before one that it has closed windows for."""

    def add(self, windows: OpenWindows, record: Record) -> list[ClosedWindow]:
        """Add a record; return the windows that it completes, whatever the time."""

    def close(self, windows: OpenWindows, watermark: float) -> list[ClosedWindow]:
        """Remove the windows that end at or before the watermark, and return them in the order of their ends."""


class EachRecord:
    """No windows: every record is a row."""

    def add(self, windows: OpenWindows, record: Record) -> list[ClosedWindow]:  # noqa: ARG002 - the rules' signature
        """Return the record."""
        return [ClosedWindow(record.time, record.values, (record.lane, record.position))]

    def close(self, windows: OpenWindows, watermark: float) -> list[ClosedWindow]:  # noqa: ARG002 - the rules' signature
        """Return nothing: nothing stays open."""
        return []


def _number_or_none(number: float) -> float | None:
    """JSON does not have infinity."""
    return None if number in (inf, -inf) else number
