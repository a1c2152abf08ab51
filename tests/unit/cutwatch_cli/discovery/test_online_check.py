from collections.abc import Iterator
from typing import Any

import pytest

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch_cli.discovery.online_check import unknown_metrics


class CloudWatch:
    """ListMetrics over a few metrics, one a page; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.metrics = [
            {
                "Namespace": "AWS/EC2",
                "MetricName": name,
                "Dimensions": [{"Name": "InstanceId", "Value": instance}],
            }
            for name in ("CPUUtilization", "NetworkIn")
            for instance in ("i-0aaa", "i-0bbb")
        ]

    def get_paginator(self, operation: str) -> "CloudWatch":
        assert operation == "list_metrics"
        return self

    def paginate(self, **filters: str) -> Iterator[dict[str, Any]]:
        self.asked.append(filters)
        for metric in self.metrics:
            if all(metric[name] == value for name, value in filters.items()):
                yield {"Metrics": [metric]}


def entry(namespace: str, metric: str, instance: str = "", extra: str = "") -> str:
    dimensions = f"dimensions: {{InstanceId: {instance}}}, " if instance else ""
    name = f"{metric}{instance}".replace("/", "")
    return (
        f"- {{name: {name}, namespace: {namespace}, metric: {metric}, {dimensions}{extra}"
        "statistic: Average}\n"
    )


def problems(*entries: str) -> tuple[list[str], list[dict[str, str]]]:
    cloudwatch = CloudWatch()
    configuration = parse_configuration("detectors:\n" + "".join(entries))
    return unknown_metrics(cloudwatch, configuration), cloudwatch.asked


def test_metrics_that_exist_are_no_problem_and_asked_for_once_a_name() -> None:
    found, asked = problems(
        entry("AWS/EC2", "CPUUtilization", "i-0aaa"),
        entry("AWS/EC2", "CPUUtilization", "i-0bbb"),
        entry("AWS/EC2", "CPUUtilization", extra="for_each: InstanceId, "),
    )
    assert found == []
    assert asked == [{"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            entry("AWS/EC2", "CPUUtilization", "i-0aab"),
            "no metric AWS/EC2 CPUUtilization with InstanceId=i-0aab; the nearest has InstanceId=i-0aaa",
        ),
        (
            entry("AWS/EC2", "CPUUtilization"),
            "no metric AWS/EC2 CPUUtilization with no dimensions; the nearest has InstanceId=i-0",
        ),
        (
            entry("AWS/EC2", "CpuUtilisation", "i-0aaa"),
            "no metric AWS/EC2 CpuUtilisation; the nearest in AWS/EC2 is CPUUtilization",
        ),
        (
            entry("AWS/Ec2", "NetworkIn", "i-0aaa"),
            "no metric AWS/Ec2 NetworkIn; the namespace has no metrics, but AWS/EC2 has NetworkIn",
        ),
        (
            entry("Shop", "Orders"),
            "no metric Shop Orders; the namespace has no metrics; CloudWatch lists metrics with",
        ),
        (
            entry("AWS/EC2", "NetworkIn", extra="for_each: InstanceType, "),
            "no AWS/EC2 NetworkIn with exactly the dimensions InstanceType; the nearest has InstanceId",
        ),
        (
            entry("AWS/EC2", "NetworkIn", extra="for_each: InstanceId, limit: 1, "),
            "2 values of InstanceId, but its limit is 1",
        ),
    ],
)
def test_a_metric_that_does_not_exist_is_told_with_the_nearest(given: str, told: str) -> None:
    [line], _ = problems(given)
    assert line.partition(": ")[2].startswith(told)
