"""Statistics of a training's log events, with which later events are compared: fitted once, frozen with the model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

OTHER_PATHS = "(other paths)"
# The key of every path, and the hour that stands for every hour.
ALL_PATHS, EVERY_HOUR = ("", ""), -1

Hourly = Mapping[int, "Moments"]
PathKey = tuple[str, str]


class Moments(NamedTuple):
    """Mean and standard deviation of a logarithm."""

    mean: float
    deviation: float

    def standardised(self, value: float) -> float:
        """Return how many standard deviations a value lies above the mean."""
        return (value - self.mean) / self.deviation


class Counted(NamedTuple):
    """Number of times that each category occurred among `total` events."""

    counts: Mapping[str, int]
    total: int

    def rarity(self, category: str) -> float:
        """Return -log p of a category, in nats, with every count one higher than counted; a new one is the rarest."""
        return -math.log((self.counts.get(category, 0) + 1) / (self.total + len(self.counts) + 1))

    def share(self, category: str) -> float:
        """Return the share of a category among the training's events."""
        return self.counts.get(category, 0) / self.total


class UsualTime(NamedTuple):
    """Range in seconds that holds 90 % of the response times, of one hour of the day or of every hour."""

    low: float
    high: float
    of_hour: bool


@dataclass(frozen=True)
class LogStatistics:
    """Statistics of a training's events.

    `response_times` are means and deviations of log seconds by (method, path template), with the key ("", "") for all; `usual_times`
    the ranges in seconds that hold 90 %, by the same key and hour of the day, -1 for every hour. `request_rates` are those of
    log(1 + requests a second) by hour, -1 for every hour.
    """

    time_zone: str
    level: Counted
    method: Counted
    path: Counted
    status: Counted
    response_times: Mapping[PathKey, Moments]
    usual_times: Mapping[PathKey, Mapping[int, tuple[float, float]]]
    request_rates: Hourly
    error_rate: Moments
    distinct_paths: Moments

    def known_path(self, template: str) -> str:
        """Return a path template as training knows it; rare and new ones are one category."""
        return template if template in self.path.counts else OTHER_PATHS

    def response_time(self, method: str, path: str) -> Moments:
        """Return the mean and deviation of log response times of a method and path, or those of all events."""
        return self.response_times.get((method, path)) or self.response_times[ALL_PATHS]

    def usual_time(self, method: str, path: str, hour: int) -> "UsualTime | None":
        """Return the range of the response times of a method and path at this hour, or at every hour."""
        ranges = self.usual_times.get((method, path)) or self.usual_times.get(ALL_PATHS, {})
        known = hour if hour in ranges else EVERY_HOUR
        return UsualTime(*ranges[known], of_hour=known == hour) if known in ranges else None

    def request_rate(self, hour: int) -> Moments:
        """Return the mean and deviation of log(1 + requests a second) at an hour of the day."""
        return self.request_rates.get(hour) or self.request_rates[EVERY_HOUR]

    def to_payload(self) -> dict[str, Any]:
        """Return the statistics as JSON values."""
        return {
            "time_zone": self.time_zone,
            **{name: [dict(each.counts), each.total] for name, each in self._counted().items()},
            "response_times": [[*key, *each] for key, each in self.response_times.items()],
            "usual_times": [
                [*key, [[hour, *each] for hour, each in ranges.items()]]
                for key, ranges in self.usual_times.items()
            ],
            "request_rates": [[hour, *each] for hour, each in self.request_rates.items()],
            "error_rate": list(self.error_rate),
            "distinct_paths": list(self.distinct_paths),
        }

    def _counted(self) -> dict[str, Counted]:
        return {name: getattr(self, name) for name in ("level", "method", "path", "status")}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "LogStatistics":
        """Read back what `to_payload` returned."""
        counted = {name: Counted(*payload[name]) for name in ("level", "method", "path", "status")}
        return cls(
            time_zone=payload["time_zone"],
            **counted,
            response_times={
                (method, path): Moments(*each) for method, path, *each in payload["response_times"]
            },
            usual_times={
                (method, path): {hour: (low, high) for hour, low, high in ranges}
                for method, path, ranges in payload["usual_times"]
            },
            request_rates={hour: Moments(*each) for hour, *each in payload["request_rates"]},
            error_rate=Moments(*payload["error_rate"]),
            distinct_paths=Moments(*payload["distinct_paths"]),
        )
