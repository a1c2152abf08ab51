"""Status of one watched table, with its problems in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutwatch.registry.silences import Silence
from cutwatch.timestamps import format_timestamp
from cutwatch_cli.stacks.stream_evidence import StreamEvidence
from cutwatch_cli.stacks.stream_states import StreamState
from cutwatch_cli.stacks.stream_status import deployment_problems, queue_problems, state_problems
from cutwatch_cli.stacks.table_evidence import TableEvidence
from cutwatch_cli.stacks.table_stacks import TableStack

_FAILED = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class TableStatus:
    """Status of a watched table. `open` counts incidents that have not ended, `incidents` those of the last week.

    `forests` is the stored state of forests that learn, None for a table with an endpoint.
    """

    stack: TableStack
    changes: StreamEvidence
    model: TableEvidence
    open: int
    incidents: int
    silence: Silence | None
    problems: tuple[str, ...]
    forests: StreamState | None = None

    def to_payload(self, now: datetime) -> dict[str, Any]:
        """Return the status as JSON values."""
        endpoint, cutoff, training = self.model.endpoint, self.model.cutoff, self.model.training
        trained = cutoff and datetime.fromisoformat(cutoff.trained_at)
        return {
            "table": self.stack.stream,
            "stack": self.stack.name,
            "table_arn": self.stack.source,
            "endpoint": self.stack.endpoint or None,
            "endpoint_status": endpoint.status or None,
            "model": endpoint.serves or None,
            "pending_model": endpoint.pending or None,
            "cutoff": cutoff.value if cutoff else None,
            "trained_rows": cutoff.rows if cutoff else None,
            "seconds_since_training": round((now - trained).total_seconds()) if trained else None,
            "newest_execution": training.status if training else None,
            "newest_execution_started": format_timestamp(training.started) if training else None,
            "forests": forests_payload(self.forests, now) if self.forests else None,
            "open_incidents": self.open,
            "incidents_last_week": self.incidents,
            "mapping_state": self.changes.mapping or None,
            "mapping_result": self.changes.result or None,
            "lost_record_messages": self.changes.lost,
            "rejected_record_messages": self.changes.rejected,
            "silenced_until": format_timestamp(self.silence.until) if self.silence else None,
            "problems": list(self.problems),
        }


def forests_payload(state: StreamState, now: datetime) -> dict[str, Any]:
    """Return the state of a table's forests as JSON values."""
    newest = state.newest
    return {
        "configuration": state.configuration or None,
        "keys": state.keys,
        "changes_applied": state.applied,
        "changes_late": state.late,
        "changes_rejected": state.rejected,
        "changes_dropped": state.dropped,
        "newest_change": format_timestamp(newest) if newest else None,
        "seconds_since_newest_change": round((now - newest).total_seconds()) if newest else None,
    }


def problems_of(
    stack: TableStack,
    changes: StreamEvidence,
    model: TableEvidence,
    forests: StreamState | None,
    now: datetime,
) -> Iterator[str]:
    """Yield the problems of a table, those that stop it first."""
    yield from deployment_problems(stack, changes)
    yield from _endpoint_problems(stack, model)
    if forests:
        yield from state_problems(forests, now)
    training = model.training
    if training and training.status in _FAILED:
        yield f"the newest training ended {training.status}: {training.reason or 'no reason given'}"
    yield from queue_problems(stack, changes)


def _endpoint_problems(stack: TableStack, model: TableEvidence) -> Iterator[str]:
    endpoint = model.endpoint
    if not stack.endpoint:
        return
    if not endpoint.status:
        yield (
            f"endpoint {stack.endpoint} does not exist, so changes wait in the stream; train the first model by "
            f"starting {stack.state_machine} with the input {{}}"
        )
    elif not endpoint.serves:
        yield f"endpoint {stack.endpoint} is {endpoint.status}, so changes wait in the stream: {endpoint.reason or 'no reason given'}"
    elif model.cutoff is None:
        yield (
            f"model {endpoint.serves} serves without a cutoff, so its scores say nothing; train a model by starting "
            f"{stack.state_machine} with the input {{}}"
        )
