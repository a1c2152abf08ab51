"""Alarms as they are kept: what was put, under PutMetricAlarm's own names, with the state next to it.

They live in MiniStack's store, whose composite alarms, tags and histories refer to them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from localaws.api_request import service_model
from localaws.cloudwatch.alarm_threshold import IGNORE, INSUFFICIENT_DATA, MISSING, Rule
from localaws.cloudwatch.metrics_insights import is_insights_query

Record = dict[str, Any]

INITIAL_REASON = "Unchecked: Initial alarm creation"
_METRIC_ID = "m1"
_STATE = (
    "StateValue",
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "EvaluationState",
)
_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions")


def record_of(
    parameters: Mapping[str, Any], arn: str, now: datetime, existing: Record | None
) -> Record:
    """Return the alarm that a request puts; an update leaves its state unchanged."""
    settings = {name: value for name, value in parameters.items() if name != "Tags"}
    state = {
        "StateValue": INSUFFICIENT_DATA,
        "StateReason": INITIAL_REASON,
        "StateUpdatedTimestamp": now.timestamp(),
        "StateTransitionedTimestamp": now.timestamp(),
    }
    if existing is not None:
        state = {name: existing[name] for name in _STATE if name in existing}
    lists: dict[str, Any] = {name: [] for name in _LISTS}
    return {
        "ActionsEnabled": True,
        **lists,
        **settings,
        "Threshold": float(settings["Threshold"]),
        "AlarmArn": arn,
        "AlarmConfigurationUpdatedTimestamp": now.timestamp(),
        **state,
    }


def described(record: Mapping[str, Any], shape: str = "MetricAlarm") -> dict[str, Any]:
    """Return the alarm as DescribeAlarms does."""
    members = service_model("cloudwatch").shape_for(shape).members  # type: ignore[attr-defined]
    return {
        name: _described(record[name], member.type_name)
        for name, member in members.items()
        if record.get(name) is not None
    }


def _described(value: Any, type_name: str) -> Any:
    return datetime.fromtimestamp(value, UTC) if type_name == "timestamp" else value


def rule_of(settings: Mapping[str, Any]) -> Rule:
    periods = settings["EvaluationPeriods"]
    return Rule(
        settings["ComparisonOperator"],
        settings["Threshold"],
        periods,
        settings.get("DatapointsToAlarm", periods),
        settings.get("TreatMissingData") or _usual_treatment(settings),
    )


def _usual_treatment(settings: Mapping[str, Any]) -> str:
    """DynamoDB reports much of itself only when there is something to report."""
    stats = [query["MetricStat"] for query in queries_of(settings) if "MetricStat" in query]
    of_dynamodb = [stat["Metric"]["Namespace"] == "AWS/DynamoDB" for stat in stats]
    return IGNORE if of_dynamodb and all(of_dynamodb) else MISSING


def queries_of(settings: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return an alarm's metrics as queries of GetMetricData; a single metric becomes a query too."""
    if settings.get("Metrics"):
        return settings["Metrics"]  # type: ignore[no-any-return]
    metric = {
        "Namespace": settings["Namespace"],
        "MetricName": settings["MetricName"],
        "Dimensions": settings.get("Dimensions", []),
    }
    stat = {"Metric": metric, "Period": settings["Period"], "Stat": statistic_of(settings)}
    if settings.get("Unit"):
        stat["Unit"] = settings["Unit"]
    return [{"Id": _METRIC_ID, "MetricStat": stat, "ReturnData": True}]


def statistic_of(settings: Mapping[str, Any]) -> str:
    return str(settings.get("ExtendedStatistic") or settings["Statistic"])


def watched_query(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the one query whose datapoints are compared with the threshold."""
    queries = queries_of(settings)
    return next(query for query in queries if query.get("ReturnData", True))


def insights_of(settings: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return an alarm's Metrics Insights query, or None."""
    queries = queries_of(settings)
    found = (query for query in queries if is_insights_query(query.get("Expression", "")))
    return next(found, None)


def period_of(settings: Mapping[str, Any]) -> int:
    """Return the period in seconds; all metrics of an alarm have the same."""
    for query in queries_of(settings):
        stat = query.get("MetricStat", query)
        if "Period" in stat:
            return int(stat["Period"])
    raise LookupError(f"alarm {settings.get('AlarmName')} has no period")
