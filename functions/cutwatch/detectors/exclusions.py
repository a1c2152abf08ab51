"""Times that are neither learned from nor alarmed on: maintenance windows, holidays, nights."""

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


@dataclass(frozen=True)
class Exclusion:
    """[start, end) in the detector's time zone: two moments once, or two times of day on every one of `days`.

    A recurring range whose end is not after its start runs into the next day; without `days` it is daily.
    """

    start: str
    end: str
    days: tuple[Weekday, ...] = ()

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.recurring:
            return
        if self.days:
            raise ValueError(f"days goes with times of day such as 22:00, not with {self.start!r}")
        try:
            start, end = datetime.fromisoformat(self.start), datetime.fromisoformat(self.end)
        except ValueError:
            raise ValueError(
                f"{self.start!r} to {self.end!r}: expected two times of day such as 22:00, "
                "or two moments such as 2026-12-24T00:00"
            ) from None
        if _as_utc(end) <= _as_utc(start):
            raise ValueError(f"end {self.end!r} is not after start {self.start!r}")

    @property
    def recurring(self) -> bool:
        """Whether it comes back every day or week."""
        return bool(_TIME_OF_DAY.fullmatch(self.start) and _TIME_OF_DAY.fullmatch(self.end))

    def covers(self, moment: datetime) -> bool:
        """Whether an aware moment, in the detector's time zone, is excluded."""
        if not self.recurring:
            return self._moment(self.start, moment) <= moment < self._moment(self.end, moment)
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        now, today = moment.time(), moment.weekday()
        if start < end:
            return start <= now < end and self._on(today)
        return (now >= start and self._on(today)) or (now < end and self._on(today - 1))

    def _on(self, weekday: int) -> bool:
        return not self.days or WEEKDAYS[weekday % 7] in self.days

    @staticmethod
    def _moment(text: str, like: datetime) -> datetime:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=like.tzinfo)


def excluded(epochs: Sequence[int], exclusions: Sequence[Exclusion], time_zone: str) -> list[bool]:
    """For every epoch second, whether one of the exclusions covers it."""
    if not exclusions:
        return [False] * len(epochs)
    zone = ZoneInfo(time_zone)
    moments = (datetime.fromtimestamp(epoch, zone) for epoch in epochs)
    return [any(exclusion.covers(moment) for exclusion in exclusions) for moment in moments]


def _as_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("UTC"))
