"""The time that the whole local AWS, and the process it lives in, goes by.

Waiting costs no real time: when everything that could still act is waiting, the clock skips to the first moment
at which something wakes up. Deadlines, polling loops and job durations therefore behave as on AWS, at once.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine


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
        """Return the process to real time and wake everybody."""
        with self._changed:
            self._wake(everybody=True)
            if self._traveller is not None:
                self._traveller.stop()
            self._traveller = self._coordinates = None

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Work of this thread during which no wait may be skipped: it could change what comes next."""
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
        """Busy work of this thread for which somebody else holds the clock."""
        self._thread.is_busy = True
        try:
            yield
        finally:
            self._thread.is_busy = False

    @contextmanager
    def idle(self) -> Iterator[None]:
        """A stretch of busy work that only waits for the work of others."""
        self.release()
        try:
            yield
        finally:
            self.hold()

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
        sleeper = _Sleeper(self.now() + timedelta(seconds=seconds))
        if self.wait_scale > 0:
            with self.idle():
                time.sleep(seconds * self.wait_scale)
        if self.wait_scale < 1:
            self._sleep_until_woken(sleeper)

    def _sleep_until_woken(self, sleeper: "_Sleeper") -> None:
        with self._changed:
            self._sleepers.append(sleeper)
            self._busy -= 1
            self._wake()
            self._skip_if_all_wait()
            while sleeper in self._sleepers:
                self._changed.wait((sleeper.wake_at - self.now()).total_seconds())
                self._wake()

    def _skip_if_all_wait(self) -> None:
        if self._busy == 0 and self._sleepers:
            first = min(sleeper.wake_at for sleeper in self._sleepers)
            if self.now() < first:
                self._put(first)
            self._wake()

    def _wake(self, *, everybody: bool = False) -> None:
        """Make busy again whoever has slept long enough, before anybody can skip further."""
        now = self.now()
        due = [sleeper for sleeper in self._sleepers if everybody or sleeper.wake_at <= now]
        if due:
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper not in due]
            self._busy += len(due)
            self._changed.notify_all()

    def _put(self, moment: datetime) -> None:
        if self._coordinates is None:
            self._traveller = time_machine.travel(moment, tick=True)
            self._coordinates = self._traveller.start()
        else:
            self._coordinates.move_to(moment, tick=True)


class _Sleeper:
    def __init__(self, wake_at: datetime) -> None:
        self.wake_at = wake_at
