"""Numbers, durations, moments and verdicts as people write them."""

import math
from datetime import datetime, timedelta, tzinfo

from cutwatch.outcomes import AnomalyEvent


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def span_in_words(span: timedelta) -> str:
    """The two largest units: `63 d`, `1 d 6 h`, `3 h 20 min`, `45 s`."""
    seconds = round(span.total_seconds())
    amounts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, seconds = divmod(seconds, size)
        amounts.append((amount, unit))
    leading = next((place for place, (amount, _) in enumerate(amounts) if amount), len(amounts) - 1)
    told = amounts[leading : leading + 2]
    return " ".join(f"{amount} {unit}" for amount, unit in told if amount) or "0 s"


def moment_in_words(moment: datetime, zone: tzinfo) -> str:
    """`2026-03-19 20:40`, in the zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def number_in_words(number: float | None) -> str:
    """Four significant digits with separators; a dash for no number."""
    if number is None or not math.isfinite(number):
        return "–"
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.4g}"


def multiple_in_words(severity: float | None) -> str:
    """A severity in multiples of the cutoff; a dash for a silence, which has none."""
    return "–" if severity is None else f"{severity:.2f}"


def expected_in_words(event: AnomalyEvent) -> str:
    """`74,100 (67,000 to 81,000)`."""
    if event.severity is None:
        return "data; there is none"
    if event.expected is None:
        return "–"
    low, high = number_in_words(event.expected_low), number_in_words(event.expected_high)
    return f"{number_in_words(event.expected)} ({low} to {high})"
