"""Axes that people read: dates that fit the span, numbers with separators or prefixes."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, Formatter, FuncFormatter, Locator, MaxNLocator

from local.report.detector_report import Floats

# Matplotlib ships no types for its date locators.
locators: Any = dates

SECONDS_A_DAY = 86_400
LARGEST_WRITTEN_OUT = 1_000_000
SMALLEST_WRITTEN_OUT = 0.001
LONGEST_IN_HOURS, LONGEST_IN_DAYS, LONGEST_IN_WEEKS = 3, 16, 150  # days


def date_number(moment: datetime) -> float:
    """A moment as matplotlib counts it: days since 1970."""
    return moment.timestamp() / SECONDS_A_DAY


def scale_time(axes: Axes, first: datetime, last: datetime, zone: tzinfo) -> None:
    """Ticks at hours, days, Mondays or months, whichever leaves about a dozen of them."""
    locator = _time_locator(last - first, zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_time_formatter(last - first, zone))
    axes.set_xlim(date_number(first), date_number(last))


def scale_values(axes: Axes, known: Floats, headroom: float, ticks: int) -> None:
    """A range that holds the values, from zero where that costs little, with room above."""
    lowest, highest = (known.min(), known.max()) if known.size else (0.0, 1.0)
    margin = 0.06 * ((highest - lowest) or abs(highest) or 1.0)
    bottom = 0.0 if 0 <= lowest <= 0.4 * highest else lowest - margin
    top = highest + margin
    axes.set_ylim(float(bottom), float(top + headroom * (top - bottom)))
    axes.yaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(number_formatter(float(max(abs(lowest), abs(highest)))))


def number_formatter(largest: float) -> Formatter:
    """12,500 up to a million, then 1.2 M; tiny numbers in powers of ten."""
    if largest >= LARGEST_WRITTEN_OUT:
        return EngFormatter(sep=" ")
    if 0 < largest < SMALLEST_WRITTEN_OUT:
        return FuncFormatter(lambda number, _: f"{number:g}")
    return FuncFormatter(lambda number, _: f"{number:,.6g}" if abs(number) < 1 else f"{number:,g}")


def _time_locator(span: timedelta, zone: tzinfo) -> Locator:
    days = span / timedelta(days=1)
    locator: Locator
    if days <= LONGEST_IN_HOURS:
        every = next((step for step in (1, 2, 3, 6) if days * 24 / step <= 12), 12)
        locator = locators.HourLocator(byhour=range(0, 24, every), tz=zone)
    elif days <= LONGEST_IN_DAYS:
        locator = locators.DayLocator(tz=zone)
    elif days <= LONGEST_IN_WEEKS:
        locator = locators.WeekdayLocator(dates.MO, interval=1 + int(days // 90), tz=zone)
    else:
        locator = locators.MonthLocator(interval=1 + int(days // 500), tz=zone)
    return locator


def _time_formatter(span: timedelta, zone: tzinfo) -> Formatter:
    days = span / timedelta(days=1)

    def written(number: float, position: int | None) -> str:
        moment = datetime.fromtimestamp(round(number * SECONDS_A_DAY), zone)
        if days > LONGEST_IN_WEEKS:
            return f"{moment:%b %Y}" if not position or moment.month == 1 else f"{moment:%b}"
        if days <= LONGEST_IN_HOURS and moment.hour:
            return f"{moment:%H:%M}"
        return f"{moment.day} {moment:%b}"

    return FuncFormatter(written)
