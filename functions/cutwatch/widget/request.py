"""A dashboard's request to its custom widget: detector, time range, size, theme.

The event is that of CloudWatch's custom widgets ("Details about custom widgets" in its user guide). It is untrusted,
and people type its parameters: everything in it is validated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from cutwatch.errors import InvalidInput

# Placeholder of the dashboard's variable; not a valid name of a detector, and not used elsewhere on a dashboard.
NOT_CHOSEN = "_detector_"

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_WIDTHS, _HEIGHTS = (240, 4_000), (120, 4_000)
_USUAL_WIDTH, _USUAL_HEIGHT = 800, 480
_LONGEST_OFFSET = 14 * 60
_MILLISECONDS = 1_000
# From 1970 to the last year that a date can have.
_LATEST = 253_402_300_799


@dataclass(frozen=True)
class WidgetRequest:
    """A validated request. `detector` is empty if none was chosen. Sizes are CSS pixels, `end` is exclusive.

    `widget` distinguishes the widgets of one page, because ids in HTML are global.
    """

    detector: str
    start: datetime
    end: datetime
    width: int
    height: int
    dark: bool
    zone: timezone
    widget: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "WidgetRequest":
        """Read CloudWatch's event. Raises `InvalidInput`."""
        context = _mapping(event.get("widgetContext"), "widgetContext")
        start, end = _time_range(_mapping(context.get("timeRange"), "widgetContext.timeRange"))
        return cls(
            detector=_detector(event, context),
            start=start,
            end=end,
            width=_pixels(context.get("width"), _USUAL_WIDTH, _WIDTHS),
            height=_pixels(context.get("height"), _USUAL_HEIGHT, _HEIGHTS),
            dark=context.get("theme") == "dark",
            zone=_zone(context.get("timezone")),
            widget=re.sub(r"[^A-Za-z0-9]+", "-", str(context.get("widgetId", "")))[:40],
        )

    @property
    def zone_name(self) -> str:
        """Name of the zone: `UTC`, or its offset, `UTC+02:00`."""
        return str(self.zone)


def _mapping(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(
            f"{field} is {value!r}; expected an object, as a CloudWatch dashboard sends it"
        )
    return value


def _detector(event: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """Return the parameter of this call (from a link in the widget), else the widget's parameter."""
    parameters = context.get("params")
    default = parameters.get("detector", "") if isinstance(parameters, Mapping) else ""
    chosen = event.get("detector", default)
    if not isinstance(chosen, str):
        raise InvalidInput(f"detector is {chosen!r}; expected the name of a detector")
    chosen = chosen.strip()
    return "" if chosen == NOT_CHOSEN else chosen


def _time_range(time_range: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return the zoomed range, else the dashboard's time range."""
    zoom = time_range.get("zoom")
    shown = zoom if isinstance(zoom, Mapping) and {"start", "end"} <= zoom.keys() else time_range
    start, end = (_timestamp(shown.get(name), name) for name in ("start", "end"))
    if end <= start:
        raise InvalidInput(f"timeRange ends at {end:%Y-%m-%d %H:%M}, not after it starts")
    return start, end


def _timestamp(value: Any, name: str) -> datetime:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value / _MILLISECONDS <= _LATEST:
        raise InvalidInput(f"timeRange.{name} is {value!r}; expected milliseconds since 1970")
    return datetime.fromtimestamp(int(value) // _MILLISECONDS, UTC)


def _pixels(value: Any, usual: int, bounds: tuple[int, int]) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return usual
    smallest, largest = bounds
    return int(min(max(value, smallest), largest))


def _zone(value: Any) -> timezone:
    """Return the dashboard's zone. The ISO form has an unambiguous sign; the number in minutes is the fallback."""
    given = value if isinstance(value, Mapping) else {}
    written = _OFFSET.fullmatch(str(given.get("offsetISO", "")))
    if written:
        sign = -1 if written[1] == "-" else 1
        minutes = sign * (int(written[2]) * 60 + int(written[3]))
    else:
        number = given.get("offsetInMinutes")
        minutes = int(number) if isinstance(number, int) else 0
    minutes = minutes if abs(minutes) <= _LONGEST_OFFSET else 0
    return timezone(timedelta(minutes=minutes)) if minutes else timezone.utc  # noqa: UP017 - its type
