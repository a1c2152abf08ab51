"""CloudWatch: alarms are evaluated here, and the metrics that other services report are kept here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localaws.clock import Clock
from localaws.cloudwatch.alarm_changes import Change, State
from localaws.cloudwatch.alarm_evaluation import state_of
from localaws.cloudwatch.service import CloudWatch
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_ENDED = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


class Metrics:
    def __init__(self, patches: Patches, cloudwatch: CloudWatch, clock: Clock) -> None:
        self._cloudwatch = cloudwatch
        self._clock = clock
        ministack = service("cloudwatch")
        patches.replace(ministack, "record_metric", self.record)
        patches.replace(ministack, "_evaluate_alarm", cloudwatch.alarms.evaluate)
        patches.replace(ministack, "_evaluate_all_alarms", cloudwatch.alarms.catch_up)
        patches.replace(ministack, "_dispatch_alarm_actions", self.act)
        self._functions = service("lambda_svc")
        patches.replace(self._functions, "_emit_lambda_metrics", lambda *_, **__: None)
        self._execute = patches.replace(self._functions, "_execute_function", self.execute)
        self._emit = patches.replace(
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

    def execute(self, function: Mapping[str, Any], event: Any) -> dict[str, Any]:
        """Execute a function and count the invocation, by any caller."""
        configuration = function.get("config") or function
        if self._functions._function_config_scope_mismatch(configuration):
            return self._execute(function, event)  # type: ignore[no-any-return]
        started = self._clock.now()
        result: dict[str, Any] = self._execute(function, event)
        self._count(configuration["FunctionName"], result, started)
        return result

    def _count(self, function: str, result: Mapping[str, Any], started: datetime) -> None:
        throttled = bool(result.get("throttle"))
        counts = {"Throttles": float(throttled)}
        if not throttled:
            counts |= {"Invocations": 1.0, "Errors": float(bool(result.get("error")))}
        for dimensions in ({"FunctionName": function}, {}):
            for name, value in counts.items():
                self._cloudwatch.record("AWS/Lambda", name, value, "Count", dimensions)
            if not throttled:
                self._cloudwatch.record(
                    "AWS/Lambda",
                    "Duration",
                    self._milliseconds_since(started),
                    "Milliseconds",
                    dimensions,
                )

    def _milliseconds_since(self, moment: datetime) -> float:
        return (self._clock.now() - moment).total_seconds() * 1_000

    def act(self, alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
        """Act on a change that MiniStack makes: SetAlarmState's, or a composite alarm's."""
        changed = state_of(alarm)
        before = State(old, "", changed.since)
        after = State(new, reason, changed.since, alarm.get("StateReasonData"))
        self._cloudwatch.alarms.actions.act(Change(dict(alarm), before, after))

    def execution_changed(self, execution: Mapping[str, Any]) -> None:
        """Count the executions of a state machine as AWS/States does, in addition to MiniStack's event."""
        self._emit(execution)
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        if execution["status"] == "RUNNING":
            self._cloudwatch.record("AWS/States", "ExecutionsStarted", 1, "Count", dimensions)
        elif name := _ENDED.get(execution["status"]):
            started = datetime.fromisoformat(execution["startDate"]).astimezone(UTC)
            took = self._milliseconds_since(started)
            self._cloudwatch.record("AWS/States", name, 1, "Count", dimensions)
            self._cloudwatch.record("AWS/States", "ExecutionTime", took, "Milliseconds", dimensions)
