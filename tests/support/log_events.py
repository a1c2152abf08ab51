"""Log events for tests: a shop's ordinary requests, evenly spaced, with response times that vary."""

import math
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_training import fit_statistics

# A Monday at 00:00 UTC.
MONDAY = 1_780_272_000
PATHS = ("/products/{n}", "/cart", "/search?q={n}", "/orders/{n}/items")
TYPICAL_SECONDS = {"/cart": 0.2}


def an_event(**fields: Any) -> LogEvent:
    """Return an ordinary request to the cart."""
    settings: dict[str, Any] = {
        "time": float(MONDAY),
        "response_time": 0.2,
        "level": "INFO",
        "method": "GET",
        "path": "/cart",
        "status": 200,
    }
    return LogEvent(**settings | fields)


def ordinary_events(count: int, seed: int = 1, step: float = 1.0) -> Sequence[LogEvent]:
    """Return events `step` seconds apart, of four paths; every tenth is a POST to the cart."""
    source = random.Random(seed)
    events = []
    for number in range(count):
        posts = number % 10 == 0
        path = "/cart" if posts else source.choice(PATHS).format(n=source.randrange(10_000))
        seconds = math.exp(source.gauss(math.log(0.2), 0.3))
        method = "POST" if posts else "GET"
        time = MONDAY + number * step
        events.append(an_event(time=time, path=path, method=method, response_time=seconds))
    return events


@cache
def ordinary_features() -> LogFeatures:
    """Return the features that 5,000 ordinary events train."""
    return LogFeatures(fit_statistics(ordinary_events(5_000)))
