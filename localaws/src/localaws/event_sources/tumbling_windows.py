"""The queue of a lane with tumbling windows: batches within one window of arrival times, and the window's state."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any

from localaws.event_sources.batch_queue import BatchQueue
from localaws.event_sources.batches import (
    Batch,
    Discard,
    Outcome,
    Result,
    Settings,
    SourceRecord,
    WindowTurn,
)
from localaws.limits import LAMBDA_WINDOW_STATE_MAX_BYTES


class TumblingQueue(BatchQueue):
    """A queue that ends each window with an invocation without records, and lets no two windows share a batch."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._seconds = settings.tumbling_seconds
        self._open: WindowTurn | None = None

    @property
    def is_empty(self) -> bool:
        return super().is_empty and self._open is None

    def due(self, now: float) -> float | None:
        if self._open is None or self._retries or self._is_out:
            return super().due(now)
        if self._open.early or self._has_passed_into_next():
            return max(now, self._not_before)
        ends = max(self._open.end, self._not_before)
        following = super().due(now)
        return ends if following is None else min(ends, following)

    def take(self, now: float) -> Batch | None:
        due = self.due(now)
        if due is None or due > now:
            return None
        if not self._retries and self._open is not None and self._ends_now(self._open, now):
            self._is_out = True
            return Batch((), window=replace(self._open, final=True))
        batch = super().take(now)
        if batch is None or (batch.window is not None and batch.window.final):
            return batch
        self._open = self._open or self._window_of(batch.records[0])
        return replace(batch, window=self._open)

    def settle(self, batch: Batch, outcome: Outcome, now: float) -> list[Discard]:
        discards = super().settle(batch, outcome, now)
        ended = outcome.result is Result.DONE or bool(discards)
        if batch.window is not None and ended:
            self._open = _after(batch.window, outcome.state)
        return discards

    def _ends_now(self, window: WindowTurn, now: float) -> bool:
        return (
            window.early
            or self._has_passed_into_next()
            or (not self._pending and now >= window.end)
        )

    def _has_passed_into_next(self) -> bool:
        """Return whether the next record is of a later window than the open one."""
        if self._open is None or not self._pending:
            return False
        return self._window_of(self._pending[0]).start > self._open.start

    def _fitting(self) -> tuple[SourceRecord, ...]:
        fitting = super()._fitting()
        window = self._window_of(fitting[0])
        return tuple(takewhile(lambda record: record.arrived < window.end, fitting))

    def _window_of(self, record: SourceRecord) -> WindowTurn:
        start = record.arrived // self._seconds * self._seconds
        return WindowTurn(start, start + self._seconds, {})


def _after(window: WindowTurn, state: Mapping[str, Any] | None) -> WindowTurn | None:
    if window.final:
        return None
    state = window.state if state is None else state
    size = len(json.dumps(state).encode())
    return replace(window, state=state, early=size > LAMBDA_WINDOW_STATE_MAX_BYTES)
