"""The report of an hour of a log: sums of summaries, each counted once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cutwatch.errors import MalformedObject
from cutwatch.streams.log_summary import Tally, most_severe

VERSION = 1
# Anomalies that a report lists for each column that is their first reason; the others are counted.
MOST_LISTED = 40


@dataclass(slots=True)
class HourReport:
    """An hour of a stream. `hour` is its beginning in epoch seconds, `ids` the summaries that are in it.

    `minutes`, `paths` and `levels` are tallies by minute of the hour, path template and level, `reasons` the numbers of anomalies by the
    column that is their first reason.
    """

    stream: str
    hour: int
    ids: set[str] = field(default_factory=set)
    minutes: dict[str, Tally] = field(default_factory=dict)
    paths: dict[str, Tally] = field(default_factory=dict)
    levels: dict[str, Tally] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    late: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    anomalies: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def total(self) -> Tally:
        """The tally of the whole hour."""
        total = Tally()
        for each in self.minutes.values():
            total.add_tally(each.to_list())
        return total

    @property
    def begin(self) -> datetime:
        """The beginning of the hour."""
        return datetime.fromtimestamp(self.hour, UTC)

    def listed(self) -> list[dict[str, Any]]:
        """Return the anomalies that are listed, the most severe first."""
        return most_severe(self.anomalies.values(), MOST_LISTED)

    def add(self, summary: Mapping[str, Any]) -> bool:
        """Add a summary of this hour; return False if it is in the report already."""
        if summary["id"] in self.ids:
            return False
        for name in ("minutes", "paths", "levels"):
            _add(getattr(self, name), summary[name])
        self.rejected.update(summary["rejected"])
        self.late += summary["late"]
        self.reasons.update(summary["reasons"])
        self.anomalies |= {each["id"]: each for each in summary["anomalies"]}
        self.anomalies = {each["id"]: each for each in self.listed()}
        self.ids.add(summary["id"])
        return True

    def to_payload(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "version": VERSION,
            "stream": self.stream,
            "hour": self.begin.isoformat().replace("+00:00", "Z"),
            "total": _named(self.total),
            "rejected": dict(self.rejected),
            "late": self.late,
            "reasons": dict(self.reasons),
            "paths": {name: _named(each) for name, each in sorted(self.paths.items())},
            "levels": {name: _named(each) for name, each in sorted(self.levels.items())},
            "minutes": {
                name: _named(each)
                for name, each in sorted(self.minutes.items(), key=lambda each: int(each[0]))
            },
            "anomalies": self.listed(),
            "ids": sorted(self.ids),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "HourReport":
        """Read back what `to_payload` returned. Raises `MalformedObject`."""
        try:
            begin = datetime.fromisoformat(payload["hour"])
            report = cls(payload["stream"], int(begin.timestamp()), set(payload["ids"]))
            for name in ("minutes", "paths", "levels"):
                tallies = {key: Tally(**each) for key, each in payload[name].items()}
                setattr(report, name, tallies)
            report.rejected, report.late = Counter(payload["rejected"]), payload["late"]
            report.reasons = Counter(payload["reasons"])
            report.anomalies = {each["id"]: each for each in payload["anomalies"]}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedObject(f"not a report of an hour: {error!r}") from None
        return report


def _add(tallies: dict[str, Tally], given: Mapping[str, Any]) -> None:
    for name, counts in given.items():
        tallies.setdefault(name, Tally()).add_tally(counts)


def _named(tally: Tally) -> dict[str, float]:
    names = ("records", "errors", "anomalies", "timed", "seconds", "score")
    return dict(zip(names, tally.to_list(), strict=True))


def report_key(stream: str, hour: int, ending: str = "json") -> str:
    """Return the key of an hour's report in the bucket, named by the hour in UTC."""
    return f"streams/{stream}/reports/{datetime.fromtimestamp(hour, UTC):%Y/%m/%d/%H}.{ending}"


def mean_seconds(tally: Tally) -> float | None:
    """Return the mean response time of a tally; None if no record had one."""
    return tally.seconds / tally.timed if tally.timed else None


def by_hour(summaries: Iterable[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Divide summaries by their hours."""
    divided: dict[int, list[Mapping[str, Any]]] = {}
    for each in summaries:
        divided.setdefault(each["hour"], []).append(each)
    return divided
