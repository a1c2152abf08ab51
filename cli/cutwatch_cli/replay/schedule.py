"""Calendar of a replay: the scheduled trainings and transforms over a metric's history."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TRANSFORM_EVERY = timedelta(weeks=1)
LONGEST_TRAINING = timedelta(days=30)
TRAINING_SHARE = 0.15
_DECEMBER = 12


@dataclass(frozen=True)
class ScheduledRun:
    """One firing of a schedule."""

    kind: Literal["training", "transform"]
    at: datetime


def default_training_time(start: datetime, end: datetime) -> timedelta:
    """Return the smaller of 30 days and 15 % of the history."""
    return min(LONGEST_TRAINING, (end - start) * TRAINING_SHARE)


def schedule(start: datetime, end: datetime, training_time: timedelta) -> list[ScheduledRun]:
    """Schedule a training after `training_time` and then monthly, and transforms weekly, with the last one at the end."""
    first = start + training_time
    trainings = [ScheduledRun("training", at) for at in _monthly(first, end)]
    weeks = int((end - first) / TRANSFORM_EVERY)
    transforms = [first + week * TRANSFORM_EVERY for week in range(1, weeks + 1)]
    if not transforms or transforms[-1] < end:
        transforms.append(end)
    runs = [*trainings, *(ScheduledRun("transform", at) for at in transforms)]
    return sorted(runs, key=lambda run: (run.at, run.kind == "transform"))


def _monthly(first: datetime, end: datetime) -> list[datetime]:
    times = [first]
    while (following := _a_month_after(first, len(times))) < end:
        times.append(following)
    return times


def _a_month_after(time: datetime, months: int) -> datetime:
    """Return the same day and time some months later, at most the 28th, which every month has."""
    count = time.month - 1 + months
    year, month = time.year + count // _DECEMBER, count % _DECEMBER + 1
    return time.replace(year=year, month=month, day=min(time.day, 28))
