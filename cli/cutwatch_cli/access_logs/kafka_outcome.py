"""The outcome of the demo of a Kafka topic: planted faults and incidents, records as states and hourly reports count them, the alarm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch.streams.key_bucket import Totals
from cutwatch_cli.access_logs.demo_log import STEP
from cutwatch_cli.access_logs.faults import Fault
from cutwatch_cli.streams.demo_measurements import speed_payload


@dataclass(frozen=True)
class StreamCounts:
    """Records that the states have accepted, or found late or invalid; records in `reports` hourly reports."""

    accepted: int
    late: int
    rejected: int
    reported: int
    reports: int

    @classmethod
    def of(cls, totals: Totals, reports: Iterable[Mapping[str, Any]]) -> "StreamCounts":
        """Return the counts of a stream's states and of its reports, as the JSON reports have them."""
        every = [*reports]
        reported = sum(
            each["total"]["records"] + each["late"] + sum(each["rejected"].values())
            for each in every
        )
        return cls(totals.accepted, totals.late, totals.rejected, reported, len(every))

    @property
    def applied(self) -> int:
        """Records that the states have applied."""
        return self.accepted + self.late + self.rejected

    def lost(self, sent: int) -> int:
        """Return how many of the records that were sent the states or the reports lack."""
        return max(sent - self.applied, sent - self.reported, 0)

    def doubled(self, sent: int) -> int:
        """Return how many records the states or the reports have beyond those that were sent."""
        return max(self.applied - sent, self.reported - sent, 0)


@dataclass
class KafkaDemo:
    """The outcome. Latencies are seconds by the local clock, from writing the first record of an incident to its email.

    `counts` are by stream; `alarms` is how often the alarm on anomalies was raised, `alarm_mails` how often that was mailed. `page` is the report of the
    hour with the most anomalies.
    """

    planted: Sequence[Fault]
    incidents: Sequence[RecordedIncident]
    sent: int = 0
    counts: Mapping[str, StreamCounts] = field(default_factory=dict)
    alarms: int = 0
    alarm_mails: int = 0
    page: bytes = b""
    latencies: Sequence[float] = ()
    seconds: float = 0.0
    faults: Sequence[str] = ()

    @property
    def found(self) -> dict[int, list[RecordedIncident]]:
        """The incidents of each planted fault that was found, by its place in `planted`."""
        pairs = {
            number: [each for each in self.incidents if _is_of(each, fault)]
            for number, fault in enumerate(self.planted)
        }
        return {number: found for number, found in pairs.items() if found}

    @property
    def others(self) -> list[RecordedIncident]:
        """Other incidents."""
        return [
            each
            for each in self.incidents
            if not any(_is_of(each, fault) for fault in self.planted)
        ]

    @property
    def lost(self) -> int:
        """Records that a stream's states or reports lack."""
        return sum(each.lost(self.sent) for each in self.counts.values())

    @property
    def doubled(self) -> int:
        """Records that a stream's states or reports count twice."""
        return sum(each.doubled(self.sent) for each in self.counts.values())

    @property
    def reports(self) -> int:
        """The number of hourly reports."""
        return sum(each.reports for each in self.counts.values())

    def total(self, name: str) -> int:
        """Return a count of records, which is the greatest of the streams where they differ."""
        return max((int(getattr(each, name)) for each in self.counts.values()), default=0)

    @property
    def scored(self) -> int:
        """Records that every stream has scored."""
        return min((each.accepted for each in self.counts.values()), default=0)

    def to_payload(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "planted": len(self.planted),
            "found": len(self.found),
            "other_events": len(self.others),
            "sent": self.sent,
            "scored": self.scored,
            "late": self.total("late"),
            "rejected": self.total("rejected"),
            "lost": self.lost,
            "doubled": self.doubled,
            "alarm": self.alarms > 0 and self.alarm_mails > 0,
            "reports": self.reports,
            **speed_payload(self.latencies, self.sent, self.seconds),
        }


def _is_of(recorded: RecordedIncident, planted: Fault) -> bool:
    """Return True if an incident begins while a fault is news: rows are minutes, or have the traffic of the minute before."""
    step, begin = STEP.total_seconds(), recorded.incident.begin_time
    return any(planted.is_news(begin + shift) for shift in (-step, 0, step))
