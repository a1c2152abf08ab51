"""Summaries of a batch's log events by hour of event time: aggregates and anomalies, without any record.

They are committed in the outbox with the state, so that every event is in exactly one summary, however often a batch comes.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutwatch.features.log_explanation import reasons
from cutwatch.features.log_features import FeatureRow, LogFeatures
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.incidents import Origin
from cutwatch.streams.record import Rejected

HOUR, MINUTE = 3_600, 60
# Anomalies of a summary that are described, for each column that is their first reason; the others are counted.
MOST_DESCRIBED = 10
_LONGEST_TEXT, _MOST_REASONS = 160, 2


@dataclass(slots=True)
class Tally:
    """Counts of a group of events; `seconds` is the sum of the response times of the `timed` ones."""

    records: int = 0
    errors: int = 0
    anomalies: int = 0
    timed: int = 0
    seconds: float = 0.0
    score: float = 0.0

    def add(self, row: FeatureRow, scored: ScoredRow | None) -> None:
        """Add an event, and its score if it has one of its own."""
        self.records += 1
        self.errors += row.event.is_error
        if row.event.response_time is not None:
            self.timed += 1
            self.seconds += row.event.response_time
        if scored is not None:
            self.add_score(scored)

    def add_score(self, scored: ScoredRow) -> None:
        """Add a scored row."""
        self.anomalies += scored.incident is not None
        self.score = max(self.score, scored.score)

    def add_tally(self, other: Sequence[float]) -> None:
        """Add the counts of another group, as `to_list` returned them."""
        records, errors, anomalies, timed, seconds, score = other
        self.records += int(records)
        self.errors += int(errors)
        self.anomalies += int(anomalies)
        self.timed += int(timed)
        self.seconds += seconds
        self.score = max(self.score, score)

    def to_list(self) -> list[float]:
        """Return the counts in their order, as JSON values."""
        seconds, score = round(self.seconds, 6), round(self.score, 6)
        return [self.records, self.errors, self.anomalies, self.timed, seconds, score]


@dataclass(slots=True)
class _Hour:
    minutes: dict[int, Tally] = field(default_factory=dict)
    paths: dict[str, Tally] = field(default_factory=dict)
    levels: dict[str, Tally] = field(default_factory=dict)
    anomalies: list[dict[str, Any]] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    late: int = 0


def summaries(
    stream: str,
    state: str,
    positions: Mapping[str, int],
    rows: Sequence[ScoredRow],
    events: Sequence[tuple[Origin, FeatureRow]],
    rejected: Iterable[tuple[Rejected, float]],
    late: Iterable[float],
    features: LogFeatures,
) -> list[dict[str, Any]]:
    """Return the summaries of the events that a bucket applied, one for each hour, as JSON values.

    `state` names the configuration and the bucket, `positions` are those of the bucket before, by lane: the ids come from both. `rejected` have their arrivals, and `late` are arrivals.
    """
    hours: dict[int, _Hour] = {}
    scored = {row.origin: row for row in rows}
    for origin, row in events:
        _add_event(hours, row, scored.pop(origin, None), features)
    for window in scored.values():
        _add_window(_hour(hours, window.time), window)
    for each, arrival in rejected:
        _hour(hours, arrival).rejected[each.reason] += 1
    for arrival in late:
        _hour(hours, arrival).late += 1
    return [
        _payload(stream, state, positions, number, hour) for number, hour in sorted(hours.items())
    ]


def _hour(hours: dict[int, _Hour], time: float) -> _Hour:
    return hours.setdefault(int(time // HOUR) * HOUR, _Hour())


def _add_event(
    hours: dict[int, _Hour], row: FeatureRow, scored: ScoredRow | None, features: LogFeatures
) -> None:
    hour = _hour(hours, row.event.time)
    path = features.statistics.known_path(row.categories.path)
    for group, name in ((hour.paths, path), (hour.levels, row.categories.level)):
        group.setdefault(name[:_LONGEST_TEXT], Tally()).add(row, scored)
    hour.minutes.setdefault(_minute(row.event.time), Tally()).add(row, scored)
    if scored is not None and scored.incident is not None:
        hour.anomalies.append(_described(row, scored, features))


def _add_window(hour: _Hour, row: ScoredRow) -> None:
    hour.minutes.setdefault(_minute(row.time), Tally()).add_score(row)
    if row.incident is not None:
        hour.anomalies.append(_anomaly(row))


def _minute(time: float) -> int:
    return int(time % HOUR // MINUTE)


def _anomaly(row: ScoredRow) -> dict[str, Any]:
    lane, position = row.origin
    return {
        "id": f"{lane}:{position}",
        "time": row.time,
        "key": row.key[:_LONGEST_TEXT],
        "score": round(row.score, 4),
        "times_cutoff": round(row.severity, 3),
        "incident": row.incident,
        "column": "",
        "reasons": [],
    }


def most_severe(anomalies: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return at most `most` anomalies for each column that is their first reason, the most severe first."""
    left: Counter[str] = Counter()
    kept = []
    for each in sorted(anomalies, key=lambda each: (-each["times_cutoff"], each["id"])):
        left[each["column"]] += 1
        if left[each["column"]] <= most:
            kept.append(each)
    return kept


def _described(row: FeatureRow, scored: ScoredRow, features: LogFeatures) -> dict[str, Any]:
    ranked = sorted(
        zip(scored.attribution or (), features.columns, strict=bool(scored.attribution)),
        key=lambda each: -each[0].score,
    )
    found = reasons(features, row, [name for _, name in ranked])
    level, method, path, status = (each[:_LONGEST_TEXT] for each in row.categories)
    described = {"level": level, "method": method, "path": path, "status": status}
    return (
        _anomaly(scored)
        | described
        | {
            "response_time": row.event.response_time,
            "column": next(iter(found), ""),
            "reasons": [*found.values()][:_MOST_REASONS],
        }
    )


def _payload(
    stream: str, state: str, positions: Mapping[str, int], number: int, hour: _Hour
) -> dict[str, Any]:
    identity = json.dumps([stream, state, sorted(positions.items()), number]).encode()
    columns = Counter(each["column"] for each in hour.anomalies)
    return {
        "version": 1,
        "id": hashlib.sha256(identity).hexdigest()[:16],
        "stream": stream,
        "hour": number,
        "minutes": {str(minute): each.to_list() for minute, each in sorted(hour.minutes.items())},
        "paths": {path: each.to_list() for path, each in sorted(hour.paths.items())},
        "levels": {level: each.to_list() for level, each in sorted(hour.levels.items())},
        "rejected": dict(hour.rejected),
        "late": hour.late,
        "reasons": dict(columns),
        "anomalies": most_severe(hour.anomalies, MOST_DESCRIBED),
    }
