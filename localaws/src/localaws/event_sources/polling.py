"""Mappings that deliver automatically while the local AWS runs."""

import logging
import threading

from localaws.clock import Clock
from localaws.event_sources.mappings import EventSourceMappings

_LOOK_AGAIN_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Polling:
    """Delivers when records have been written, when a batch becomes ready, and once a second of real time."""

    def __init__(self, mappings: EventSourceMappings, clock: Clock) -> None:
        self._mappings = mappings
        self._clock = clock
        self._written = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="event-sources", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Deliver now instead of within the second."""
        self._written.set()

    def stop(self) -> None:
        self._stopped = True
        self._written.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._written.clear()
            try:
                self._mappings.deliver()
            except Exception:  # noqa: BLE001 - one failure must not end it for good
                _log.exception("delivering records failed; it goes on")
            self._wait()

    def _wait(self) -> None:
        """Wait for records, or for the time of the next batch by the clock."""
        due = self._mappings.due()
        if due is None:
            self._written.wait(_LOOK_AGAIN_SECONDS)
        else:
            with self._clock.busy():
                seconds = due - self._clock.now().timestamp()
                self._clock.wait_until(self._written.is_set, max(seconds, 0.001))
