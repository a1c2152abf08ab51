"""Evidence of how a watched table's model works: its endpoint, its cutoff, and its newest training."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.endpoints.cutoff_store import CutoffStore, VariantCutoff
from cutwatch_cli.stacks.account import Account
from cutwatch_cli.stacks.endpoint_evidence import EndpointEvidence, read_endpoint
from cutwatch_cli.stacks.table_stacks import TableStack


@dataclass(frozen=True)
class TrainingEvidence:
    """The newest execution of the state machine; `reason` is its error with the cause."""

    status: str
    started: datetime
    reason: str = ""


@dataclass(frozen=True)
class TableEvidence:
    """Endpoint, the cutoff of the model in service, and the newest training, None without one."""

    endpoint: EndpointEvidence
    cutoff: VariantCutoff | None
    training: TrainingEvidence | None


NO_EVIDENCE = TableEvidence(EndpointEvidence(), None, None)


def read_table_evidence(account: Account, registry: Table, stack: TableStack) -> TableEvidence:
    """Read the evidence of a table's stack; that of a model is empty if forests score the changes."""
    if not stack.endpoint:
        return NO_EVIDENCE
    endpoint = read_endpoint(account, stack.endpoint)
    cutoff = CutoffStore(registry, stack.stream).get(endpoint.serves) if endpoint.serves else None
    return TableEvidence(endpoint, cutoff, _training(account, stack.state_machine))


def _training(account: Account, machine: str) -> TrainingEvidence | None:
    states = account.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=machine, maxResults=1)["executions"]
    if not listed:
        return None
    found: dict[str, Any] = states.describe_execution(executionArn=listed[0]["executionArn"])
    told = (found.get("error", ""), found.get("cause", ""))
    reason = ": ".join(part for part in told if part)
    return TrainingEvidence(found["status"], found["startDate"], reason)
