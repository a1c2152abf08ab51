"""Durations of options and schedules."""

import re
from datetime import timedelta

_DURATION = re.compile(r"(?:(\d{1,4})w)?(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?")


def parse_duration(text: str, option: str) -> timedelta:
    """Parse `2w`, `3d`, `12h`, `90m` or `1d12h`. Raises `ValueError`."""
    found = _DURATION.fullmatch(text.strip())
    weeks, days, hours, minutes = (int(n or 0) for n in found.groups()) if found else (0,) * 4
    span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not span:
        raise ValueError(f"{option} {text}: expected a duration such as 1w, 3d, 12h, 90m or 1d12h")
    return span


def longest_gap(schedule: str) -> timedelta:
    """Return an upper bound of the time between two firings of an EventBridge schedule."""
    kind, _, rest = schedule.strip().partition("(")
    fields = rest.rstrip(")").split()
    if kind == "rate":
        return int(fields[0]) * timedelta(**{f"{fields[1].rstrip('s')}s": 1})
    _, hour, day, month, weekday = fields[:5]
    restrictions = (
        (month, timedelta(days=366)),
        (day, timedelta(days=31)),
        (weekday, timedelta(days=7)),
        (hour, timedelta(days=1)),
    )
    return next((gap for field, gap in restrictions if field not in "*?"), timedelta(hours=1))
