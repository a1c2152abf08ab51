"""Structured log lines of one run."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from cutwatch.errors import InvalidInput
from cutwatch.registry.outcome import SUCCESSES
from cutwatch.registry.run import Kind, RunRequest, run_id
from cutwatch.timestamps import format_timestamp
from cutwatch_cli.stacks.account import Account, error_code
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.refusal import Refused
from cutwatch_cli.stacks.run_history import on_demand_training, parse_run

_EARLY = timedelta(minutes=10)
_RESULT_LENGTH = 200
_KINDS: tuple[Kind, ...] = ("training", "transform")


@dataclass(frozen=True)
class LoggedRun:
    """Filter for the lines of a run, and of the execution before it opened the run."""

    run: str
    since: datetime
    execution: str | None = None
    ending: Mapping[str, Any] | None = None

    @property
    def runs(self) -> tuple[str, ...]:
        """The run, and the training on demand that it starts if it is a transform."""
        if not self.run.startswith("transform-"):
            return (self.run,)
        return (on_demand_training(self.run), self.run)

    @property
    def pattern(self) -> str:
        """The filter pattern for CloudWatch Logs."""
        fields = ("$.run", "$.result.run.id")
        wanted = [f'({field} = "{run}")' for run in self.runs for field in fields]
        if self.execution:
            wanted.append(f'($.execution = "{self.execution}")')
        return f"{{ {' || '.join(wanted)} }}"

    def includes(self, line: Mapping[str, Any]) -> bool:
        """Return True if the pattern matches the line; a log may return more lines than requested."""
        result = line.get("result")
        opened = result.get("run") if isinstance(result, dict) else None
        return (
            line.get("run") in self.runs
            or (isinstance(opened, dict) and opened.get("id") in self.runs)
            or (self.execution is not None and line.get("execution") == self.execution)
        )


@dataclass(frozen=True)
class LogLine:
    """One structured log line."""

    at: datetime
    fields: Mapping[str, Any]

    def text(self, stack: str) -> str:
        """Format time, level, function, detector and message."""
        fields = self.fields
        own_name = str(fields.get("function_name", "")).removeprefix(f"{stack}-")
        function = own_name.rpartition("-")[0] or own_name
        detector = f" [{fields['detector']}]" if fields.get("detector") else ""
        level = str(fields.get("level", ""))
        return f"{self.at:%Y-%m-%d %H:%M:%S} {level:<7} {function:<22}{detector} {self._said()}"

    def _said(self) -> str:
        fields = self.fields
        said = str(fields.get("message", ""))
        if fields.get("exception"):
            return f"{said}: {str(fields['exception']).strip().splitlines()[-1]}"
        if "result" not in fields:
            return said
        result = json.dumps(fields["result"], ensure_ascii=False)
        return f"{said} {result[:_RESULT_LENGTH]}{'…' * (len(result) > _RESULT_LENGTH)}"


def find_run(deployment: Deployment, text: str) -> LoggedRun:
    """Find a run by its id, or by an execution's ARN or name. Raises `Refused`."""
    if run := parse_run(text):
        return LoggedRun(run.id, run.scheduled - _EARLY)
    for kind in _KINDS:
        machine = deployment.state_machine(kind)
        prefix = machine.replace(":stateMachine:", ":execution:") + ":"
        if text.startswith("arn:") and not text.startswith(prefix):
            continue
        described = _execution(deployment, prefix + text.removeprefix(prefix))
        if described:
            return _run_of(kind, described)
    raise Refused(
        f"{text!r} is neither a run such as transform-20261102T040000Z nor an execution of stack "
        f"{deployment.stack!r}"
    )


def _execution(deployment: Deployment, arn: str) -> Any:
    try:
        return deployment.account.client("stepfunctions").describe_execution(executionArn=arn)
    except ClientError as error:
        if error_code(error) in ("ExecutionDoesNotExist", "InvalidArn"):
            return None
        raise


def _run_of(kind: Kind, described: Mapping[str, Any]) -> LoggedRun:
    """Return the run that List Detectors opens for an execution with this input."""
    started, arn = described["startDate"], described["executionArn"]
    try:
        event = json.loads(described["input"])
        request = RunRequest.from_event(kind, event, format_timestamp(started))
        run = run_id(kind, request.scheduled_time, on_demand=request.on_demand)
    except InvalidInput:
        # List Detectors rejected it too and opened no run; only its own lines exist.
        run = described["name"]
    return LoggedRun(run, started - _EARLY, arn, described)


def log_lines(deployment: Deployment, wanted: LoggedRun) -> list[LogLine]:
    """Return the lines in chronological order."""
    found = read_lines(deployment.account, deployment.log_group, wanted.since, wanted.pattern)
    return [line for line in found if wanted.includes(line.fields)]


def read_lines(
    account: Account, log_group: str, since: datetime, pattern: str = ""
) -> list[LogLine]:
    """Return the structured lines of a log group since a time in chronological order, limited to a filter pattern."""
    pages = (
        account.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=log_group,
            startTime=int(since.timestamp() * 1000),
            **({"filterPattern": pattern} if pattern else {}),
        )
    )
    found = [
        LogLine(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), fields)
        for page in pages
        for event in page["events"]
        for fields in _structured(event["message"])
    ]
    return sorted(found, key=lambda line: line.at)


def reasons(deployment: Deployment, wanted: LoggedRun) -> list[str]:
    """Return a line for each detector of these runs that was neither trained nor published, with the reason."""
    return [
        f"{run}: {outcome.detector}: {outcome.status}: {outcome.message}"
        for run in wanted.runs
        for outcome in deployment.registry.outcomes.of_run(run)
        if outcome.status not in SUCCESSES
    ]


def _structured(message: str) -> Iterator[Mapping[str, Any]]:
    """Yield the line's fields, unless it is one of Lambda's own lines or an operational metric."""
    try:
        fields = json.loads(message)
    except ValueError:
        return
    if isinstance(fields, dict) and "message" in fields:
        yield fields
