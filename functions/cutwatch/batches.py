"""Batches: the detectors that one child execution works on, each of them on its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cutwatch.errors import TRANSIENT
from cutwatch.observability import count, logger
from cutwatch.outcomes import Outcome, failure
from cutwatch.registry import Registry
from cutwatch.runs import Run

Item = TypeVar("Item")
Result = TypeVar("Result")


def detector_of(dataset: Mapping[str, Any]) -> str:
    """Whose dataset it is."""
    return str(dataset["detector"])


@dataclass(frozen=True)
class Batch:
    """Works on one detector after the other; a failure of one is its own outcome and stops no other."""

    registry: Registry
    run: Run

    def each(
        self,
        items: Iterable[Item],
        name_of: Callable[[Item], str],
        work: Callable[[Item], Result | Outcome],
    ) -> list[Result]:
        """What `work` made of each item, in order; where it is an outcome, it is recorded and left out.

        A transient error is raised when all other items are done, so that the state machine tries again; what was
        done before is then found done.
        """
        results: list[Result] = []
        transient: Exception | None = None
        for item in items:
            name = name_of(item)
            try:
                result = work(item)
            except TRANSIENT as error:
                transient = transient or error
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this detector's alone
                logger.exception("failed", detector=name)
                result = failure(name, type(error).__name__, str(error))
            if isinstance(result, Outcome):
                self.record(result)
            else:
                results.append(result)
        if transient:
            raise transient
        return results

    def record(self, outcome: Outcome) -> None:
        """Record how a detector's part of the run ended."""
        count("DetectorsFailed", int(outcome.status == "FAILED"))
        self.registry.record_outcome(self.run.id, self.run.moment, outcome)
