"""Spans of time as an operator writes and reads them."""

import re
from datetime import timedelta

_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?")
_HOURS_FROM, _DAYS_FROM = timedelta(hours=2), timedelta(days=2)


def parse_duration(text: str, option: str) -> timedelta:
    """`3d`, `12h`, `90m`, `1d12h`."""
    found = _DURATION.fullmatch(text.strip())
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    span = timedelta(days=days, hours=hours, minutes=minutes)
    if not span:
        raise ValueError(f"{option} {text}: expected a time such as 3d, 12h, 90m or 1d12h")
    return span


def span_in_words(span: timedelta) -> str:
    """In one unit, as exact as a decision needs: `45 min`, `30 h`, `12 d`."""
    span = max(span, timedelta(0))
    if span < _HOURS_FROM:
        return f"{span // timedelta(minutes=1)} min"
    if span < _DAYS_FROM:
        return f"{span // timedelta(hours=1)} h"
    return f"{span // timedelta(days=1)} d"


def longest_gap(schedule: str) -> timedelta:
    """No less than what lies between two firings of an EventBridge schedule, as hours, days, weeks, months or years."""
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
