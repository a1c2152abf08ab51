"""Batches: the detectors of one child execution, each processed independently."""

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
    """Return the name of the job or model in a batch's event; None for forests inside Lambda. Raises `InvalidInput`."""
    return read(_Named, event[field], field).name


def is_last_try(event: Mapping[str, Any]) -> bool:
    """Return whether the state machine will not retry this state, from its number of `retries` so far.

    Executions that began before an update of the stack do not pass the number; for them every try may be followed by
    another.
    """
    retries = event.get("retries", 0)
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise InvalidInput(f"retries is {retries!r}; expected a number of retries, 0 at first")
    return retries >= TRANSIENT_RETRIES


@dataclass(frozen=True)
class Batch:
    """Processes detectors one after the other. A failure becomes the outcome of its detector; the others continue."""

    registry: Registry
    run: Run
    last_try: bool = False

    def each(
        self,
        items: Iterable[Item],
        name_of: Callable[[Item], str],
        work: Callable[[Item], Result | Outcome],
    ) -> list[Result]:
        """Return the results of `work` for each item, in order; record outcomes instead of returning them.

        Raise a transient error after all other items are done, so that the state machine retries; the retry finds
        the other items done. On the last try a transient error fails its detector like any other error.
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
        """Record the outcome of a detector."""
        recorded = self.registry.outcomes.record(self.run.id, self.run.opened_at, outcome)
        count("DetectorsFailed", int(recorded and outcome.status == "FAILED"))
