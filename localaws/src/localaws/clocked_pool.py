"""Threads whose work holds the clock."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from localaws.clock import Clock


class ClockedPool(ThreadPoolExecutor):
    """Threads that hold the clock from submission on and pass their hold to the next item, so that none starts late."""

    def __init__(self, clock: Clock, max_workers: int) -> None:
        super().__init__(max_workers)
        self._clock = clock
        self._counts = Lock()
        self._free = max_workers
        self._waiting = 0
        self._held_for_waiting = 0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        with self._counts:
            self._waiting += 1
            if self._free:
                self._free -= 1
                self._held_for_waiting += 1
                self._clock.hold()
        submitted = super().submit(self._run, function, *arguments, **named)
        # Not when the work ends: until its future is done, whoever waits for it would seem to wait for time to pass.
        submitted.add_done_callback(self._pass_on)
        return submitted

    def _run(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self._counts:
            self._waiting -= 1
            self._held_for_waiting -= 1
        with self._clock.already_held():
            return function(*arguments, **named)

    def _pass_on(self, _: Future[Any]) -> None:
        with self._counts:
            if self._held_for_waiting < self._waiting:
                self._held_for_waiting += 1
            else:
                self._free += 1
                self._clock.release()
