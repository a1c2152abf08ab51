"""CloudWatch's rules for alarms, for PutMetricAlarm and CloudFormation alike."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from botocore.model import StructureShape

from localaws.api_request import operation_model
from localaws.api_response import ApiError
from localaws.cloudwatch.alarm_records import insights_of, period_of, queries_of
from localaws.cloudwatch.alarm_threshold import TREATMENTS
from localaws.cloudwatch.metric_queries import check_queries
from localaws.cloudwatch.search import has_search
from localaws.cloudwatch.statistics import check_statistic
from localaws.request_validation import problems

ALARM_MAX_RANGE = timedelta(days=1)
ALARM_MAX_RANGE_OF_HOURS = timedelta(days=7)
ALARM_MAX_METRICS = 10
ALARM_MAX_TAGS = 50
INSIGHTS_ALARM_MAX_RANGE = timedelta(hours=3)
_HOUR = 3_600
_HIGH_RESOLUTION_PERIODS = (10, 20, 30)
_BY_METRIC = ("Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_NOT_IMPLEMENTED = (
    "EvaluateLowSampleCountPercentile",
    "EvaluationCriteria",
    "EvaluationInterval",
    "EvaluationWindow",
    "WarmUpConfiguration",
)
_FOR_BANDS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
_TOPIC = re.compile(r"arn:aws[\w-]*:sns:(?P<region>[\w-]+):\d{12}:[\w-]+")

_Settings = Mapping[str, Any]


def check_alarm(settings: _Settings, region: str) -> None:
    """Raise CloudWatch's ValidationError for an alarm that AWS does not accept, or that is not implemented here."""
    _check_shapes(settings)
    for name in _NOT_IMPLEMENTED:
        if name in settings:
            raise wrong(f"The local CloudWatch does not implement {name} of an alarm.")
    _check_threshold(settings)
    if settings.get("Metrics"):
        _check_metrics(settings)
    else:
        _check_metric(settings)
    _check_range(settings)
    _check_actions(settings, region)
    if len(settings.get("Tags", [])) > ALARM_MAX_TAGS:
        raise wrong(f"An alarm can have {ALARM_MAX_TAGS} tags at most.")


def _check_shapes(settings: _Settings) -> None:
    shape = operation_model("cloudwatch", "PutMetricAlarm").input_shape
    assert isinstance(shape, StructureShape)  # noqa: S101 - the service's model
    unknown = sorted(settings.keys() - shape.members.keys())
    if unknown:
        raise wrong(f"An alarm has no parameter {unknown[0]}.")
    found = problems(settings, shape)
    if found:
        plural = "error" if len(found) == 1 else "errors"
        raise wrong(f"{len(found)} validation {plural} detected: {'; '.join(found)}")
    missing = settings.get("TreatMissingData", TREATMENTS[0])
    if missing not in TREATMENTS:
        raise wrong(f"TreatMissingData must be one of {', '.join(TREATMENTS)}, not {missing}.")


def _check_threshold(settings: _Settings) -> None:
    if "ThresholdMetricId" in settings or settings.get("ComparisonOperator") in _FOR_BANDS:
        _refuse_band(settings)
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if settings.get(name) is None:
            raise wrong(f"An alarm on a static threshold needs {name}.")
    periods, needed = settings["EvaluationPeriods"], settings.get("DatapointsToAlarm")
    if needed is not None and needed > periods:
        raise wrong(
            f"DatapointsToAlarm ({needed}) must be less than or equal to EvaluationPeriods ({periods})."
        )


def _refuse_band(settings: _Settings) -> None:
    expressions = [query.get("Expression", "") for query in settings.get("Metrics", [])]
    if any("ANOMALY_DETECTION_BAND" in expression for expression in expressions):
        raise wrong("The local CloudWatch does not implement ANOMALY_DETECTION_BAND.")
    raise wrong(
        "ThresholdMetricId and comparisons with a band are for alarms with an "
        "ANOMALY_DETECTION_BAND expression only."
    )


def _check_metric(settings: _Settings) -> None:
    if "Metrics" in settings:
        raise wrong("The parameter Metrics must not be empty.")
    for name in ("MetricName", "Namespace", "Period"):
        if settings.get(name) is None:
            raise wrong(f"An alarm needs {name}, or Metrics.")
    if ("Statistic" in settings) == ("ExtendedStatistic" in settings):
        raise wrong("An alarm on a metric needs either Statistic or ExtendedStatistic.")
    _check_queries(settings)


def _check_metrics(settings: _Settings) -> None:
    for name in ("MetricName", *_BY_METRIC):
        if name in settings:
            raise wrong(f"{name} must not be given together with Metrics.")
    _check_elements(settings["Metrics"])
    _check_queries(settings)


def _check_elements(queries: Sequence[_Settings]) -> None:
    returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise wrong(
            "Exactly one element of the metrics list should return data, not "
            f"{', '.join(returned) or 'none'}."
        )
    metrics = [query for query in queries if "MetricStat" in query]
    if len(metrics) > ALARM_MAX_METRICS:
        raise wrong(f"An alarm can have {ALARM_MAX_METRICS} metrics at most, not {len(metrics)}.")
    for query in queries:
        if has_search(query.get("Expression", "")):
            raise wrong(f"Error in expression '{query['Id']}': SEARCH is not supported in alarms.")


def _check_queries(settings: _Settings) -> None:
    queries = queries_of(settings)
    for query in queries:
        _check_period(query.get("MetricStat", query).get("Period"))
    for query in queries:
        if "MetricStat" in query:
            check_statistic(query["MetricStat"].get("Stat", ""))
    check_queries(queries)
    periods = {
        query.get("MetricStat", query)["Period"]
        for query in queries
        if "Period" in query.get("MetricStat", query)
    }
    if len(periods) != 1:
        raise wrong(
            "All metrics of an alarm must have the same Period, not "
            f"{', '.join(map(str, sorted(periods))) or 'none'}."
        )


def _check_period(period: int | None) -> None:
    if period is None or period in _HIGH_RESOLUTION_PERIODS:
        return
    if period < 1 or period % 60:
        raise wrong(f"Period must be 10, 20, 30 or a multiple of 60, not {period}.")


def _check_range(settings: _Settings) -> None:
    period = period_of(settings)
    seconds = period * settings["EvaluationPeriods"]
    if insights_of(settings) is not None:
        if period < 60:
            raise wrong(
                f"Period of a Metrics Insights query must be a multiple of 60, not {period}."
            )
        _check_most(seconds, INSIGHTS_ALARM_MAX_RANGE, "three hours")
    _check_most(seconds, ALARM_MAX_RANGE_OF_HOURS, "a week")
    if period < _HOUR:
        _check_most(seconds, ALARM_MAX_RANGE, "a day")


def _check_most(seconds: int, most: timedelta, words: str) -> None:
    limit = int(most.total_seconds())
    if seconds > limit:
        raise wrong(
            f"Metrics cannot be checked across more than {words} (EvaluationPeriods * Period must be "
            f"<= {limit}, not {seconds})"
        )


def _check_actions(settings: _Settings, region: str) -> None:
    for kind in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for action in settings.get(kind, []):
            topic = _TOPIC.fullmatch(action)
            if topic is None:
                raise wrong(f"The local CloudWatch implements topics as {kind} only, not {action}.")
            if topic["region"] != region:
                raise wrong(
                    f"Invalid region {topic['region']} specified. Only {region} is supported."
                )


def wrong(message: str) -> ApiError:
    return ApiError("ValidationError", message)
