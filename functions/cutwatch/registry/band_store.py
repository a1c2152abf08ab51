"""Expected ranges of published windows in the registry, for the dashboard's widget."""

import json
import math
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.aws.limits import METRIC_MAX_AGE
from cutwatch.detection.band import BandPoint, ExpectedBand
from cutwatch.registry.retention import expires_at
from cutwatch.timestamps import format_timestamp

# No window is longer than this.
_LONGEST_WINDOW = METRIC_MAX_AGE + timedelta(days=1)


@dataclass(frozen=True)
class BandStore:
    """The items `EXPECTED#<detector> / <start>`. A week of hours takes about three kilobytes."""

    table: Table

    def record(self, detector: str, band: ExpectedBand, now: datetime) -> None:
        """Record the band of a window. Recording it again changes nothing."""
        if band.points:
            item = {"pk": f"EXPECTED#{detector}", "expires_at": expires_at(now), **to_item(band)}
            self.table.put(item)

    def between(self, detector: str, since: datetime, until: datetime) -> list[ExpectedBand]:
        """Return the bands of the windows that may overlap a time range, oldest first."""
        first = max(since.timestamp() - _LONGEST_WINDOW.total_seconds(), 0)
        ends = (datetime.fromtimestamp(first, UTC), until)
        between = (format_timestamp(ends[0]), format_timestamp(ends[1]))
        items = self.table.query(f"EXPECTED#{detector}", between=between)
        return [from_item(item) for item in items]


def to_item(band: ExpectedBand) -> dict[str, Any]:
    """Return the sort key and the deflated points; edges are stored as distances, which need few digits."""
    start = band.points[0].time
    rows = [
        [
            (point.time - start) // band.step,
            _rounded(point.expected, 9),
            _rounded(point.expected - point.low, 4),
            _rounded(point.high - point.expected, 4),
        ]
        for point in band.points
    ]
    content = json.dumps(rows, separators=(",", ":")).encode()
    points = b64encode(zlib.compress(content, 9)).decode()
    begin = format_timestamp(datetime.fromtimestamp(start, UTC))
    return {"sk": begin, "start": start, "step": band.step, "points": points}


def from_item(item: Mapping[str, Any]) -> ExpectedBand:
    """Read the item that `to_item` wrote."""
    start, step = int(item["start"]), int(item["step"])
    rows = json.loads(zlib.decompress(b64decode(item["points"])))
    points = (
        BandPoint(start + number * step, expected - below, expected, expected + above)
        for number, expected, below, above in rows
    )
    return ExpectedBand(step, tuple(points))


def _rounded(number: float, digits: int) -> float:
    if number == 0 or not math.isfinite(number):
        return 0.0
    return float(f"{number:.{digits}g}")
