"""Fitting the statistics of a training's log events."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from zoneinfo import ZoneInfo

from cutwatch.errors import InvalidInput
from cutwatch.features.log_event import LogEvent, categories_of
from cutwatch.features.log_statistics import (
    ALL_PATHS,
    EVERY_HOUR,
    OTHER_PATHS,
    Counted,
    LogStatistics,
    Moments,
    PathKey,
)
from cutwatch.features.log_traffic import WINDOW_SECONDS, RecentTraffic

MOST_PATHS = 200
# Paths that are rarer in the training belong to OTHER_PATHS.
FEWEST_OF_A_PATH = 5
# A path's own response times are known from this many events; those of an hour of the day as well.
FEWEST_OF_A_RANGE = 30
# Response times below a millisecond do not differ.
_FLOOR = 0.001
_LEAST_DEVIATION = 0.05
_LEAST_DEVIATION_OF_ERRORS = 0.01
_LOW, _HIGH = 0.05, 0.95


def fit_statistics(events: Iterable[LogEvent], time_zone: str = "UTC") -> LogStatistics:
    """Return the statistics of events in the order of time. Raises `InvalidInput` without events."""
    collected = _Collected(ZoneInfo(time_zone))
    for event in events:
        collected.add(event)
    if not collected.total:
        raise InvalidInput("there are no log events to learn from")
    return collected.statistics(time_zone)


def log_seconds(response_time: float) -> float:
    """Return the logarithm of a response time in seconds."""
    return math.log(max(response_time, _FLOOR))


def hour_of(time: float, zone: tzinfo) -> int:
    """Return the hour of the day, 0 to 23."""
    return datetime.fromtimestamp(time, zone).hour


class _Collected:
    """Everything that is counted while the events pass by once."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.total = 0
        self._level: Counter[str] = Counter()
        self._method: Counter[str] = Counter()
        self._path: Counter[str] = Counter()
        self._status: Counter[str] = Counter()
        self._times: dict[tuple[str, str, int], list[float]] = defaultdict(list)
        self._rates: dict[int, list[float]] = defaultdict(list)
        self._errors: list[float] = []
        self._distinct: list[float] = []
        self._traffic = RecentTraffic()

    def add(self, event: LogEvent) -> None:
        self.total += 1
        level, method, path, status = categories_of(event)
        self._level[level] += 1
        self._method[method] += 1
        self._path[path] += 1
        self._status[status] += 1
        hour = hour_of(event.time, self._zone)
        if event.response_time is not None:
            self._times[method, path, hour].append(log_seconds(event.response_time))
        traffic = self._traffic.add(event.time, path, is_error=event.is_error)
        if traffic.seconds < WINDOW_SECONDS:
            return
        self._rates[hour].append(math.log1p(traffic.request_rate))
        self._errors.append(traffic.error_rate)
        self._distinct.append(math.log1p(traffic.distinct_paths))

    def statistics(self, time_zone: str) -> LogStatistics:
        paths = self._known_paths()
        times = self._times_by_path(paths)
        every_rate = [rate for rates in self._rates.values() for rate in rates]
        return LogStatistics(
            time_zone=time_zone,
            level=Counted(dict(self._level), self.total),
            method=Counted(dict(self._method), self.total),
            path=Counted(paths, self.total),
            status=Counted(dict(self._status), self.total),
            response_times={
                key: _moments([each for values in hours.values() for each in values])
                for key, hours in times.items()
            },
            usual_times={key: _ranges(hours) for key, hours in times.items()},
            request_rates={EVERY_HOUR: _moments(every_rate)}
            | {
                hour: _moments(rates)
                for hour, rates in sorted(self._rates.items())
                if len(rates) >= FEWEST_OF_A_RANGE
            },
            error_rate=_moments(self._errors, least=_LEAST_DEVIATION_OF_ERRORS),
            distinct_paths=_moments(self._distinct),
        )

    def _known_paths(self) -> dict[str, int]:
        frequent = (
            (path, number)
            for path, number in self._path.most_common()
            if number >= FEWEST_OF_A_PATH
        )
        known = dict(islice(frequent, MOST_PATHS))
        rest = self.total - sum(known.values())
        return known | ({OTHER_PATHS: rest} if rest else {})

    def _times_by_path(self, known: Mapping[str, int]) -> dict[PathKey, dict[int, list[float]]]:
        """Return log seconds by path and hour, those of all paths first; paths with too few are left out."""
        times: dict[PathKey, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        times[ALL_PATHS] = defaultdict(list)
        for (method, path, hour), values in self._times.items():
            times[ALL_PATHS][hour] += values
            times[method, path if path in known else OTHER_PATHS][hour] += values
        return {
            key: dict(sorted(hours.items()))
            for key, hours in sorted(times.items())
            if key == ALL_PATHS or sum(map(len, hours.values())) >= FEWEST_OF_A_RANGE
        }


def _moments(values: Sequence[float], least: float = _LEAST_DEVIATION) -> Moments:
    if not values:
        return Moments(0.0, 1.0)
    mean = math.fsum(values) / len(values)
    variance = math.fsum((each - mean) ** 2 for each in values) / len(values)
    return Moments(mean, max(math.sqrt(variance), least))


def _ranges(hours: Mapping[int, Sequence[float]]) -> dict[int, tuple[float, float]]:
    """Return the range of 90 % in seconds for every hour together, and for hours with enough events."""
    together = [each for values in hours.values() for each in values]
    if not together:
        return {}
    known = {hour: each for hour, each in hours.items() if len(each) >= FEWEST_OF_A_RANGE}
    return {hour: _range(each) for hour, each in {EVERY_HOUR: together, **known}.items()}


def _range(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    low, high = (ordered[int(share * (len(ordered) - 1))] for share in (_LOW, _HIGH))
    return float(f"{math.exp(low):.3g}"), float(f"{math.exp(high):.3g}")
