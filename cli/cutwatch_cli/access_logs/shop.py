"""Generated access logs of a shop: load of day and week, a mix of paths, log-normal response times, planted faults."""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from cutwatch.features.log_event import LogEvent
from cutwatch_cli.access_logs.faults import Fault, FaultKind

_MINUTE, _DAY = 60, 86_400
_NIGHT_SHARE, _WEEKEND, _BUSIEST_HOUR = 0.2, 0.7, 15
_FIRST_OF_WEEKEND = 5
_SLOWDOWN, _SHIFT = 12.0, 1.6
_ERRORS_IN_BURST, _SCAN_SHARE, _SHIFTED_METHODS = 0.5, 0.4, 0.5
_SLOW_PATH = "/cart"
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_SCANNED = ("admin", "backup", "config", "console", "db", "debug", "env", "git", "login", "old",
            "phpmyadmin", "setup", "shell", "sql", "test", "upload", "wp")  # fmt: skip
_ENDINGS = (".php", ".bak", ".env", ".zip", ".sql", "/", ".asp", ".old")


class Page(NamedTuple):
    """A kind of request: its share of the load, median response time in seconds, spread of its logarithm."""

    method: str
    path: str
    weight: float
    seconds: float
    spread: float = 0.35


PAGES = (
    Page("GET", "/", 14, 0.06),
    Page("GET", "/products/{id}", 30, 0.09),
    Page("GET", "/search", 14, 0.18, 0.5),
    Page("GET", "/categories/{name}", 12, 0.11),
    Page("GET", "/cart", 8, 0.08),
    Page("POST", "/cart", 6, 0.14),
    Page("POST", "/checkout", 2, 0.6, 0.4),
    Page("GET", "/orders/{id}", 4, 0.12),
    Page("POST", "/login", 3, 0.22),
    Page("PUT", "/account", 1, 0.15),
    Page("DELETE", "/cart/items/{id}", 1, 0.09),
    Page("GET", "/reports/sales", 0.3, 6.0, 0.3),
    Page("GET", "/health", 4.7, 0.004, 0.2),
)
_CATEGORIES = ("books", "garden", "music", "shoes", "tools", "toys")


class Request(NamedTuple):
    """A request, and the fault that changed it; a lasting shift counts only while it is news."""

    event: LogEvent
    fault: Fault | None


@dataclass(frozen=True)
class Shop:
    """The settings of a log: `start` in epoch seconds, requests a second at the busiest time, planted faults."""

    start: float
    seconds: int
    busiest_rate: float = 4.0
    seed: int = 1
    faults: Sequence[Fault] = ()

    @property
    def end(self) -> float:
        """The end of the log in epoch seconds."""
        return self.start + self.seconds

    def rate(self, time: float) -> float:
        """Return the expected requests a second at a time without faults."""
        hour = time % _DAY / 3_600
        shape = (1 + math.cos(2 * math.pi * (hour - _BUSIEST_HOUR) / 24)) / 2
        weekend = datetime.fromtimestamp(time, UTC).weekday() >= _FIRST_OF_WEEKEND
        day = _NIGHT_SHARE + (1 - _NIGHT_SHARE) * shape**1.5
        return float(self.busiest_rate * day * (_WEEKEND if weekend else 1.0))

    def requests(self) -> Iterator[Request]:
        """Yield the requests in the order of time; equal settings give equal requests."""
        source = random.Random(self.seed)  # noqa: S311 - not for secrets
        for minute in range(math.ceil(self.seconds / _MINUTE)):
            begin = self.start + minute * _MINUTE
            count = _poisson(source, self.rate(begin) * _MINUTE)
            for time in sorted(begin + _MINUTE * source.random() for _ in range(count)):
                request = self._request(source, time)
                if request is not None and time < self.end:
                    yield request

    def fault_at(self, time: float) -> Fault | None:
        """Return the fault that an alarm at this time is about."""
        return next((each for each in self.faults if each.is_news(time)), None)

    def _request(self, source: random.Random, time: float) -> Request | None:
        """Return the request of a time; None if a fault keeps it away."""
        page = source.choices(PAGES, _WEIGHTS)[0]
        load = self.rate(time) / self.busiest_rate
        seconds = page.seconds * (0.8 + 0.4 * load) * math.exp(source.gauss(0, page.spread))
        ordinary = LogEvent(time, seconds, "INFO", page.method, _path(page, source), 200)
        event: LogEvent | None = _answered(ordinary, source.random())
        news: Fault | None = None
        for fault in self.faults:
            if event is not None and fault.is_active(time):
                changed = _CHANGES[fault.kind](event, source)
                news = fault if changed != event and fault.is_news(time) else news
                event = changed
        return None if event is None else Request(_rounded(event), news)


