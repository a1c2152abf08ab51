"""Invocations of a mapping's function: the event, the answer, and, on demand, two environments at once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

from localaws.clock import Clock
from localaws.clocked_pool import ClockedPool
from localaws.embedded_ministack import account_scope, service
from localaws.event_sources.batches import Batch, Outcome, Result, Settings
from localaws.event_sources.responses import outcome_of
from localaws.lambda_runtime.executor import FunctionExecutor

_SECONDS_TO_MEET = 10.0
# More than Lambda lets a function run.
_LONGEST_SECONDS = 3600.0
_DATE = "%Y-%m-%dT%H:%M:%SZ"


class Invocations:
    def __init__(self, region: str, clock: Clock, executor: FunctionExecutor) -> None:
        self.region = region
        self._clock = clock
        self._executor = executor

    def invoke(
        self, function: str, event: Mapping[str, Any], batch: Batch, settings: Settings
    ) -> Outcome:
        """Invoke the function, by its name with or without a qualifier."""
        answer = self.answer(function, event)
        if answer is None or answer.get("throttle"):
            return Outcome(Result.NOT_INVOKED)
        if answer.get("error"):
            return Outcome(Result.FAILED)
        return outcome_of(answer.get("body"), batch, settings)

    def answer(self, function: str, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return MiniStack's answer of an invocation: `throttle`, `error`, `body`; None if there is no such function."""
        with account_scope(self.region):
            functions = service("lambda_svc")
            name, _, qualifier = function.partition(":")
            record, _ = functions._get_func_record_for_qualifier(name, qualifier or None)
            if record is None:
                return None
            answer: Mapping[str, Any] = functions._execute_function(record, event)
            return answer

    def invoke_twice(
        self, function: str, event: Mapping[str, Any], batch: Batch, settings: Settings
    ) -> Outcome:
        """Let two environments work on the same batch at once; the outcome is the first one's."""
        barrier = Barrier(2, timeout=_SECONDS_TO_MEET)

        def invoke() -> Outcome:
            with self._executor.meeting(barrier):
                return self.invoke(function, event, batch, settings)

        return self.at_once(2, [invoke, invoke])[0]

    def at_once(self, most: int, invocations: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
        """Make invocations together, `most` at once; time may pass for them meanwhile."""
        with ExitStack() as ending, ClockedPool(self._clock, most) as pool:
            try:
                made = [pool.submit(invoke) for invoke in invocations]
                self._clock.wait_until(lambda: all(each.done() for each in made), _LONGEST_SECONDS)
            except BaseException:
                # The pool waits for its threads, and they for functions that may run for a quarter of an hour.
                ending.enter_context(self._executor.closed())
                raise
            return [each.result() for each in made]


def event_of(lane: str, source: str, batch: Batch) -> dict[str, Any]:
    """Return the event that a function gets."""
    event: dict[str, Any] = {"Records": [record.event for record in batch.records]}
    if batch.window is None:
        return event
    return event | {
        "window": {"start": _written(batch.window.start), "end": _written(batch.window.end)},
        "state": dict(batch.window.state),
        "shardId": lane,
        "eventSourceARN": source,
        "isFinalInvokeForWindow": batch.window.final,
        "isWindowTerminatedEarly": batch.window.final and batch.window.early,
    }


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(_DATE)
