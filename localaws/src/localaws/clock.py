"""The clock of the local AWS and of the process that it runs in.

Waiting costs no real time: when everything that could still act is waiting, the clock skips to the first time
at which something wakes up. Deadlines, polling loops and job durations therefore behave as on AWS, at once.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

_LOOK_AGAIN_SECONDS = 0.005


class Clock:
    """Real time until it is moved; from then on a clock that ticks from where it was put.

    `wait_scale` is the share of every wait that is slept for real: 0 skips waits, 1 sits them out.
    """

    def __init__(self, wait_scale: float = 0.0) -> None:
        self.wait_scale = min(max(wait_scale, 0.0), 1.0)
        self._changed = threading.Condition()
        self._thread = threading.local()
        self._busy = 0
        self._sleepers: list[_Sleeper] = []
        self._traveller: time_machine.travel | None = None
        self._coordinates: Any = None

    @property
    def moved(self) -> bool:
        return self._traveller is not None

    def now(self) -> datetime:
        return datetime.now(UTC)

    def move_to(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError(f"the clock moves to aware datetimes only, not to {moment}")
        with self._changed:
            self._put(moment)
            self._wake()

    def advance(self, seconds: float) -> None:
        self.move_to(self.now() + timedelta(seconds=seconds))

    def restore(self) -> None:
        """Return the process to real time and wake all sleepers."""
        with self._changed:
            self._wake(everybody=True)
            if self._traveller is not None:
                self._traveller.stop()
            self._traveller = self._coordinates = None

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Skip no wait while this thread works, because the work could change what comes next."""
        if getattr(self._thread, "is_busy", False):
            yield
            return
        self.hold()
        try:
            with self.already_held():
                yield
        finally:
            self.release()

    @contextmanager
    def already_held(self) -> Iterator[None]:
        """Mark work of this thread as busy for which another thread holds the clock."""
        self._thread.is_busy = True
        try:
            yield
        finally:
            self._thread.is_busy = False

    def hold(self) -> None:
        with self._changed:
            self._busy += 1

    def release(self) -> None:
        with self._changed:
            self._busy -= 1
            self._skip_if_all_wait()

    def sleep(self, seconds: float) -> None:
        """Let time pass for the busy work that calls this."""
        if seconds <= 0:
            return
        wake_at = self.now() + timedelta(seconds=seconds)
        time.sleep(seconds * self.wait_scale)
        if self.wait_scale < 1:
            self._sleep_until(wake_at, lambda: False)

    def wait_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Let busy work wait for others, at most for so long, and return whether they were done."""
        return self._sleep_until(self.now() + timedelta(seconds=seconds), done)

    def _sleep_until(self, wake_at: datetime, done: Callable[[], bool]) -> bool:
        sleeper = _Sleeper(wake_at, done)
        with self._changed:
            self._sleepers.append(sleeper)
            self._busy -= 1
            self._skip_if_all_wait()
            while sleeper in self._sleepers:
                self._changed.wait(_LOOK_AGAIN_SECONDS)
                self._wake()
        return done()

    def _skip_if_all_wait(self) -> None:
        self._wake()
        if self._busy == 0 and self._sleepers and self.wait_scale < 1:
            self._put(min(sleeper.wake_at for sleeper in self._sleepers))
            self._wake()

    def _wake(self, *, everybody: bool = False) -> None:
        """Make sleepers busy again that have waited enough, before the clock can skip further."""
        now = self.now()
        woken = [
            sleeper
            for sleeper in self._sleepers
            if everybody or sleeper.wake_at <= now or sleeper.done()
        ]
        if woken:
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper not in woken]
            self._busy += len(woken)
            self._changed.notify_all()

    def _put(self, moment: datetime) -> None:
        if self._coordinates is None:
            self._traveller = time_machine.travel(moment, tick=True)
            self._coordinates = self._traveller.start()
        else:
            self._coordinates.move_to(moment, tick=True)


class _Sleeper:
    """A wait until a time, or until something is done."""

    def __init__(self, wake_at: datetime, done: Callable[[], bool]) -> None:
        self.wake_at = wake_at
        self.done = done
