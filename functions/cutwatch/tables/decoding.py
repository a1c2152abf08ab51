"""From a change of an item to a row with its key and time, or to the one reason why it is rejected."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cutwatch.detectors.record_format import TimeFormat
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.decoding import CLOCK_SKEW_SECONDS, LONGEST_KEY
from cutwatch.streams.record import Reason, Record, Rejected
from cutwatch.tables.changes import Change
from cutwatch.tables.recipe import NoRow, TableRecipe

_UNITS: Mapping[TimeFormat, int] = {"seconds": 1, "milliseconds": 1_000}
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class _RejectedError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class ChangeDecoder:
    """Decoder of one table's changes. It never raises for a change, whatever its content."""

    def __init__(self, table: WatchedTable) -> None:
        self._table = table
        self._recipe = TableRecipe.of(table)
        self._zone = ZoneInfo(table.time_zone)

    def decode(self, change: Change) -> Record | Rejected:
        """Return the row of the item after a change, or the reason why it is rejected."""
        raw = change.raw
        try:
            image = _image(change)
            row = self._recipe.row(image)
            if isinstance(row, NoRow):
                return Rejected(row.reason, row.detail, raw.lane, raw.position)
            key, time = self._key(image), self._time(image, raw.arrival)
        except _RejectedError as error:
            return Rejected(error.reason, error.detail, raw.lane, raw.position)
        return Record(key, time, row, raw.lane, raw.position)

    def _key(self, image: Mapping[str, Any]) -> str:
        name = self._table.key
        if not name:
            return ""
        key = _text(image.get(name, {}))
        if key is None:
            raise _RejectedError(Reason.NOT_A_KEY, f"{name} is neither a text nor a number")
        if len(key) > LONGEST_KEY:
            raise _RejectedError(
                Reason.KEY_TOO_LONG, f"{name} is longer than {LONGEST_KEY} characters"
            )
        return key

    def _time(self, image: Mapping[str, Any], arrival: float) -> float:
        name = self._table.time
        if not name:
            return arrival
        if name not in image:
            raise _RejectedError(Reason.MISSING_FIELD, f"{name} is missing")
        seconds = self._seconds(_text(image[name]))
        # NaN is outside too.
        if not 0 <= seconds < _END_OF_TIME:
            raise _RejectedError(
                Reason.NOT_A_TIME, f"{name} does not have the declared time_format"
            )
        if seconds > arrival + CLOCK_SKEW_SECONDS:
            raise _RejectedError(
                Reason.IN_THE_FUTURE, f"{name} is more than {CLOCK_SKEW_SECONDS} s after the change"
            )
        return seconds

    def _seconds(self, text: str | None) -> float:
        """Return epoch seconds; NaN if the text has another format."""
        unit = _UNITS.get(self._table.time_format)
        try:
            if unit:
                return float(text or "") / unit
            time = datetime.fromisoformat(text or "")
            return (time if time.tzinfo else time.replace(tzinfo=self._zone)).timestamp()
        except (ValueError, OverflowError):
            return math.nan


def _image(change: Change) -> Mapping[str, Any]:
    if change.image is None:
        raise _RejectedError(
            Reason.MISSING_FIELD, "the new image is missing; the table's stream view must have it"
        )
    return change.image


def _text(value: Mapping[str, Any]) -> str | None:
    """Return the text of an attribute of type S or N."""
    text = value.get("S", value.get("N"))
    return text if isinstance(text, str) else None
