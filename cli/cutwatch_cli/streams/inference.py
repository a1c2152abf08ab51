"""Inference of a stream's record format from sampled records: time, key and values, with what is uncertain."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from cutwatch.detectors.record_format import MOST_COLUMNS, RecordFormat, TimeFormat
from cutwatch.errors import InvalidInput, legible
from cutwatch.streams.decoding import CLOCK_SKEW_SECONDS, LARGEST_VALUE, LONGEST_KEY
from cutwatch_cli.streams.sampled_fields import SampledFields

# Times of records that are still of interest.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_DAY, _WEEK = 86_400, 7 * 86_400
_SHORTEST_ISO = len("2026-01-01T00:00")
_TIME_WORDS = re.compile(r"time|date|stamp|(^|[^a-z])(ts|at|when)($|[^a-z])|(?-i:[a-z]At$)", re.IGNORECASE)  # fmt: skip
_ID_WORDS = re.compile(r"(^|[^a-z])id$|(?-i:[a-z]I[dD]$)|key$|uuid|sequence", re.IGNORECASE)
_KEY_WORDS = re.compile(r"(key|name|device|sensor|host|customer|user|account|tenant|source)$", re.IGNORECASE)  # fmt: skip
_NAME_CHARACTERS = re.compile(r"[^A-Za-z0-9_.-]+")
# A key with fewer records each would have forests that never learn.
_RECORDS_PER_KEY = 2
_NAME_LENGTH = 64
_LISTED = 8


@dataclass
class InferredFormat:
    """A record format, its comments by field (`key`, `time` or the name of a value), and comments on the whole."""

    record: RecordFormat
    by_field: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


def infer_format(sample: SampledFields, now: float) -> InferredFormat:
    """Return the record format of sampled records, read at `now` in epoch seconds.

    Raises `InvalidInput` if no field of every record is a time, or none is a number.
    """
    times = _times(sample, now)
    if not times:
        raise InvalidInput(
            "no field of every record is a time (ISO 8601, seconds or milliseconds since 1970); the fields are "
            f"{_listed(sorted(sample.values))}"
        )
    time, time_format, _ = times[0]
    key, why = _key(sample, {place for place, _, _ in times})
    values, left_out = _values(sample, {place for place, _, _ in times} | {key})
    if not values:
        raise InvalidInput(
            f"no field of every record is a number; the fields are {_listed(sorted(sample.values))}"
        )
    found = InferredFormat(
        RecordFormat(
            time,
            values,
            key,
            "csv" if sample.is_csv else "json",
            time_format,
            sample.columns,
            sample.delimiter,
        )
    )
    found.by_field["key"] = why
    found.by_field["time"] = _time_comment(sample, times)
    found.by_field |= {name: _range(sample, place) for name, place in values.items()}
    found.comments += [*sample.comments, *left_out, *_unread(sample)]
    return found


def _times(sample: SampledFields, now: float) -> list[tuple[str, TimeFormat, float]]:
    """Return the fields that are times, with format and distance from the arrival; the most likely first."""
    found: list[tuple[str, TimeFormat, float]] = []
    arrivals = [record.arrival or now for record in sample.records]
    for place in filter(sample.present, sample.values):
        for time_format, read in _TIME_READERS.items():
            times = [read(value, csv=sample.is_csv) for value in sample.column(place)]
            if all(
                _EARLIEST <= time <= min(arrival + CLOCK_SKEW_SECONDS, _LATEST)
                for time, arrival in zip(times, arrivals, strict=True)
            ):
                distance = max(
                    arrival - time for time, arrival in zip(times, arrivals, strict=True)
                )
                found.append((place, time_format, distance))
    return sorted([*filter(_is_plausible, found)] or found, key=_unlikely_time)


def _is_plausible(candidate: tuple[str, TimeFormat, float]) -> bool:
    """Return False for numbers that only happen to be in the range of times."""
    place, time_format, distance = candidate
    return time_format == "iso8601" or distance < _WEEK or bool(_TIME_WORDS.search(_last_step(place)))  # fmt: skip


def _unlikely_time(candidate: tuple[str, TimeFormat, float]) -> tuple[bool, bool, float]:
    place, time_format, distance = candidate
    named = bool(_TIME_WORDS.search(_last_step(place)))
    return not (named or time_format == "iso8601"), not named, max(distance, _DAY)


def _iso8601(value: Any, *, csv: bool) -> float:  # noqa: ARG001 - the readers' signature
    if not isinstance(value, str) or len(value) < _SHORTEST_ISO:
        return math.nan
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _seconds(value: Any, *, csv: bool) -> float:
    number = _number(value, csv=csv)
    return math.nan if number is None else number


def _milliseconds(value: Any, *, csv: bool) -> float:
    return _seconds(value, csv=csv) / 1_000


_TIME_READERS: Mapping[TimeFormat, Callable[..., float]] = {
    "iso8601": _iso8601,
    "seconds": _seconds,
    "milliseconds": _milliseconds,
}


def _number(value: Any, *, csv: bool) -> float | None:
    """Return a number as decoding reads it: text is a number in CSV only."""
    if type(value) not in ((str,) if csv else (int, float)) or (csv and "_" in value):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _key(sample: SampledFields, taken: set[str]) -> tuple[str, str]:
    """Return the place of the key, empty without one, and why."""
    candidates = [place for place in sample.values if place not in taken and _is_key(sample, place)]
    partition_keys = [record.partition_key for record in sample.records]
    for place in candidates:
        if [str(value) for value in sample.column(place)] == partition_keys:
            seldom = len(set(partition_keys)) > len(partition_keys) / _RECORDS_PER_KEY > 1
            doubt = "; not sure: it differs in most records" if seldom else ""
            return place, f"equals the partition key in every record{doubt}"
    repeated = [
        place
        for place in candidates
        if 1 < len(set(sample.column(place))) <= len(sample.records) / _RECORDS_PER_KEY
        and any(words.search(_last_step(place)) for words in (_ID_WORDS, _KEY_WORDS))
    ]
    if repeated:
        others = f"; others: {_listed(repeated[1:])}" if repeated[1:] else ""
        return repeated[0], f"not sure: it is not the partition key{others}"
    return "", "no field looks like a key: all records share one forest"


def _is_key(sample: SampledFields, place: str) -> bool:
    return sample.present(place) and all(
        type(value) in (str, int) and len(str(value)) <= LONGEST_KEY
        for value in sample.column(place)
    )


def _values(sample: SampledFields, taken: set[str]) -> tuple[dict[str, str], list[str]]:
    """Return the places of the values by name, and comments on numbers that are left out."""
    values: dict[str, str] = {}
    reasons: dict[str, list[str]] = {}
    for place in sample.values:
        if place in taken or not _is_numeric(sample, place):
            continue
        reason = _why_not(sample, place, len(values))
        if reason:
            reasons.setdefault(reason, []).append(place)
        else:
            values[_unused_name(place, values)] = place
    return values, [f"Left out, {why}: {_listed(places)}." for why, places in reasons.items()]


def _is_numeric(sample: SampledFields, place: str) -> bool:
    """Return True for a field of numbers, as JSON or as text."""
    numbers = [_number(str(value), csv=True) for value in sample.column(place) if not isinstance(value, bool)]  # fmt: skip
    return len(numbers) == len(sample.values[place]) and all(
        each is not None and abs(each) <= LARGEST_VALUE for each in numbers
    )


def _why_not(sample: SampledFields, place: str, values: int) -> str:
    """Return why a number is not a value that a forest should learn, behind the values there are; empty if it is one."""
    numbers = [_number(str(value), csv=True) or 0.0 for value in sample.column(place)]
    reasons = {
        "not in every record": not sample.present(place),
        "numbers in text, which a preprocessor can convert": not sample.is_csv
        and any(isinstance(value, str) for value in sample.column(place)),
        "ids by their names": bool(_ID_WORDS.search(_last_step(place))),
        "the same in every record": len(set(numbers)) == 1 and len(numbers) > 1,
        "running numbers": len(numbers) > _LISTED
        and all(following - number == 1 for number, following in pairwise(numbers)),
        f"beyond the {MOST_COLUMNS} values that a stream can have": values == MOST_COLUMNS,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _unused_name(place: str, used: Mapping[str, str]) -> str:
    """Return a name for a value: the last step of its place, in the characters that names have."""
    name = _NAME_CHARACTERS.sub("_", _last_step(place)).strip("_.-")[: _NAME_LENGTH - 4]
    name = name if name and not name[0].isdigit() else f"value_{name}".rstrip("_")
    names = (name, *(f"{name}_{number}" for number in range(2, len(used) + 3)))
    return next(each for each in names if each not in used)


def _last_step(place: str) -> str:
    return place.rpartition(".")[2].strip('"')


def _time_comment(sample: SampledFields, times: Sequence[tuple[str, TimeFormat, float]]) -> str:
    place, time_format, distance = times[0]
    parts = [time_format.replace("iso8601", "ISO 8601")]
    if time_format == "iso8601" and not any(
        datetime.fromisoformat(value).tzinfo for value in sample.column(place)
    ):
        parts.append("without a zone, so in time_zone")
    if distance > _DAY:
        parts.append("not sure: it is more than a day before the arrival")
    others = [other for other, _, _ in times[1:] if other != place]
    if others:
        parts.append(f"others: {_listed(others)}")
    return "; ".join(parts)


def _range(sample: SampledFields, place: str) -> str:
    numbers = [_number(value, csv=sample.is_csv) or 0.0 for value in sample.column(place)]
    return f"{min(numbers):.6g} to {max(numbers):.6g}"


def _unread(sample: SampledFields) -> Iterator[str]:
    if sample.unread:
        kind = "CSV of this form" if sample.is_csv else "JSON objects"
        yield f"{sample.unread} of {sample.unread + len(sample.records)} records are not {kind}."


def _listed(places: Sequence[str]) -> str:
    shown = ", ".join(map(legible, places[:_LISTED]))
    more = len(places) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown or "none"
