"""From the bytes of a record to its key, event time and values, or to the one reason why it is rejected."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from cutwatch.detectors.record_format import RecordFormat, TimeFormat
from cutwatch.streams.record import Content, RawRecord, Reason, Record, Rejected
from cutwatch.streams.record_fields import READERS, RejectedError
from cutwatch.streams.reference import ReferenceJoin

# Kinesis allows partition keys of this many characters.
LONGEST_KEY = 256
# Clocks of producers may be ahead of the stream's by this much.
CLOCK_SKEW_SECONDS = 300
# Forests compute in single precision; much larger values, or sums of them in windows, would be infinite there.
LARGEST_VALUE = 1e30
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_MILLISECONDS = 1_000


class Decoder:
    """Decoder of one stream's records. It never raises for a record, whatever its content."""

    def __init__(
        self, declared: RecordFormat, time_zone: str, join: ReferenceJoin | None = None
    ) -> None:
        self._columns = tuple(declared.values)
        self._fields = READERS[declared.format](declared, join)
        self._time = TIME_READERS[declared.time_format](ZoneInfo(time_zone))
        self._number = _number_in_text if declared.format == "csv" else _number

    def decode(self, raw: RawRecord, content: Content | None = None) -> Record | Rejected:
        """Return the record, from the content that a preprocessor made of it, or the reason why it is rejected."""
        try:
            key, time, values = self._fields(raw.data if content is None else content)
            if type(key) is not str or len(key) > LONGEST_KEY:
                key = checked_key(key)
            seconds = checked_time(time, raw.arrival, self._time)
            numbers = tuple(map(self._number, values, self._columns))
        except RejectedError as error:
            return Rejected(error.reason, error.detail, raw.lane, raw.position)
        return Record(key, seconds, numbers, raw.lane, raw.position)


def checked_time(given: Any, arrival: float, read: Callable[[Any], float]) -> float:
    """Return an event time in epoch seconds, as `read` reads it. Raises `RejectedError`."""
    if given is None:
        raise RejectedError(Reason.MISSING_FIELD, "time is missing")
    try:
        seconds = read(given)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    # NaN is outside too.
    if not 0 <= seconds < _END_OF_TIME:
        raise RejectedError(Reason.NOT_A_TIME, "time does not have the declared time_format")
    if seconds > arrival + CLOCK_SKEW_SECONDS:
        raise RejectedError(
            Reason.IN_THE_FUTURE, f"time is more than {CLOCK_SKEW_SECONDS} s after the arrival"
        )
    return seconds


def checked_key(given: Any) -> str:
    """Return a key as text. Raises `RejectedError`."""
    if type(given) is int:
        given = str(given) if given.bit_length() < LONGEST_KEY else "0" * (LONGEST_KEY + 1)
    if given is None:
        raise RejectedError(Reason.MISSING_FIELD, "key is missing")
    if not isinstance(given, str):
        raise RejectedError(Reason.NOT_A_KEY, "key is neither a text nor a whole number")
    if len(given) > LONGEST_KEY:
        raise RejectedError(Reason.KEY_TOO_LONG, f"key is longer than {LONGEST_KEY} characters")
    return given


def _number(given: Any, name: str) -> float:
    if type(given) is float and -LARGEST_VALUE <= given <= LARGEST_VALUE:
        return given
    if type(given) is not float and type(given) is not int:
        if given is None:
            raise RejectedError(Reason.MISSING_FIELD, f"values.{name} is missing")
        raise RejectedError(Reason.NOT_A_NUMBER, f"values.{name} is not a number")
    try:
        number = float(given)
    except OverflowError:
        number = math.inf
    if not -LARGEST_VALUE <= number <= LARGEST_VALUE:
        raise _outside(number, name)
    return number


def _outside(number: float, name: str) -> RejectedError:
    if math.isfinite(number):
        return RejectedError(Reason.TOO_LARGE, f"values.{name} is beyond ±{LARGEST_VALUE:g}")
    return RejectedError(Reason.NOT_FINITE, f"values.{name} is infinite or not a number (NaN)")


def _number_in_text(given: Any, name: str) -> float:
    try:
        # Python reads `1_000` as a number.
        return _number(None if given is None else float(given.replace("_", "?")), name)
    except ValueError:
        raise RejectedError(Reason.NOT_A_NUMBER, f"values.{name} is not a number") from None


def _iso8601(zone: tzinfo) -> Callable[[Any], float]:
    def seconds(given: Any) -> float:
        time = datetime.fromisoformat(given)
        return (time if time.tzinfo else time.replace(tzinfo=zone)).timestamp()

    return seconds


def _since_1970(unit: int) -> Callable[[tzinfo], Callable[[Any], float]]:
    def seconds(given: Any) -> float:
        if isinstance(given, bool):
            raise TypeError
        return float(given) / unit

    return lambda _: seconds


TIME_READERS: Mapping[TimeFormat, Callable[[tzinfo], Callable[[Any], float]]] = {
    "iso8601": _iso8601,
    "seconds": _since_1970(1),
    "milliseconds": _since_1970(_MILLISECONDS),
}
