"""What CloudWatch refuses of an alarm."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.alarms import WITHOUT_METRIC, expression, metric, put_alarm

GROUPED = "SELECT MAX(m) FROM SCHEMA(Shop, Detector) GROUP BY Detector ORDER BY MAX() DESC"
TOPIC = "arn:aws:sns:us-east-1:123456789012:told"
MATH = {**WITHOUT_METRIC, "Metrics": [expression("m1"), metric("m1", "a")]}


def insights(text: str, **changes: Any) -> dict[str, Any]:
    return {**WITHOUT_METRIC, "Metrics": [expression(text, **{"Period": 300, **changes})]}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Period": 90}, "Period must be"),
        ({"Period": 5}, "Period must be 10, 20, 30 or a multiple of 60, not 5"),
        ({"Period": 60, "EvaluationPeriods": 1_441}, r"more than a day .*<= 86400, not 86460"),
        ({"Period": 3_600, "EvaluationPeriods": 169}, r"more than a week .*<= 604800, not 608400"),
        ({"Period": 86_400, "EvaluationPeriods": 8}, "more than a week"),
        ({"DatapointsToAlarm": 2}, r"DatapointsToAlarm \(2\) must be less than or equal"),
        ({"TreatMissingData": "good"}, "TreatMissingData must be one of missing, ignore"),
        ({"AlarmActions": [TOPIC] * 6}, "less than or equal to 5"),
        ({"OKActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "topics as OKActions only"),
        ({"AlarmActions": [TOPIC.replace("us-", "eu-")]}, "Invalid region eu-east-1 specified"),
        ({"ThresholdMetricId": "band"}, "ANOMALY_DETECTION_BAND expression only"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ANOMALY_DETECTION_BAND"),
        ({"ComparisonOperator": "Greater"}, "satisfy enum value set"),
        ({"Threshold": None}, "needs Threshold"),
        ({"Statistic": None}, "either Statistic or ExtendedStatistic"),
        ({"ExtendedStatistic": "p90"}, "either Statistic or ExtendedStatistic"),
        ({"Namespace": None}, "needs Namespace, or Metrics"),
        ({"Metrics": MATH["Metrics"]}, "MetricName must not be given together with Metrics"),
        ({**WITHOUT_METRIC}, "needs MetricName, or Metrics"),
        ({**MATH, "Period": 300}, "Period must not be given together with Metrics"),
        ({**MATH, "Metrics": [metric("m1", "a")]}, "Exactly one element .* not none"),
        (
            {**MATH, "Metrics": [expression("m1"), {**metric("m1", "a"), "ReturnData": True}]},
            "Exactly one element .* not watched, m1",
        ),
        (
            {**MATH, "Metrics": [expression("m1 + m2"), metric("m1", "a")]},
            "Unknown identifier m2",
        ),
        (
            {**MATH, "Metrics": [expression("SUM(SEARCH('{Shop} x', 'Sum'))"), metric("m1", "a")]},
            "SEARCH is not supported in alarms",
        ),
        (
            {
                **MATH,
                "Metrics": [expression("m1 + m2"), metric("m1", "a"), metric("m2", "b", Period=60)],
            },
            "the same Period, not 60, 300",
        ),
        (
            {
                **MATH,
                "Metrics": [expression("m1"), *(metric(f"m{i}", "a") for i in range(1, 12))],
            },
            "10 metrics at most, not 11",
        ),
        ({**MATH, "EvaluationPeriods": 289}, "more than a day"),
        (
            insights(GROUPED.replace(" ORDER BY MAX() DESC", "")),
            r"Error in expression 'watched': The local CloudWatch implements SELECT MAX\(METRIC\)",
        ),
        (
            {**insights(GROUPED), "EvaluationPeriods": 37},
            r"more than three hours .*<= 10800, not 11100",
        ),
        (insights(GROUPED, Period=30), "must be a multiple of 60, not 30"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "does not implement EvaluateLow"),
    ],
)
def test_what_cloudwatch_refuses_of_an_alarm_is_refused(
    aws: LocalAws, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ClientError, match=complaint) as caught:
        put_alarm(aws, "refused", **changes)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert aws.client("cloudwatch").describe_alarms(AlarmNames=["refused"])["MetricAlarms"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Period": 60, "EvaluationPeriods": 1_440},
        {"Period": 3_600, "EvaluationPeriods": 168},
        {"Period": 86_400, "EvaluationPeriods": 7},
        {"Period": 10},
        {**insights(GROUPED), "EvaluationPeriods": 36},
        {"AlarmActions": [TOPIC] * 5, "OKActions": [TOPIC]},
        {"Statistic": None, "ExtendedStatistic": "p99.9"},
    ],
)
def test_what_is_just_within_the_limits_is_accepted(aws: LocalAws, changes: dict[str, Any]) -> None:
    put_alarm(aws, "accepted", **changes)
