"""CloudWatch: MiniStack's alarms are ours, and what other services report lands in our metrics.

MiniStack judges an alarm by one statistic over its whole evaluation range, whatever the metric's dimensions, and
sends a message of its own. It reports Lambda's metrics per function only, not for the account as well, and none
of Step Functions.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.aws.clock import Clock
from local.aws.cloudwatch.alarm_changes import Change, State
from local.aws.cloudwatch.alarms import state_of
from local.aws.cloudwatch.service import CloudWatch
from local.aws.embedded_ministack import service
from local.aws.ministack_mends.mending import Mending

_ENDED = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


class Metrics:
    def __init__(self, mending: Mending, cloudwatch: CloudWatch, clock: Clock) -> None:
        self._cloudwatch = cloudwatch
        self._clock = clock
        ministack = service("cloudwatch")
        mending.replace(ministack, "record_metric", self.record)
        mending.replace(ministack, "_evaluate_alarm", cloudwatch.alarms.evaluate)
        mending.replace(ministack, "_evaluate_all_alarms", cloudwatch.alarms.catch_up)
        mending.replace(ministack, "_dispatch_alarm_actions", self.act)
        self._emit = mending.replace(
            service("stepfunctions"), "_emit_execution_status_event", self.execution_changed
        )

    def record(
        self,
        namespace: str,
        name: str,
        value: float,
        unit: str = "None",
        dimensions: Mapping[str, str] | None = None,
    ) -> None:
        self._cloudwatch.record(namespace, name, value, unit, dimensions or {})
        if namespace == "AWS/Lambda" and dimensions:
            self._cloudwatch.record(namespace, name, value, unit, {})

    def act(self, alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
        """A change that MiniStack makes: SetAlarmState's, or a composite alarm's."""
        changed = state_of(alarm)
        before = State(old, "", changed.since)
        after = State(new, reason, changed.since, alarm.get("StateReasonData"))
        self._cloudwatch.alarms.actions.act(Change(dict(alarm), before, after))

    def execution_changed(self, execution: Mapping[str, Any]) -> None:
        """Count the executions of a state machine as AWS/States does, beside MiniStack's event."""
        self._emit(execution)
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        if execution["status"] == "RUNNING":
            self._cloudwatch.record("AWS/States", "ExecutionsStarted", 1, "Count", dimensions)
        elif name := _ENDED.get(execution["status"]):
            started = datetime.fromisoformat(execution["startDate"]).astimezone(UTC)
            milliseconds = (self._clock.now() - started).total_seconds() * 1_000
            self._cloudwatch.record("AWS/States", name, 1, "Count", dimensions)
            self._cloudwatch.record(
                "AWS/States", "ExecutionTime", milliseconds, "Milliseconds", dimensions
            )
