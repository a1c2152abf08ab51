"""Features of log events: one row per event, by the same code in training and scoring.

Numbers are standardised with the training's statistics. Categories count by rarity, -log p: a standardised indicator
would make every rare category an anomaly of its own.
"""

import math
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cutwatch.detectors.log_format import LOG_COLUMNS
from cutwatch.features.log_event import Categories, LogEvent, categories_of
from cutwatch.features.log_statistics import LogStatistics
from cutwatch.features.log_traffic import WINDOW_SECONDS, RecentTraffic, Traffic
from cutwatch.features.log_training import log_seconds

# Standardised values end here: beyond, how far a value is out says nothing more.
_MOST_DEVIATIONS = 20.0
_HOURS, _MINUTES_OF_HOUR, _WEEKDAYS, _FIRST_OF_WEEKEND = 24, 60, 7, 5


class FeatureRow(NamedTuple):
    """The row of an event, in the order of `LOG_COLUMNS`, with what it was computed from."""

    values: tuple[float, ...]
    event: LogEvent
    categories: Categories
    traffic: Traffic


class LogFeatures:
    """Features by a training's statistics; `columns` are their names.

    The statistics are those of the whole log. The traffic of a key is a part of it, so with `of_keys` only more than the
    whole's usual requests and paths stand out.
    """

    columns = LOG_COLUMNS

    def __init__(self, statistics: LogStatistics, *, of_keys: bool = False) -> None:
        self.statistics = statistics
        self._least = 0.0 if of_keys else -_MOST_DEVIATIONS
        self.zone = ZoneInfo(statistics.time_zone)

    def row(self, event: LogEvent, recent: RecentTraffic) -> FeatureRow:
        """Return the row of the next event of a key; the event is added to the key's traffic."""
        known = self.statistics
        categories = categories_of(event)
        level, method, template, status = categories
        traffic = recent.add(event.time, template, is_error=event.is_error)
        path = known.known_path(template)
        time = datetime.fromtimestamp(event.time, self.zone)
        values = (
            *self._response_times(event, method, path),
            known.level.rarity(level),
            known.method.rarity(method),
            known.path.rarity(path),
            known.status.rarity(status),
            *_circle((time.hour + time.minute / _MINUTES_OF_HOUR) / _HOURS),
            *_circle(time.weekday() / _WEEKDAYS),
            float(time.weekday() >= _FIRST_OF_WEEKEND),
            *self._rates(traffic, time.hour),
        )
        return FeatureRow(values, event, categories, traffic)

    def _response_times(self, event: LogEvent, method: str, path: str) -> tuple[float, float]:
        """Return the response time among those of all events, and among those of its method and path."""
        if event.response_time is None:
            return 0.0, 0.0
        seconds = log_seconds(event.response_time)
        known = self.statistics
        return (
            _clipped(known.response_time("", "").standardised(seconds)),
            _clipped(known.response_time(method, path).standardised(seconds)),
        )

    def _rates(self, traffic: Traffic, hour: int) -> tuple[float, float, float]:
        """Return the features of the traffic; the mean until a key's first window is whole."""
        if traffic.seconds < WINDOW_SECONDS:
            return 0.0, 0.0, 0.0
        known = self.statistics
        requests = known.request_rate(hour).standardised(math.log1p(traffic.request_rate))
        paths = known.distinct_paths.standardised(math.log1p(traffic.distinct_paths))
        return (
            max(_clipped(requests), self._least),
            _clipped(known.error_rate.standardised(traffic.error_rate)),
            max(_clipped(paths), self._least),
        )


def _circle(part: float) -> tuple[float, float]:
    return math.sin(2 * math.pi * part), math.cos(2 * math.pi * part)


def _clipped(value: float) -> float:
    return min(max(value, -_MOST_DEVIATIONS), _MOST_DEVIATIONS)
