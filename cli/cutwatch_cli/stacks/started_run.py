"""A manually started run, followed until it ends."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutwatch.registry.outcome import SUCCESSES, failure_of
from cutwatch.registry.run import Kind, run_id
from cutwatch.timestamps import format_timestamp
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.run_history import listed_names, on_demand_training

_DONE = (*SUCCESSES, "UP_TO_DATE")
# A small run ends within seconds, a training at SageMaker within an hour.
_FIRST_PAUSE, _LONGEST_PAUSE, _PAUSE_GROWTH = 0.25, 5.0, 1.3


@dataclass(frozen=True)
class StartedRun:
    """An execution, and the run that List Detectors opens for it."""

    kind: Kind
    run: str
    execution: str


@dataclass(frozen=True)
class Progress:
    """Number of a run's detectors that have an outcome."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Verdict:
    """Result of an execution; `summary` is Summarize Run's output, if the execution reached it."""

    status: str
    reason: str
    summary: dict[str, Any]

    @property
    def succeeded(self) -> bool:
        """True if no detector failed."""
        return self.status == "SUCCEEDED" and not self.summary.get("failures")

    @property
    def idle(self) -> bool:
        """True if the run ended without training or publishing anything, or finding it done already."""
        statuses = self.summary.get("statuses", {})
        return bool(self.summary) and not any(statuses.get(status) for status in _DONE)

    def lines(self) -> Iterator[str]:
        """Describe the result, one line per failure."""
        yield f"{self.status}{': ' if self.reason else ''}{self.reason}{self._counts()}"
        for failure in self.summary.get("failures", []):
            yield f"  {failure['detector']}: {failure['reason']}"

    def _counts(self) -> str:
        if not self.summary:
            return ""
        statuses = self.summary.get("statuses", {})
        counts = ", ".join(f"{count} {status}" for status, count in statuses.items())
        events = self.summary.get("new_events", 0)
        return f": {counts or 'no detectors'}; {events} new event{'s' * (events != 1)}"


def start(
    deployment: Deployment, kind: Kind, detectors: Sequence[str], at: datetime | None = None
) -> StartedRun:
    """Start the state machine as its schedule would, for some or all detectors, for now or a past time."""
    asked = {"detectors": list(detectors)} if detectors else {}
    started = deployment.account.client("stepfunctions").start_execution(
        stateMachineArn=deployment.state_machine(kind),
        input=json.dumps(asked | ({"time": format_timestamp(at)} if at else {})),
    )
    scheduled: datetime = at or started["startDate"]
    return StartedRun(kind, _run(kind, scheduled), started["executionArn"])


def _run(kind: Kind, scheduled: datetime) -> str:
    """Return the run's id; without a scheduled time, an execution uses the second it started in."""
    return run_id(kind, datetime.fromisoformat(format_timestamp(scheduled)))


def wait(deployment: Deployment, started: StartedRun, show: Callable[[Progress], None]) -> Verdict:
    """Poll the execution until it ends, at growing intervals."""
    stepfunctions = deployment.account.client("stepfunctions")
    pause = _FIRST_PAUSE
    while True:
        described = stepfunctions.describe_execution(executionArn=started.execution)
        for progress in _progress(deployment, started):
            show(progress)
        if described["status"] != "RUNNING":
            return verdict(described)
        time.sleep(pause)
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)


def verdict(described: dict[str, Any]) -> Verdict:
    """Return the result that Step Functions describes for an ended execution."""
    caught = {"Error": described.get("error"), "Cause": described.get("cause") or ""}
    reason = " ".join(failure_of("", caught).message.split()) if caught["Error"] else ""
    return Verdict(described["status"], reason, json.loads(described.get("output") or "{}"))


def _progress(deployment: Deployment, started: StartedRun) -> Iterator[Progress]:
    """Yield the progress of the training on demand, if any, and of the run."""
    training = (on_demand_training(started.run), "training on demand")
    parts = [training] if started.kind == "transform" else []
    for run, stage in [*parts, (started.run, started.kind)]:
        names = listed_names(deployment.bucket, run)
        if names is not None:
            done = {outcome.detector for outcome in deployment.registry.outcomes.of_run(run)}
            yield Progress(stage, len(done & set(names)), len(names))
