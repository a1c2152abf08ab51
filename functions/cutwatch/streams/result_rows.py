"""Scored rows as JSON values, for a target stream or queue."""

from datetime import UTC, datetime
from typing import Any

from cutwatch.detectors.stream import Stream
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.detection import ScoredRow


def row_payload(stream: Stream | WatchedTable, row: ScoredRow) -> dict[str, Any]:
    """Return a row; `id` is the same whenever the row is delivered again."""
    lane, position = row.origin
    payload = {
        "id": f"{stream.name}:{row.key}:{lane}:{position}",
        "stream": stream.name,
        "key": row.key,
        "time": datetime.fromtimestamp(row.time, UTC).isoformat().replace("+00:00", "Z"),
        "values": dict(zip(stream.columns, row.values, strict=True)),
        "score": row.score,
        "times_cutoff": row.severity,
        "learning": row.learning,
        "incident": row.incident,
    }
    if row.attribution:
        payload["attribution"] = {
            name: {"score": each.score, "direction": each.direction}
            for name, each in zip(stream.columns, row.attribution, strict=True)
        }
    if row.expected:
        known = zip(stream.columns, row.expected, strict=True)
        payload["expected"] = {name: each and each._asdict() for name, each in known}
    return payload
