"""One evaluation of an alarm: its range of datapoints, and the state that they lead to."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localaws.cloudwatch import alarm_reasons, metrics_insights
from localaws.cloudwatch.alarm_changes import Contributor, State
from localaws.cloudwatch.alarm_records import (
    Record,
    insights_of,
    period_of,
    queries_of,
    rule_of,
    statistic_of,
    watched_query,
)
from localaws.cloudwatch.alarm_rules import ALARM_MAX_RANGE, INSIGHTS_ALARM_MAX_RANGE
from localaws.cloudwatch.alarm_threshold import ALARM, INSUFFICIENT_DATA, OK, Rule, evaluate
from localaws.cloudwatch.metric_queries import Queries
from localaws.cloudwatch.metrics_insights import Group
from localaws.cloudwatch.time_series import TimeSeries

_MINUTE, _HOUR, _HIGH_RESOLUTION_STEP = 60, 3_600, 10


@dataclass(frozen=True)
class Outcome:
    """A state, None for the one that it was."""

    state: str | None
    reason: str
    reason_data: str | None = None
    partial: bool = False


@dataclass(frozen=True)
class Timing:
    """The seconds between two evaluations of an alarm, of its period, and of its range."""

    step: int
    period: int
    span: int

    @classmethod
    def of(cls, record: Record) -> "Timing":
        period, rule = period_of(record), rule_of(record)
        periods = rule.range
        if insights_of(record) is not None:
            periods = min(periods, int(INSIGHTS_ALARM_MAX_RANGE.total_seconds()) // period)
        return cls(_step(period, rule), period, periods * period)

    def end(self, now: float) -> int:
        """Return the end of the range that contains `now`."""
        return int(now // self.step * self.step) + self.step


def state_of(record: Mapping[str, Any]) -> State:
    return State(
        record["StateValue"],
        record["StateReason"],
        datetime.fromtimestamp(record["StateUpdatedTimestamp"], UTC),
        record.get("StateReasonData"),
    )


def move(record: Record, state: State) -> None:
    record.update(
        StateValue=state.value,
        StateReason=state.reason,
        StateUpdatedTimestamp=state.since.timestamp(),
        StateTransitionedTimestamp=state.since.timestamp(),
    )
    record.pop("StateReasonData", None)
    if state.reason_data is not None:
        record["StateReasonData"] = state.reason_data


def _step(period: int, rule: Rule) -> int:
    if period < _MINUTE:
        return _HIGH_RESOLUTION_STEP
    return _HOUR if period * rule.periods > ALARM_MAX_RANGE.total_seconds() else _MINUTE


def metric_names(record: Record) -> set[tuple[str, str]]:
    """Return the namespaces and names of an alarm's metrics."""
    metrics = [
        query["MetricStat"]["Metric"] for query in queries_of(record) if "MetricStat" in query
    ]
    names = {(metric["Namespace"], metric["MetricName"]) for metric in metrics}
    insights = insights_of(record)
    if insights is not None:
        parsed = metrics_insights.parse(insights["Expression"])
        names.add((parsed.namespace, parsed.metric))
    return names


def has_contributors(record: Record) -> bool:
    """Return whether an alarm watches several series, which only a Metrics Insights query gives."""
    return metrics_insights.is_insights_query(watched_query(record).get("Expression", ""))


def of_one(record: Record, queries: Queries, timing: Timing, end: int, at: datetime) -> Outcome:
    rule, times = rule_of(record), range(end - timing.span, end, timing.period)
    values = _values(queries.series(watched_query(record)["Id"]), times)
    evaluation = evaluate(values, rule)
    if evaluation.state is None:
        return Outcome(None, "")
    evaluated = alarm_reasons.datapoints(evaluation, times, values)
    statistic = None if record.get("Metrics") else statistic_of(record)
    return Outcome(
        evaluation.state,
        alarm_reasons.reason(
            rule, evaluation.filled, evaluated, record["StateValue"], evaluation.state
        ),
        alarm_reasons.reason_data(evaluated, at, timing.period, rule.threshold, statistic),
    )


def of_group(
    rule: Rule, group: Group, timing: Timing, end: int, known: Contributor | None
) -> tuple[str, str]:
    """Return a contributor's state, never INSUFFICIENT_DATA, and the reason; an undecided one stays as it was."""
    times = range(end - timing.span, end, timing.period)
    values = _values(group.series, times)
    evaluation = evaluate(values, rule)
    state = evaluation.state
    if state in (None, INSUFFICIENT_DATA):
        state = OK if known is None else ALARM
    assert state is not None  # noqa: S101 - it is one of the two
    evaluated = alarm_reasons.datapoints(evaluation, times, values)
    return state, alarm_reasons.contributor_reason(rule, evaluated, state)


def _values(series: TimeSeries, times: Sequence[int]) -> list[float | None]:
    found = dict(zip(series.times.tolist(), series.values.tolist(), strict=True))
    return [found.get(time) for time in times]


def contributor_id(group: Group) -> str:
    text = json.dumps(group.attributes, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
