"""Status of one stream, with its problems in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cutwatch.registry.silences import Silence
from cutwatch.streams.model_register import CurrentModel
from cutwatch.timestamps import format_timestamp
from cutwatch.wording import count, span_in_words
from cutwatch_cli.stacks.deployment import COMPLETE
from cutwatch_cli.stacks.stream_evidence import PROBLEM, READING, RECENTLY, StreamEvidence
from cutwatch_cli.stacks.stream_stacks import StreamStack
from cutwatch_cli.stacks.stream_states import StreamState

# The sweep delivers an outbox each minute; one that is older fails again and again.
_UNDELIVERED_AFTER = timedelta(minutes=5)
# Operators see for this long that forests started from scratch.
_NEW_CONFIGURATION = timedelta(days=1)


@dataclass(frozen=True)
class StreamStatus:
    """Status of a stream. `open` counts incidents that have not ended, `incidents` those of the last week.

    `model` is the trained model that scores a log, None for other streams, `cold_start` why keys begin without the forest of the detector
    that the stack names, empty if they do not.
    """

    stack: StreamStack
    state: StreamState
    evidence: StreamEvidence
    open: int
    incidents: int
    silence: Silence | None
    problems: tuple[str, ...]
    model: CurrentModel | None = None
    cold_start: str = ""

    def to_payload(self, now: datetime) -> dict[str, Any]:
        """Return the status as JSON values."""
        state, newest = self.state, self.state.newest
        return {
            "stream": self.stack.stream,
            "stack": self.stack.name,
            "stream_arn": self.stack.outputs["StreamArn"],
            "configuration": state.configuration or None,
            "keys": state.keys,
            "records_applied": state.applied,
            "records_late": state.late,
            "records_rejected": state.rejected,
            "records_dropped": state.dropped,
            "newest_record_arrived": format_timestamp(newest) if newest else None,
            "seconds_since_newest_record": round((now - newest).total_seconds())
            if newest
            else None,
            "open_incidents": self.open,
            "incidents_last_week": self.incidents,
            "mapping_state": self.evidence.mapping or None,
            "mapping_result": self.evidence.result or None,
            "cold_start_missing": self.cold_start or None,
            **self._model_payload(),
            "records_waiting": self.evidence.lag if self.stack.is_of_kafka else None,
            "lost_record_messages": self.evidence.lost,
            "rejected_record_messages": self.evidence.rejected,
            "silenced_until": format_timestamp(self.silence.until) if self.silence else None,
            "problems": list(self.problems),
        }

    def _model_payload(self) -> dict[str, Any]:
        current = self.model.current if self.model else None
        until = datetime.fromtimestamp(current.trained_until, UTC) if current else None
        return {
            "model_version": current.version if current else None,
            "model_trained_until": format_timestamp(until) if until else None,
            "model_held": self.model.held if self.model else None,
        }


def problems_of(
    stack: StreamStack,
    state: StreamState,
    evidence: StreamEvidence,
    now: datetime,
    cold_start: str = "",
) -> Iterator[str]:
    """Yield the problems of a stream, those that stop it first."""
    yield from deployment_problems(stack, evidence)
    if cold_start and state.configured and now - state.configured < _NEW_CONFIGURATION:
        yield cold_start_problem(stack, cold_start)
    yield from state_problems(state, now)
    yield from queue_problems(stack, evidence)


def cold_start_problem(stack: StreamStack, reason: str) -> str:
    """Return what it means that the forest is missing which keys should begin with, and where it says what to do."""
    return (
        f"keys begin with nothing, not with the forest of detector {stack.parameters['ColdStartDetector']!r}: {reason}; "
        "docs/streams.md, Try again after a missing forest, says what to do"
    )


def deployment_problems(stack: StreamStack, evidence: StreamEvidence) -> Iterator[str]:
    """Yield what is wrong with a stack, and with the reading of its records."""
    if stack.status not in COMPLETE:
        yield f"stack {stack.name} is {stack.status}, not completely deployed"
    yield from _reading_problems(stack, evidence)


def _reading_problems(stack: StreamStack, evidence: StreamEvidence) -> Iterator[str]:
    if not evidence.mapping:
        yield f"no event source mapping invokes {stack.functions[0]}: no record is read"
    elif evidence.unread:
        yield f"{evidence.unread} of {len(stack.topics)} topics have no event source mapping: their records are not read"
    if evidence.mapping and evidence.mapping not in READING:
        which, what = (
            ("an", "its topic is not") if len(stack.topics) > 1 else ("the", "no record is")
        )
        yield f"{which} event source mapping is {evidence.mapping}: {what} read"
    if evidence.result.startswith(PROBLEM):
        yield f"the event source mapping reports {evidence.result}"
    for function, failures in evidence.failures.items():
        yield (
            f"{function} failed {count(failures, 'time')} in the last {span_in_words(RECENTLY)}; "
            f"the reason: cutwatch logs {stack.stream}"
        )
    yield from _waiting_problems(stack, evidence)


def _waiting_problems(stack: StreamStack, evidence: StreamEvidence) -> Iterator[str]:
    if stack.is_of_kafka:
        if evidence.lag > stack.most_waiting:
            yield f"{count(evidence.lag, 'record')} wait in {_topic(stack)}"
    elif evidence.waited > timedelta(seconds=stack.longest_wait):
        yield f"records wait: they were up to {span_in_words(evidence.waited)} old when they were read"


def _topic(stack: StreamStack) -> str:
    return "the topic" if len(stack.topics) == 1 else f"one of {len(stack.topics)} topics"


def state_problems(state: StreamState, now: datetime) -> Iterator[str]:
    """Yield what is wrong with stored states: unreadable, undelivered, or of new forests."""
    for each in state.unreadable:
        yield f"state not readable, {each}"
    left = state.undelivered_since
    if left and now - left > _UNDELIVERED_AFTER:
        yield f"notifications or rejected records have waited for delivery for {span_in_words(now - left)}"
    since = state.configured
    if state.replaced and since and now - since < _NEW_CONFIGURATION:
        yield (
            f"configuration {state.configuration} replaced {state.replaced[0]} {span_in_words(now - since)} ago: "
            "its forests started from scratch"
        )


def queue_problems(stack: StreamStack, evidence: StreamEvidence) -> Iterator[str]:
    """Yield which records were lost or rejected."""
    if evidence.lost:
        yield f"records lost: {count(evidence.lost, 'message')} in {stack.outputs['LostRecordsQueueUrl']}"
    if evidence.rejected:
        yield (
            f"records rejected: {count(evidence.rejected, 'message')} in "
            f"{stack.outputs['RejectedRecordsQueueUrl']}"
        )


def problems_first(found: Sequence[StreamStatus]) -> list[StreamStatus]:
    """Return the streams with problems first."""
    return sorted(found, key=lambda each: not each.problems)
