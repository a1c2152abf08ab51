"""CloudWatch's own work, repeated while the local AWS runs."""

import logging
import threading
import time
from collections.abc import Callable

_TICK_SECONDS = 0.2
_SHARE_OF_A_CORE = 0.05
_log = logging.getLogger(__name__)


class Monitoring:
    """Calls `pass_time` several times a second of real time, so that alarms ring without being asked for."""

    def __init__(self, pass_time: Callable[[], None]) -> None:
        self._pass_time = pass_time
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitoring", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        pause = _TICK_SECONDS
        while not self._stopped.wait(pause):
            started = time.thread_time()
            try:
                self._pass_time()
            except Exception:  # noqa: BLE001 - one failure must not end it for good
                _log.exception("CloudWatch's monitoring failed; it goes on")
            pause = max(_TICK_SECONDS, (time.thread_time() - started) / _SHARE_OF_A_CORE)
