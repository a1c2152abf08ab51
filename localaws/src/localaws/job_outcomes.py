"""Outcomes of work that ends later: jobs, deployments, exports. A test names them in advance."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

JobPredicate = Callable[[str], bool]


class OutcomeKind(Enum):
    """The ends of a job."""

    COMPLETE = "complete"
    FAIL = "fail"
    STOP = "stop"
    HANG = "hang"
    LOSE_OUTPUT = "write no output"
    SHORTEN_OUTPUT = "write one score too few"
    GARBLE_OUTPUT = "write something that is not a score"


@dataclass(frozen=True)
class JobOutcome:
    """An end with its reason, for the jobs that `concerns` picks by name; `times` None is for all of them."""

    concerns: JobPredicate
    kind: OutcomeKind
    reason: str = ""
    times: int | None = None


COMPLETES = JobOutcome(lambda _: True, OutcomeKind.COMPLETE)


@dataclass
class JobOutcomes:
    """Outcomes of work by its name; everything else completes."""

    _outcomes: list[JobOutcome] = field(default_factory=list, kw_only=True)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, kw_only=True)

    def fail(
        self,
        concerns: JobPredicate,
        reason: str = "AlgorithmError: It failed",
        *,
        times: int | None = None,
    ) -> None:
        self._add(concerns, OutcomeKind.FAIL, reason, times)

    def stop(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, OutcomeKind.STOP, "", times)

    def hang(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        """Never get the instances that the job waits for."""
        self._add(concerns, OutcomeKind.HANG, "", times)

    def lose_output(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, OutcomeKind.LOSE_OUTPUT, "", times)

    def shorten_output(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, OutcomeKind.SHORTEN_OUTPUT, "", times)

    def garble_output(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, OutcomeKind.GARBLE_OUTPUT, "", times)

    def forget(self) -> None:
        """Let every later job complete."""
        with self._lock:
            self._outcomes.clear()

    def outcome_of(self, job: str) -> JobOutcome:
        """Return the outcome of a new job, which counts against an outcome with `times`."""
        with self._lock:
            for index, outcome in enumerate(self._outcomes):
                if outcome.times != 0 and outcome.concerns(job):
                    if outcome.times is not None:
                        self._outcomes[index] = JobOutcome(
                            outcome.concerns, outcome.kind, outcome.reason, outcome.times - 1
                        )
                    return outcome
        return COMPLETES

    def _add(
        self, concerns: JobPredicate, kind: OutcomeKind, reason: str, times: int | None
    ) -> None:
        with self._lock:
            self._outcomes.append(JobOutcome(concerns, kind, reason, times))
