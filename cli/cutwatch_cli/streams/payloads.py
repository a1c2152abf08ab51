"""Rows as CSV and incidents as JSON values."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cutwatch.detectors.stream import Stream
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.incidents import Incident


def time_of(epoch: float) -> str:
    """Return an epoch second as ISO 8601, with fractions if there are any."""
    return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")


def incident_payload(incident: Incident, *, ended: bool) -> dict[str, Any]:
    """Return an incident as JSON values."""
    return {
        "id": incident.id,
        "key": incident.key,
        "begin": time_of(incident.begin_time),
        "last": time_of(incident.last_time),
        "ended": ended,
        "peak": time_of(incident.peak_time),
        "rows": incident.rows,
        "severity": incident.severity,
        "severity_word": incident.severity_word,
        "score": incident.score,
        "columns": {
            each.column: {
                "value": each.value,
                "attribution": each.attribution,
                "direction": each.direction,
                "expected": each.expected.value if each.expected else None,
                "expected_low": each.expected.low if each.expected else None,
                "expected_high": each.expected.high if each.expected else None,
            }
            for each in incident.columns
        },
    }


class ScoredRows:
    """CSV of scored rows; `position` is the record's, or the start of the window."""

    def __init__(self, writer: Any, stream: Stream) -> None:
        self._write = writer.writerows
        self._directed = stream.forest.directionality
        self._columns = stream.columns
        writer.writerow(self._header())

    def write(self, rows: list[ScoredRow]) -> None:
        """Append rows."""
        self._write(map(self._cells, rows))

    def _header(self) -> list[str]:
        header = ["key", "time", "position", *self._columns, "score", "severity", "learning", "incident"]  # fmt: skip
        if self._directed:
            header += [f"{name} {part}" for name in self._columns for part in ("attribution", "direction")]  # fmt: skip
        return header

    def _cells(self, row: ScoredRow) -> list[Any]:
        cells = [row.key, time_of(row.time), row.origin[1], *row.values, row.score, row.severity, int(row.learning), row.incident]  # fmt: skip
        if self._directed:
            for each in row.attribution or ():
                cells += each
        return cells


@contextmanager
def scored_rows(path: Path, stream: Stream) -> Iterator[ScoredRows]:
    """Open a file for scored rows, with its folder. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A key may have half of a surrogate pair: JSON allows it, UTF-8 does not.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield ScoredRows(csv.writer(file, lineterminator="\n"), stream)
