"""CloudWatch: alarms look at our metrics, and what other services report lands there.

MiniStack judges an alarm by one statistic over its whole evaluation range, whatever the metric's dimensions,
and reports Lambda's metrics per function only, not for the account as well.
"""

from collections.abc import Mapping
from typing import Any

from local.aws.clock import Clock
from local.aws.cloudwatch import alarms
from local.aws.cloudwatch.service import CloudWatch
from local.aws.embedded_ministack import account_scope, service
from local.aws.ministack_mends.mending import Mending


class Metrics:
    def __init__(self, mending: Mending, cloudwatch: CloudWatch, clock: Clock, region: str) -> None:
        self._region = region
        self._cloudwatch = cloudwatch
        self._clock = clock
        self._ministack = service("cloudwatch")
        mending.replace(self._ministack, "record_metric", self.record)
        mending.replace(self._ministack, "_evaluate_alarm", self.evaluate)
        self._describe = mending.replace(self._ministack, "_describe_alarms", self.describe)

        mending.set(cloudwatch, "on_new_data", self.evaluate_all)

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

    def evaluate(self, alarm: dict[str, Any]) -> None:
        if not alarm.get("MetricName"):
            return
        old = alarm["StateValue"]
        state, reason = alarms.state_of(alarm, self._cloudwatch.reader, self._clock)
        if state == old:
            return
        now = int(self._clock.now().timestamp())
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=now)
        self._ministack._record_history(alarm["AlarmName"], old, state, reason)
        self._ministack._dispatch_alarm_actions(alarm, old, state, reason)
        self._ministack._evaluate_parent_alarms(alarm)

    def evaluate_all(self) -> None:
        with account_scope(self._region):
            self._ministack._evaluate_all_alarms()

    def describe(self, *request: Any) -> Any:
        self._ministack._evaluate_all_alarms()
        return self._describe(*request)
