"""The calendar of a replay: when training and transforms would have run over a metric's history."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TRANSFORM_EVERY = timedelta(weeks=1)
LONGEST_TRAINING = timedelta(days=30)
TRAINING_SHARE = 0.15
_DECEMBER = 12


@dataclass(frozen=True)
class ScheduledRun:
    """One firing of a rule."""

    kind: Literal["training", "transform"]
    at: datetime


def default_training_time(start: datetime, end: datetime) -> timedelta:
    """The smaller of 30 days and 15 % of the history."""
    return min(LONGEST_TRAINING, (end - start) * TRAINING_SHARE)


def schedule(start: datetime, end: datetime, training_time: timedelta) -> list[ScheduledRun]:
    """Training after `training_time` and then monthly; transforms weekly from then on, the last one at the end."""
    first = start + training_time
    trainings = [ScheduledRun("training", at) for at in _monthly(first, end)]
    weeks = int((end - first) / TRANSFORM_EVERY)
    transforms = [first + week * TRANSFORM_EVERY for week in range(1, weeks + 1)]
    if not transforms or transforms[-1] < end:
        transforms.append(end)
    runs = [*trainings, *(ScheduledRun("transform", at) for at in transforms)]
    return sorted(runs, key=lambda run: (run.at, run.kind == "transform"))


def _monthly(first: datetime, end: datetime) -> list[datetime]:
    moments = [first]
    while (following := _a_month_after(first, len(moments))) < end:
        moments.append(following)
    return moments


def _a_month_after(moment: datetime, months: int) -> datetime:
    """The same day and time, `months` later; the 28th stands for days that a month may lack."""
    count = moment.month - 1 + months
    year, month = moment.year + count // _DECEMBER, count % _DECEMBER + 1
    return moment.replace(year=year, month=month, day=min(moment.day, 28))
