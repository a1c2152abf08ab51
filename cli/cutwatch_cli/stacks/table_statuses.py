"""The status of every watched table of a deployed stack."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from botocore.exceptions import ClientError

from cutwatch.errors import CutwatchError
from cutwatch.registry.silences import Silence
from cutwatch.tables.forest_state import forest_root
from cutwatch_cli.stacks.account import explanation
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.stream_evidence import StreamEvidence, read_evidence
from cutwatch_cli.stacks.stream_states import StreamState, read_state
from cutwatch_cli.stacks.stream_statuses import incident_counts
from cutwatch_cli.stacks.table_evidence import (
    NO_EVIDENCE,
    TableEvidence,
    read_table_evidence,
)
from cutwatch_cli.stacks.table_stacks import TableStack
from cutwatch_cli.stacks.table_status import TableStatus, problems_of


def table_statuses(
    deployment: Deployment,
    stacks: Sequence[TableStack],
    silences: Mapping[str, Silence],
    now: datetime,
) -> list[TableStatus]:
    """Return the status of the tables' stacks, those with problems first; one that cannot be read has that problem."""
    unended, in_week = incident_counts(deployment.table, now)
    found = []
    for stack in stacks:
        name = stack.stream
        changes, model, forests, problems = _read(deployment, stack, now)
        counts = (unended[name], in_week[name])
        silence = silences.get(name)
        found.append(TableStatus(stack, changes, model, *counts, silence, problems, forests))
    return sorted(found, key=lambda each: not each.problems)


def _read(
    deployment: Deployment, stack: TableStack, now: datetime
) -> tuple[StreamEvidence, TableEvidence, StreamState | None, tuple[str, ...]]:
    account, forests = deployment.account, None
    try:
        changes = read_evidence(account, [stack], now)[stack.name]
        model = read_table_evidence(account, deployment.table, stack)
        if not stack.endpoint:
            forests = read_state(deployment.bucket, forest_root(stack.stream))
    except CutwatchError as error:
        return StreamEvidence(), NO_EVIDENCE, None, (f"status not readable: {error}",)
    except ClientError as error:
        reason = explanation(error, account.region)
        return StreamEvidence(), NO_EVIDENCE, None, (f"status not readable: {reason}",)
    return changes, model, forests, tuple(problems_of(stack, changes, model, forests, now))
