"""Status of watched tables, with their problems in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.registry.silences import Silence
from cutwatch.timestamps import format_timestamp
from cutwatch.wording import span_in_words
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.run_history import WEEK
from cutwatch_cli.stacks.stream_evidence import StreamEvidence, read_evidence
from cutwatch_cli.stacks.stream_status import deployment_problems, queue_problems
from cutwatch_cli.stacks.stream_statuses import OPEN_FOR_AT_MOST
from cutwatch_cli.stacks.table_evidence import TableEvidence, read_table_evidence
from cutwatch_cli.stacks.table_stacks import TableStack

_FAILED = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class TableStatus:
    """Status of a watched table. `open` counts incidents that have not ended, `incidents` those of the last week."""

    stack: TableStack
    changes: StreamEvidence
    model: TableEvidence
    open: int
    incidents: int
    silence: Silence | None
    problems: tuple[str, ...]

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
            "open_incidents": self.open,
            "incidents_last_week": self.incidents,
            "mapping_state": self.changes.mapping or None,
            "mapping_result": self.changes.result or None,
            "lost_record_messages": self.changes.lost,
            "rejected_record_messages": self.changes.rejected,
            "silenced_until": format_timestamp(self.silence.until) if self.silence else None,
            "problems": list(self.problems),
        }


def table_statuses(
    deployment: Deployment,
    stacks: Sequence[TableStack],
    silences: Mapping[str, Silence],
    now: datetime,
) -> list[TableStatus]:
    """Return the status of the tables' stacks, those with problems first."""
    recorded = IncidentStore(deployment.table).between(now - OPEN_FOR_AT_MOST, now)
    unended = Counter(each.stream for each in recorded if not each.ended)
    week_ago = (now - WEEK).timestamp()
    in_week = Counter(each.stream for each in recorded if each.incident.begin_time >= week_ago)
    changes = read_evidence(deployment.account, stacks, now)
    found = []
    for stack in stacks:
        name, seen = stack.stream, changes[stack.name]
        model = read_table_evidence(deployment.account, deployment.table, stack)
        problems = tuple(_problems(stack, seen, model))
        found.append(
            TableStatus(
                stack, seen, model, unended[name], in_week[name], silences.get(name), problems
            )
        )
    return sorted(found, key=lambda each: not each.problems)


def _problems(stack: TableStack, changes: StreamEvidence, model: TableEvidence) -> Iterator[str]:
    """Yield the problems of a table, those that stop it first."""
    yield from deployment_problems(stack, changes)
    yield from _endpoint_problems(stack, model)
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


def table_status_table(found: Sequence[TableStatus], now: datetime) -> Table:
    """Return a row for each table, red where there are problems."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Table", no_wrap=True, max_width=40)
    for heading in ("Endpoint", "Newest training"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Model's age", "Rows", "Cutoff", "Open", "Incidents/week"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Mapping", "Last result"):
        table.add_column(heading, no_wrap=True)
    for each in found:
        table.add_row(*_cells(each, now), style="red" if each.problems else None)
    return table


def _cells(each: TableStatus, now: datetime) -> list[str]:
    cutoff, training = each.model.cutoff, each.model.training
    trained = cutoff and datetime.fromisoformat(cutoff.trained_at)
    return [
        each.stack.stream,
        each.model.endpoint.status or ("–" if each.stack.endpoint else "none: forests"),
        training.status if training else "–",
        span_in_words(now - trained) if trained else "–",
        f"{cutoff.rows:,}" if cutoff else "–",
        f"{cutoff.value:.3g}" if cutoff else "–",
        str(each.open),
        str(each.incidents),
        each.changes.mapping or "–",
        each.changes.result or "–",
    ]


def table_remarks(found: Sequence[TableStatus]) -> Iterator[str]:
    """List problems and silences below the table, because they may be long."""
    for each in found:
        name = each.stack.stream
        yield from (f"{name}: {problem}" for problem in each.problems)
        if each.silence:
            yield f"{name}: silenced until {each.silence.until:%Y-%m-%d %H:%M}: {each.silence.reason}"
