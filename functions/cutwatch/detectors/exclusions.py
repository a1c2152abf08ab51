"""Excluded times: maintenance windows, holidays, nights."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_MIDNIGHT_AT_THE_END = re.compile(r"24:00(:00)?")
_ONE_DIGIT = re.compile(r"\d:[0-5]\d")


@dataclass(frozen=True)
class Exclusion:
    """[start, end) in the detector's time zone: a single range of timestamps, or a range of times of day on each of `days`.

    A recurring range with an end not after its start runs into the next day; without `days` it is daily.
    """

    start: str
    end: str
    days: tuple[Weekday, ...] = ()

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.recurring:
            return
        _check_spelling("start", self.start)
        _check_spelling("end", self.end)
        if self.days:
            raise ValueError(f"days requires times of day such as 22:00, not {self.start!r}")
        try:
            start, end = datetime.fromisoformat(self.start), datetime.fromisoformat(self.end)
        except ValueError:
            raise ValueError(
                f"{self.start!r} to {self.end!r}: expected two times of day such as 22:00, "
                "or two timestamps such as 2026-12-24T00:00"
            ) from None
        if _as_utc(end) <= _as_utc(start):
            raise ValueError(f"end {self.end!r} is not after start {self.start!r}")

    @property
    def recurring(self) -> bool:
        """True if the range recurs every day or week."""
        return bool(_TIME_OF_DAY.fullmatch(self.start) and _TIME_OF_DAY.fullmatch(self.end))

    def covers(self, timestamp: datetime) -> bool:
        """Return True if an aware timestamp, in the detector's time zone, is excluded."""
        if not self.recurring:
            return (
                self._parsed(self.start, timestamp) <= timestamp < self._parsed(self.end, timestamp)
            )
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        now, today = timestamp.time(), timestamp.weekday()
        if start < end:
            return start <= now < end and self._on(today)
        return (now >= start and self._on(today)) or (now < end and self._on(today - 1))

    def _on(self, weekday: int) -> bool:
        return not self.days or WEEKDAYS[weekday % 7] in self.days

    @staticmethod
    def _parsed(text: str, like: datetime) -> datetime:
        timestamp = datetime.fromisoformat(text)
        return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=like.tzinfo)


def _check_spelling(field: str, text: str) -> None:
    if _MIDNIGHT_AT_THE_END.fullmatch(text):
        raise ValueError(f"{field}: {text!r} is not a time of day; midnight is '00:00'")
    if _ONE_DIGIT.fullmatch(text):
        raise ValueError(f"{field}: {text!r} is not a time of day; write '0{text}'")


def excluded(epochs: Sequence[int], exclusions: Sequence[Exclusion], time_zone: str) -> list[bool]:
    """Return, for every epoch second, True if one of the exclusions covers it."""
    if not exclusions:
        return [False] * len(epochs)
    zone = ZoneInfo(time_zone)
    timestamps = (datetime.fromtimestamp(epoch, zone) for epoch in epochs)
    return [any(exclusion.covers(each) for exclusion in exclusions) for each in timestamps]


def _as_utc(timestamp: datetime) -> datetime:
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=ZoneInfo("UTC"))