_WEIGHTS = [page.weight for page in PAGES]


def json_line(event: LogEvent) -> str:
    """Return a request as the shop's JSON log has it."""
    return json.dumps(
        {
            "timestamp": _iso(event.time),
            "level": event.level,
            "request": {"method": event.method, "path": event.path},
            "status": event.status,
            "duration_ms": round((event.response_time or 0) * 1_000, 3),
        }
    )


def access_line(event: LogEvent) -> str:
    """Return a request as a line of the combined format with the response time in microseconds."""
    time = datetime.fromtimestamp(event.time, UTC)
    request = f"{event.method} {event.path} HTTP/1.1"
    microseconds = round((event.response_time or 0) * 1e6)
    size = 200 + len(event.path) * 37
    return f'10.1.2.3 - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "{request}" {event.status} {size} "-" "shop/1" {microseconds}'


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")  # fmt: skip


def _rounded(event: LogEvent) -> LogEvent:
    """Return a request with the precision of its log line."""
    return event._replace(
        time=round(event.time, 3), response_time=round(event.response_time or 0, 6)
    )


def _poisson(source: random.Random, mean: float) -> int:
    """Return a Poisson number; a rounded normal one where the mean is large."""
    if mean > 50:
        return max(round(source.gauss(mean, math.sqrt(mean))), 0)
    limit, product, count = math.exp(-mean), source.random(), 0
    while product > limit:
        product *= source.random()
        count += 1
    return count


def _path(page: Page, source: random.Random) -> str:
    if page.path == "/search":
        return f"/search?q={source.choice(_CATEGORIES)}&page={source.randint(1, 9)}"
    return page.path.format(id=source.randint(100, 99_999), name=source.choice(_CATEGORIES))


def _answered(event: LogEvent, chance: float) -> LogEvent:
    """Return a request with a status: some are not found, a few fail."""
    if chance < 0.001:
        return event._replace(status=500, level="ERROR")
    if chance < 0.012:
        return event._replace(status=404, level="WARN")
    if event.method == "POST":
        return event._replace(status=302)
    return event


def _slower(event: LogEvent, _: random.Random) -> LogEvent:
    if event.path != _SLOW_PATH:
        return event
    return event._replace(response_time=(event.response_time or 0) * _SLOWDOWN)


def _failing(event: LogEvent, source: random.Random) -> LogEvent:
    if source.random() > _ERRORS_IN_BURST:
        return event
    return event._replace(status=source.choice((500, 502, 503)), level="ERROR")


def _scanned(event: LogEvent, source: random.Random) -> LogEvent:
    if source.random() > _SCAN_SHARE:
        return event
    path = f"/{source.choice(_SCANNED)}-{source.choice(_SCANNED)}{source.choice(_ENDINGS)}"
    return event._replace(method="GET", path=path, status=404, level="WARN", response_time=0.01)


def _other_method(event: LogEvent, source: random.Random) -> LogEvent:
    if source.random() > _SHIFTED_METHODS:
        return event
    return event._replace(method=source.choice(("PUT", "DELETE", "PATCH")))


def _silent(_: LogEvent, __: random.Random) -> None:
    return None


def _shifted(event: LogEvent, _: random.Random) -> LogEvent:
    return event._replace(response_time=(event.response_time or 0) * _SHIFT)


_Change = Callable[[LogEvent, random.Random], LogEvent | None]
_CHANGES: Mapping[FaultKind, _Change] = {
    "slow path": _slower,
    "error burst": _failing,
    "path scan": _scanned,
    "method shift": _other_method,
    "silence": _silent,
    "level shift": _shifted,
}
