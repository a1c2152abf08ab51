"""A source of records: lanes, each read from a position on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from localaws.event_sources.batches import SourceRecord


@dataclass(frozen=True)
class LaneName:
    """A part of a source in which records are in order; it begins where its parents end."""

    id: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start:
    """Position to read on from: after a position, from a time (epoch seconds), or, with neither, from the oldest record."""

    after: str | None = None
    moment: float | None = None


@dataclass(frozen=True)
class Page:
    """Records read at once. `read_on` is where the next page starts, None at the end of a lane that will have no more."""

    records: Sequence[SourceRecord]
    read_on: Start | None
    has_more: bool


class SourceThrottled(Exception):
    """The source gives no more for now."""


class SourceUnreadable(Exception):
    """The source refuses to be read; the message says why."""


class Source(Protocol):
    """A stream. Reading raises SourceThrottled or SourceUnreadable."""

    arn: str
    # The name of the batch's description in the message about records that were given up.
    batch_info: str

    def retention_seconds(self) -> float: ...

    def lanes(self) -> Sequence[LaneName]: ...

    def read(self, lane: str, start: Start) -> Page: ...
