"""Destinies of work that ends later: jobs, deployments, exports. A test names them in advance."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

JobPredicate = Callable[[str], bool]


class Fate(Enum):
    """The fates of a job."""

    COMPLETE = "complete"
    FAIL = "fail"
    STOP = "stop"
    HANG = "hang"
    LOSE_OUTPUT = "write no output"
    SHORTEN_OUTPUT = "write one score too few"
    GARBLE_OUTPUT = "write something that is not a score"


@dataclass(frozen=True)
class Destiny:
    """A fate with its reason, for the jobs that `concerns` picks by name; `times` None is for all of them."""

    concerns: JobPredicate
    fate: Fate
    reason: str = ""
    times: int | None = None


COMPLETES = Destiny(lambda _: True, Fate.COMPLETE)


@dataclass
class Destinies:
    """Fates of work by its name; everything else completes."""

    _destinies: list[Destiny] = field(default_factory=list, kw_only=True)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, kw_only=True)

    def fail(
        self,
        concerns: JobPredicate,
        reason: str = "AlgorithmError: It failed",
        *,
        times: int | None = None,
    ) -> None:
        self._add(concerns, Fate.FAIL, reason, times)

    def stop(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, Fate.STOP, "", times)

    def hang(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        """Never get the instances that the job waits for."""
        self._add(concerns, Fate.HANG, "", times)

    def lose_output(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, Fate.LOSE_OUTPUT, "", times)

    def shorten_output(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, Fate.SHORTEN_OUTPUT, "", times)

    def garble_output(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, Fate.GARBLE_OUTPUT, "", times)

    def forget(self) -> None:
        """Let every later job complete."""
        with self._lock:
            self._destinies.clear()

    def destiny_of(self, job: str) -> Destiny:
        """Return the destiny of a new job, which counts against a destiny with `times`."""
        with self._lock:
            for index, destiny in enumerate(self._destinies):
                if destiny.times != 0 and destiny.concerns(job):
                    if destiny.times is not None:
                        self._destinies[index] = Destiny(
                            destiny.concerns, destiny.fate, destiny.reason, destiny.times - 1
                        )
                    return destiny
        return COMPLETES

    def _add(self, concerns: JobPredicate, fate: Fate, reason: str, times: int | None) -> None:
        with self._lock:
            self._destinies.append(Destiny(concerns, fate, reason, times))
