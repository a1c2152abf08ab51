"""Counts, moments and verdicts as the report and the terminal write them."""

from datetime import datetime, tzinfo


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def time_in_words(moment: datetime, zone: tzinfo) -> str:
    """`2026-03-19 20:40`, in the zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def multiple_in_words(severity: float | None) -> str:
    """A severity in multiples of the cutoff; a dash for a silence, which has none."""
    return "–" if severity is None else f"{severity:.2f}"
