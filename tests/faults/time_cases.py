"""The cases of time: what CloudWatch does not show yet, and what it keeps no longer."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

from localaws.stacks import ExecutionResult
from tests.faults.cases import Case
from tests.faults.judgement import outcomes
from tests.faults.shop import (
    NAMES,
    TRAINED_AT,
    TRANSFORMED_AT,
    Scenario,
    Shop,
    Standing,
)
from tests.support.widgets import request

_DAY = timedelta(days=1)
_FOLLOWS = "The score series follows"


def time_cases() -> Iterator[Case]:
    """Back-filled scores, and runs that are repeated when CloudWatch accepts or keeps their datapoints no longer."""
    yield Case(
        "transform",
        "scores",
        "delayed visibility",
        NAMES,
        "",
        lambda _: None,
        judge=_anomalies_show,
    )
    for scenario, days, status, says in (
        ("transform", 20, "UP_TO_DATE", "is older than the 14 days that CloudWatch accepts"),
        ("training", 70, "TOO_LITTLE_HISTORY", "CloudWatch keeps datapoints of 15 min for 63 days"),
    ):
        at: Scenario = "training" if scenario == "training" else "transform"
        yield Case(
            at,
            f"repeated after {days} days",
            "retention",
            NAMES,
            says,
            _later(days),
            judge=_ends(at, status, says),
        )


def _later(days: int) -> Callable[[Shop], None]:
    return lambda shop: shop.fleet.aws.clock.move_to(TRANSFORMED_AT + days * _DAY)


def _anomalies_show(shop: Shop, result: ExecutionResult) -> Iterator[str]:
    """CloudWatch shows no anomaly of the spike at first; the widget shows it all the same, and says that scores follow."""
    aws = shop.fleet.aws
    if result.status != "SUCCEEDED":
        yield f"the execution ended {result.status}: {result.error}, {result.cause}"
    for hours, is_readable in ((0, False), (49, True)):
        aws.clock.move_to(TRANSFORMED_AT + timedelta(hours=hours, minutes=10))
        for name in NAMES:
            for problem in _shown_wrongly(shop, name, is_readable=is_readable):
                yield f"{name} after {hours} h: {problem}"


def _shown_wrongly(shop: Shop, name: str, *, is_readable: bool) -> Iterator[str]:
    readable, drawn = _readable_anomalies(shop, name), _widget(shop, name)
    if bool(readable) is not is_readable:
        yield f"CloudWatch shows {len(readable)} anomalies"
    if 'class="anomaly"' not in drawn:
        yield "the widget shows no anomaly"
    if (_FOLLOWS in drawn) is is_readable:
        yield "the widget is wrong about the scores that follow"


def _readable_anomalies(shop: Shop, name: str) -> list[float]:
    metric = {
        "Namespace": shop.fleet.stack.outputs["AnomalyNamespace"],
        "MetricName": "Anomaly",
        "Dimensions": [{"Name": "Detector", "Value": name}],
    }
    answer = shop.fleet.aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
        ],
        StartTime=TRAINED_AT,
        EndTime=TRANSFORMED_AT,
    )
    return [value for value in answer["MetricDataResults"][0]["Values"] if value]


def _widget(shop: Shop, name: str) -> str:
    answer = shop.fleet.aws.client("lambda").invoke(
        FunctionName=shop.fleet.stack.physical_id("DrawWidget"),
        Payload=json.dumps(request(name, TRAINED_AT, TRANSFORMED_AT)),
    )
    return str(json.loads(answer["Payload"].read()))


def _ends(
    scenario: Scenario, status: str, says: str
) -> Callable[[Shop, ExecutionResult], Iterator[str]]:
    """Return a judge who wants every detector to say why there is nothing to do, and nothing to change."""

    def judge(shop: Shop, result: ExecutionResult) -> Iterator[str]:
        if result.status != "SUCCEEDED":
            yield f"the execution ended {result.status}: {result.error}, {result.cause}"
        standing = shop.standing()
        found = outcomes(scenario, standing)
        for name in NAMES:
            ended, message = found.get(name, ("none", ""))
            if ended != status or says not in message:
                yield f"{name} ended {ended}: {message}"
            yield from _changed(shop, scenario, standing, name)

    return judge


def _changed(shop: Shop, scenario: Scenario, standing: Standing, name: str) -> Iterator[str]:
    record = standing.record(name)
    shop.rewind(scenario)
    before = shop.standing()
    for field in ("models", "published_through"):
        if record.get(field) != before.record(name).get(field):
            yield f"{field} of {name} changed to {record.get(field)}"
    if standing.published(name) != before.published(name):
        yield f"datapoints of {name} were published"
