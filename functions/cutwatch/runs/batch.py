"""Batches: the detectors that one child execution works on, each of them on its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from annotated_types import Len

from cutwatch.errors import TRANSIENT, TRANSIENT_RETRIES, InvalidInput
from cutwatch.observability import count, logger
from cutwatch.payloads import read
from cutwatch.registry.outcome import Outcome, failure
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class _Named:
    name: Annotated[str, Len(1)] | None


def name_of(event: Mapping[str, Any], field: str) -> str | None:
    """The name of a job or model that a batch's event may carry; None of forests inside Lambda. Raises `InvalidInput`."""
    return read(_Named, event[field], field).name


def is_last_try(event: Mapping[str, Any]) -> bool:
    """Whether the state machine will not try again, by its `retries` of this state so far.

    Executions that began before an update of the stack do not say; to them every try may be followed by another.
    """
    retries = event.get("retries", 0)
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise InvalidInput(f"retries is {retries!r}; expected a number of retries, 0 at first")
    return retries >= TRANSIENT_RETRIES


@dataclass(frozen=True)
class Batch:
    """Works on one detector after the other; a failure of one is its own outcome and stops no other."""

    registry: Registry
    run: Run
    last_try: bool = False

    def each(
        self,
        items: Iterable[Item],
        name_of: Callable[[Item], str],
        work: Callable[[Item], Result | Outcome],
    ) -> list[Result]:
        """What `work` made of each item, in order; where it is an outcome, it is recorded and left out.

        A transient error is raised when all other items are done, so that the state machine tries again; what was
        done before is then found done. On the last try it is the detector's failure like any other error.
        """
        results: list[Result] = []
        transient: Exception | None = None
        for item in items:
            try:
                result = self._result(item, name_of(item), work)
                if isinstance(result, Outcome):
                    self.record(result)
                else:
                    results.append(result)
            except TRANSIENT as error:
                transient = transient or error
                # Only an outcome that cannot be recorded comes here on the last try; Summarize Run misses it.
                logger.warning("transient", detector=name_of(item), reason=str(error))
        if transient and not self.last_try:
            raise transient
        return results

    def _result(
        self, item: Item, name: str, work: Callable[[Item], Result | Outcome]
    ) -> Result | Outcome:
        try:
            return work(item)
        except Exception as error:
            if isinstance(error, TRANSIENT) and not self.last_try:
                raise
            failed = failure(name, type(error).__name__, str(error))
            logger.exception("failed", detector=name, reason=failed.message)
            return failed

    def record(self, outcome: Outcome) -> None:
        """Record how a detector's part of the run ended."""
        recorded = self.registry.outcomes.record(self.run.id, self.run.opened_at, outcome)
        count("DetectorsFailed", int(recorded and outcome.status == "FAILED"))
