"""Numbers, durations and times as people read them."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, Decimal

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.unit import with_unit

_PREFIXES = ((1e12, " T"), (1e9, " G"), (1e6, " M"))
_MOST_DECIMALS, _ROUNDING, _NEIGHBOURS = 9, 1e-3, 2
_TENTH = Decimal("0.1")
_TINY, _WITH_SEPARATORS, _LONGEST = 0.001, 1_000, 1_000


def number_in_words(number: float | None) -> str:
    """Format a number with four significant digits: `0.25`, `12,500`, `1.2 M`, `3.1e-05`; a dash for none."""
    if number is None or not math.isfinite(number):
        return "–"
    size = abs(number)
    for factor, prefix in _PREFIXES:
        if size >= factor:
            return f"{number / factor:.4g}{prefix}" if size < _LONGEST * factor else f"{number:.3g}"
    if size >= _WITH_SEPARATORS:
        return f"{number:,.0f}"
    return f"{number:.2g}" if 0 < size < _TINY else f"{number:.4g}"


def quantity_in_words(number: float | None, unit: str | None) -> str:
    """Format a number with the symbol of CloudWatch's unit: `231 ms`, `1.2 MB`; a dash for none."""
    text = number_in_words(number)
    return with_unit(text, unit) if text[-1:].isalnum() else text


def tick_labels(ticks: Sequence[float], unit: str | None = None) -> list[str]:
    """Format evenly spaced numbers with just enough equal digits to differ, with their unit: `1.0 ms`, `1.5 ms`."""
    return [with_unit(label, unit) for label in _tick_numbers(ticks)]


def _tick_numbers(ticks: Sequence[float]) -> list[str]:
    if len(ticks) < _NEIGHBOURS:
        return [number_in_words(tick) for tick in ticks]
    largest = max(map(abs, ticks))
    factor, prefix = next(
        ((factor, prefix) for factor, prefix in _PREFIXES if largest >= factor), (1.0, "")
    )
    digits = _decimals((ticks[1] - ticks[0]) / factor)
    if digits is None or largest >= _LONGEST * _PREFIXES[0][0]:
        return [f"{tick:.9g}" for tick in ticks]
    # Adding zero removes the sign of a negative number rounded to zero.
    return [f"{round(tick / factor, digits) + 0.0:,.{digits}f}{prefix}" for tick in ticks]


def _decimals(step: float) -> int | None:
    """Return the decimals that a step needs; None if there are too many to read."""
    exact = (n for n in range(_MOST_DECIMALS) if abs(round(step, n) - step) <= _ROUNDING * step)
    return next(exact, None)


def span_in_words(span: timedelta) -> str:
    """Format a duration in its two largest units: `63 d`, `1 d 6 h`, `3 h 20 min`, `45 s`."""
    seconds = max(round(span.total_seconds()), 0)
    amounts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, seconds = divmod(seconds, size)
        amounts.append((amount, unit))
    leading = next((place for place, (amount, _) in enumerate(amounts) if amount), len(amounts) - 1)
    shown = amounts[leading : leading + 2]
    return " ".join(f"{amount} {unit}" for amount, unit in shown if amount) or "0 s"


def time_in_words(time: datetime, zone: tzinfo) -> str:
    """Format a time in a zone: `2026-03-19 20:40`."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M}"


def count(number: int, noun: str) -> str:
    """Format a number with its noun: `1 event`, `1,200 events`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def expected_in_words(event: AnomalyEvent) -> str:
    """Describe an event's expected value, with the range that holds 90 %: `74.1 ms (67 ms to 81 ms)`."""
    if event.severity is None:
        return "data"
    if event.expected is None:
        return "–"
    low, high = (
        quantity_in_words(edge, event.unit) for edge in (event.expected_low, event.expected_high)
    )
    return f"{quantity_in_words(event.expected, event.unit)} ({low} to {high})"


def value_in_words(event: AnomalyEvent) -> str:
    """Format an event's value with its unit; `no data` for a reporting gap."""
    return "no data" if event.severity is None else quantity_in_words(event.value, event.unit)


def multiple_in_words(event: AnomalyEvent) -> str:
    """Format an event's peak in multiples of the cutoff, rounded down so that 1.49 does not look medium; a dash for a gap."""
    return severity_multiple(event.severity)


def severity_multiple(severity: float | None) -> str:
    """Format a multiple of the cutoff, rounded down; a dash for none."""
    if severity is None or severity >= _WITH_SEPARATORS:
        return number_in_words(severity)
    return str(Decimal(repr(severity)).quantize(_TENTH, ROUND_DOWN))


def severity_in_words(event: AnomalyEvent) -> str:
    """Describe an event's severity: `high, 3.2 times the cutoff`."""
    if event.severity is None:
        return f"{event.severity_word}, no data"
    return f"{event.severity_word}, {multiple_in_words(event)} times the cutoff"


def end_in_words(event: AnomalyEvent, zone: tzinfo) -> str:
    """Format an event's end in a zone: `20:45`, with its date if that is not the date of the beginning."""
    begins, ends = event.begins.astimezone(zone), event.ends.astimezone(zone)
    return f"{ends:%H:%M}" if ends.date() == begins.date() else time_in_words(ends, zone)
