"""The status of every stream of a deployed stack."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.registry.silences import Silence
from cutwatch.streams.state_store import stream_root
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.endpoint_evidence import log_endpoint_problems
from cutwatch_cli.stacks.run_history import WEEK
from cutwatch_cli.stacks.stream_cold_start import missing_cold_start
from cutwatch_cli.stacks.stream_evidence import read_evidence
from cutwatch_cli.stacks.stream_models import read_model
from cutwatch_cli.stacks.stream_stacks import StreamStack
from cutwatch_cli.stacks.stream_states import read_state
from cutwatch_cli.stacks.stream_status import StreamStatus, problems_first, problems_of

# Incidents that began earlier are not counted as open.
_OPEN_FOR_AT_MOST = timedelta(days=30)


def incident_counts(table: Table, now: datetime) -> tuple[Counter[str], Counter[str]]:
    """Return the open incidents, and those that began within a week, of each stream and watched table."""
    recorded = IncidentStore(table).between(now - _OPEN_FOR_AT_MOST, now)
    week_ago = (now - WEEK).timestamp()
    return (
        Counter(each.stream for each in recorded if not each.ended),
        Counter(each.stream for each in recorded if each.incident.begin_time >= week_ago),
    )


def stream_statuses(
    deployment: Deployment,
    stacks: Sequence[StreamStack],
    silences: Mapping[str, Silence],
    now: datetime,
) -> list[StreamStatus]:
    """Return the status of the stream stacks, those with problems first."""
    unended, in_week = incident_counts(deployment.table, now)
    evidence = read_evidence(deployment.account, stacks, now)
    found = []
    for stack in stacks:
        state = read_state(deployment.bucket, stream_root(stack.stream))
        seen = evidence[stack.name]
        endpoint = log_endpoint_problems(deployment.account, stack)
        cold_start = missing_cold_start(deployment.bucket, stack, state)
        problems = (*endpoint, *problems_of(stack, state, seen, now, cold_start))
        name = stack.stream
        model = read_model(deployment.bucket, name) if stack.is_of_kafka else None
        found.append(
            StreamStatus(
                stack,
                state,
                seen,
                unended[name],
                in_week[name],
                silences.get(name),
                problems,
                model,
                cold_start,
            )
        )
    return problems_first(found)
