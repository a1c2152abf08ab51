"""The schema of dashboards refuses what CloudWatch refuses."""

from copy import deepcopy
from typing import Any

import pytest

from tests.support.dashboard_schema import problems

GRAPH: dict[str, Any] = {
    "type": "metric",
    "x": 0,
    "y": 0,
    "width": 12,
    "height": 6,
    "properties": {
        "region": "us-east-1",
        "metrics": [
            ["AWS/EC2", "CPUUtilization", "InstanceId", "i-1", {"yAxis": "right"}],
            [{"expression": "SUM(METRICS())", "id": "e"}],
        ],
    },
}
VARIABLE: dict[str, Any] = {
    "type": "pattern",
    "pattern": "x",
    "id": "X",
    "inputType": "select",
    "search": "{A,B} c",
    "populateFrom": "B",
}


def body(**changes: Any) -> dict[str, Any]:
    return {"widgets": [deepcopy(GRAPH)], "variables": [deepcopy(VARIABLE)], **changes}


def graph(**changes: Any) -> dict[str, Any]:
    return deepcopy(GRAPH) | changes


def with_properties(**changes: Any) -> dict[str, Any]:
    return body(widgets=[graph(properties=GRAPH["properties"] | changes)])


def with_variable(**changes: Any) -> dict[str, Any]:
    changed = VARIABLE | changes
    return body(variables=[{k: v for k, v in changed.items() if v is not None}])


def test_a_dashboard_as_aws_describes_it_is_taken() -> None:
    assert list(problems(body(start="-P2W", periodOverride="inherit"))) == []


@pytest.mark.parametrize(
    "refused",
    [
        body(start="two weeks"),
        body(periodOverride="mine"),
        body(colour="red"),
        body(widgets=[graph() for _ in range(501)]),
        body(widgets=[graph(type="graph")]),
        body(widgets=[graph(x=13)]),
        body(widgets=[graph(width=25)]),
        body(widgets=[graph(y=-1)]),
        body(widgets=[graph(), graph(x=6, properties={**GRAPH["properties"], "title": "second"})]),
        with_properties(metrics=[]),
        with_properties(metrics=[["AWS/EC2"]]),
        with_properties(metrics=[[{"label": "no expression"}]]),
        with_properties(period=90),
        with_properties(stat="Mean"),
        with_properties(view="lines"),
        with_properties(yAxis={"left": {"minimum": 0}}),
        body(widgets=[graph(type="alarm", properties={"alarms": []})]),
        body(widgets=[graph(type="alarm", properties={"alarms": ["my-alarm"]})]),
        body(widgets=[graph(type="log", properties={"region": "x", "query": "fields a"})]),
        body(widgets=[graph(type="custom", properties={"endpoint": "DrawWidget"})]),
        with_variable(populateFrom=None),
        with_variable(pattern=None),
        with_variable(property="both"),
        with_variable(label="x" * 31),
        with_variable(id="a b"),
        body(variables=[VARIABLE] * 26),
    ],
)
def test_what_cloudwatch_does_not_take_is_told(refused: dict[str, Any]) -> None:
    assert list(problems(refused))
