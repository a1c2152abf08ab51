"""The newest execution of each state machine, if it failed: a run that cannot begin records nothing in the registry."""

from collections.abc import Iterable, Iterator
from typing import get_args

from cutwatch.registry.run import Kind
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.started_run import verdict

_LOOKED_AT = 10
# Lambda's error for a package that is missing or compiled for another processor; the processor is compared only here.
_CANNOT_IMPORT = "Runtime.ImportModuleError"
# Each detector's own problem says why.
_ALL_DETECTORS_FAILED = "AllDetectorsFailed"


def newest_failures(deployment: Deployment) -> Iterator[str]:
    """Describe the newest ended execution of each state machine that failed, one line each."""
    stepfunctions = deployment.account.client("stepfunctions")
    for kind in get_args(Kind):
        found = stepfunctions.list_executions(
            stateMachineArn=deployment.state_machine(kind), maxResults=_LOOKED_AT
        )
        ended = [each for each in found["executions"] if each["status"] != "RUNNING"]
        if ended and ended[0]["status"] != "SUCCEEDED":
            described = stepfunctions.describe_execution(executionArn=ended[0]["executionArn"])
            if described.get("error") != _ALL_DETECTORS_FAILED:
                result = verdict(described)
                started = f"{described['startDate']:%Y-%m-%d %H:%M}"
                yield f"{kind} started {started} {result.status}: {result.reason or 'no reason given'}"


def build_remark(messages: Iterable[str], architecture: str) -> str | None:
    """Return the remedy if any message says that Lambda could not import the functions' packages."""
    if not any(_CANNOT_IMPORT in message for message in messages):
        return None
    return (
        "Lambda cannot import the functions' packages: they were deployed without sam build, or built for another "
        f"processor than the functions' ({architecture}). Run sam build --parameter-overrides "
        f"Architecture={architecture}, then sam deploy."
    )
