"""One event source mapping at work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from localaws.event_sources.filters import predicate
from localaws.event_sources.lanes import Lanes
from localaws.event_sources.mapping_metrics import MappingMetrics
from localaws.event_sources.reader import Reader
from localaws.event_sources.requests import settings_of
from localaws.event_sources.source import Source, Start


@dataclass(frozen=True)
class Opening:
    """Starting point of a mapping of one kind of source; `client` returns a client of the function's role."""

    source: Source
    view: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    first: Mapping[str, Start]
    default: Start
    client: Callable[[str], Any]


class SourceMapping:
    """A mapping at work."""

    def __init__(self, record: dict[str, Any], opening: Opening, metrics: MappingMetrics) -> None:
        self.record = record
        self.source = opening.source
        self.client = opening.client
        self.changed = False
        self.rewind = 0
        self.lanes = Lanes(settings_of(record), opening.first, opening.default)
        self.reader = Reader(
            opening.source, self.lanes, opening.view, partial(metrics.polled, record)
        )
        self.settings = settings_of(record)
        self.wants = predicate(record.get("FilterCriteria"))

    @property
    def function(self) -> str:
        """Return the function's name, with its qualifier if it has one."""
        qualifier = self.record["Qualifier"]
        name: str = self.record["FunctionName"]
        return f"{name}:{qualifier}" if qualifier else name

    def apply_changes(self, now: float) -> None:
        """Do what was asked for since the last batches; none is out now."""
        if self.rewind:
            self.lanes.rewind(self.rewind, now)
            self.rewind = 0
        if self.changed:
            self.changed = False
            self.settings = settings_of(self.record)
            self.wants = predicate(self.record.get("FilterCriteria"))
            self.lanes.change(self.settings, now)

    def due(self, now: float) -> float | None:
        times = (self.lanes.due(now), self.reader.due())
        return min((time for time in times if time is not None), default=None)
