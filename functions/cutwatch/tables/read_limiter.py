"""Limit on the read capacity that a scan takes, shared by its segments."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep


@dataclass
class ReadLimiter:
    """At most `units_per_second` read units, over the whole scan. `clock` and `pause` are in seconds."""

    units_per_second: float
    clock: Callable[[], float] = monotonic
    pause: Callable[[float], None] = sleep
    units: float = 0.0
    _free_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def spend(self, units: float) -> None:
        """Count what a page took, and wait until the next page is within the limit."""
        with self._lock:
            now = self.clock()
            self.units += units
            self._free_at = max(now, self._free_at) + units / self.units_per_second
            wait = self._free_at - now
        self.pause(wait)
