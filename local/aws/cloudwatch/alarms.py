"""Alarms, evaluated on our metrics with M out of N periods and missing data treated as the alarm says."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from local.aws.clock import Clock
from local.aws.cloudwatch.metric_store import MetricKey
from local.aws.cloudwatch.reading import Reader, Window

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def state_of(alarm: Mapping[str, Any], reader: Reader, clock: Clock) -> tuple[str, str]:
    """The state that an alarm of MiniStack's should be in now, and the reason."""
    periods = int(alarm.get("EvaluationPeriods", 1))
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    values = _values(alarm, reader, clock, periods)
    missing = alarm.get("TreatMissingData") or "missing"
    breaches = [_breaches(alarm, value, missing) for value in values]
    threshold = alarm.get("Threshold", 0.0)
    described = ", ".join("missing" if value is None else str(value) for value in values)
    if all(value is None for value in values) and missing == "missing":
        return "INSUFFICIENT_DATA", "Insufficient Data: no datapoints were received"
    if all(value is None for value in values) and missing == "ignore":
        return str(alarm["StateValue"]), str(alarm["StateReason"])
    state = "ALARM" if breaches.count(True) >= needed else "OK"
    return state, f"Threshold Crossed: datapoints [{described}] against threshold {threshold}."


def _values(
    alarm: Mapping[str, Any], reader: Reader, clock: Clock, periods: int
) -> list[float | None]:
    """One value for each of the latest periods, oldest first; the current, unfinished one included."""
    period = int(alarm.get("Period", 60))
    end = int(clock.now().timestamp()) // period * period + period
    start = end - periods * period
    key = MetricKey.of(alarm["Namespace"], alarm["MetricName"], _dimensions(alarm))
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    times, values = reader.read(key, statistic, period, Window(start, end))
    found = dict(zip(times.tolist(), values.tolist(), strict=True))
    return [found.get(time) for time in range(start, end, period)]


def _breaches(alarm: Mapping[str, Any], value: float | None, missing: str) -> bool | None:
    if value is None:
        return {"breaching": True, "notBreaching": False}.get(missing)
    return _COMPARISONS[alarm["ComparisonOperator"]](value, float(alarm.get("Threshold", 0.0)))


def _dimensions(alarm: Mapping[str, Any]) -> dict[str, str]:
    dimensions = alarm.get("Dimensions") or []
    if isinstance(dimensions, Mapping):
        return dict(dimensions)
    return {item["Name"]: item["Value"] for item in dimensions}
