"""The outcome of a table's demo: planted incidents and their discovery, and the changes by their fate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch_cli.streams.demo_measurements import percentile, speed_payload
from cutwatch_cli.tables.ridership import HALF_HOUR, PlantedRides


@dataclass
class TableDemo:
    """The outcome. Latencies are seconds by the local clock, from the write of an item to the email of its incident.

    `foreign_cutoff` counts rows whose score and cutoff are not those of one model; `scored_by` the others by their model.
    """

    planted: Sequence[PlantedRides]
    incidents: Sequence[RecordedIncident]
    sent: int = 0
    scored: int = 0
    lost: int = 0
    doubled: int = 0
    delivered_again: int = 0
    foreign_cutoff: int = 0
    scored_by: Mapping[str, int] = field(default_factory=dict)
    latencies: Sequence[float] = ()
    seconds: float = 0.0
    faults: Sequence[str] = ()

    @property
    def found(self) -> dict[int, RecordedIncident]:
        """The first incident of each planted one that was found, by its place in `planted`."""
        pairs = [
            (number, each)
            for number, planted in enumerate(self.planted)
            for each in self.incidents[::-1]
            if _is_of(each, planted)
        ]
        return dict(pairs)

    @property
    def others(self) -> list[RecordedIncident]:
        """Other incidents."""
        return [
            each for each in self.incidents if not any(_is_of(each, one) for one in self.planted)
        ]

    def percentile(self, percent: float) -> float:
        """Return a percentile of the latencies."""
        return percentile(self.latencies, percent)

    def to_payload(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "planted": len(self.planted),
            "found": len(self.found),
            "other_events": len(self.others),
            "sent": self.sent,
            "scored": self.scored,
            "lost": self.lost,
            "doubled": self.doubled,
            "delivered_again": self.delivered_again,
            "foreign_cutoff": self.foreign_cutoff,
            "scored_by_model": list(self.scored_by.values()),
            **speed_payload(self.latencies, self.sent, self.seconds),
        }


def _is_of(recorded: RecordedIncident, planted: PlantedRides) -> bool:
    begin = recorded.incident.begin_time
    return (planted.begin - HALF_HOUR).timestamp() <= begin < planted.end.timestamp()
