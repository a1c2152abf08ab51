"""The dashboard as it is deployed: CloudWatch takes it, and there is data behind everything that it shows."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from cutwatch.aws.s3 import Bucket
from cutwatch.console_links import dashboard_url, home, jsurl
from cutwatch.widget.request import NOT_CHOSEN
from localaws.cloudwatch.metric_store import MetricKey
from tests.support.dashboard_schema import problems
from tests.support.stack import FUNCTION, Stack
from tests.support.widgets import CHECKOUT, NOW, Dashboard, eventful_dashboard

# As AWS documents them: "Monitoring Step Functions metrics" and "Types of metrics for Lambda functions".
OF_AWS = {
    ("AWS/States", "StateMachineArn"): {
        "ExecutionsStarted",
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionThrottled",
        "ExecutionTime",
    },
    ("AWS/Lambda", "FunctionName"): {
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "ConcurrentExecutions",
    },
}
SEARCH = re.compile(r"SEARCH\('(.*)', '(\w+)', (\d+)\)")


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Dashboard]:
    with eventful_dashboard() as looked_at:
        yield looked_at


@pytest.fixture(scope="module")
def body(dashboard: Dashboard) -> str:
    shop = dashboard.shop
    answer = shop.aws.client("cloudwatch").get_dashboard(
        DashboardName=shop.stack.outputs["DashboardName"]
    )
    return str(answer["DashboardBody"])


@pytest.fixture(scope="module")
def shown(body: str) -> dict[str, Any]:
    """As CloudWatch shows it when checkout is chosen."""
    [variable] = json.loads(body)["variables"]
    chosen: dict[str, Any] = json.loads(re.sub(variable["pattern"], CHECKOUT.name, body))
    return chosen


def rows(body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], list[Any]]]:
    """Every graph with each of its rows."""
    for widget in body["widgets"]:
        for row in widget["properties"].get("metrics", []):
            yield widget["properties"], row


def metrics(body: Mapping[str, Any]) -> Iterator[tuple[str, MetricKey, str]]:
    """Every single metric that is named: the graph's title, the metric, the statistic that is read of it."""
    for graph, row in rows(body):
        if not isinstance(row[0], dict):
            names = [part for part in row if not isinstance(part, dict)]
            options = row[-1] if isinstance(row[-1], dict) else {}
            dimensions = dict(zip(names[2::2], names[3::2], strict=True))
            key = MetricKey.of(names[0], names[1], dimensions)
            yield graph["title"], key, options.get("stat", graph["stat"])


def expressions(body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    for graph, row in rows(body):
        if isinstance(row[0], dict):
            yield graph, row[0]


def read(dashboard: Dashboard, *queries: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = dashboard.shop.aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=NOW - timedelta(days=14), EndTime=NOW
    )
    found: list[dict[str, Any]] = answer["MetricDataResults"]
    return found


@pytest.mark.slow
def test_cloudwatch_takes_the_body(body: str) -> None:
    assert list(problems(json.loads(body))) == []


def test_nothing_of_the_template_is_left_in_the_body(body: str) -> None:
    assert "${" not in re.sub(r"\$\{PROP\('Dim\.Detector'\)\}", "", body)


def test_the_variable_lists_every_detector_and_nothing_else(
    dashboard: Dashboard, body: str
) -> None:
    [variable] = json.loads(body)["variables"]
    found = read(
        dashboard,
        {
            "Id": "e",
            "Expression": f"SEARCH('{variable['search']}', 'Maximum', 3600)",
            "Label": f"${{PROP('Dim.{variable['populateFrom']}')}}",
        },
    )
    assert [each["Label"] for each in found] == ["checkout", "searches"]
    assert variable["defaultValue"] == "__FIRST"


def test_what_the_variable_replaces_can_be_no_detector_s_name_and_is_what_the_widget_takes_for_none(
    body: str,
) -> None:
    [variable] = json.loads(body)["variables"]
    assert variable["pattern"] == NOT_CHOSEN
    with pytest.raises(ValueError, match="must be 1 to 64"):
        type(CHECKOUT)(NOT_CHOSEN, "Shop", "Orders", "Sum")


def test_the_graphs_and_the_widget_follow_the_variable(shown: dict[str, Any]) -> None:
    chosen = [
        w for w in shown["widgets"] if w["properties"].get("title", "").startswith("checkout")
    ]
    assert [widget["type"] for widget in chosen] == ["custom", "metric", "metric"]
    assert chosen[0]["properties"]["params"] == {"detector": "checkout"}


def test_every_metric_of_ours_was_published(dashboard: Dashboard, shown: dict[str, Any]) -> None:
    ours = [key for _, key, _ in metrics(shown) if not key.namespace.startswith("AWS/")]
    published = set(dashboard.shop.aws.cloudwatch.reader.listed())
    assert len(ours) >= len(
        ["Anomaly", "AnomalyScore", "NewEvents", "AnomalousDatapoints", "DetectorsFailed"]
    )
    assert [key for key in ours if key not in published] == []


def test_every_metric_of_aws_is_one_that_it_documents_of_a_resource_of_the_stack(
    dashboard: Dashboard, shown: dict[str, Any]
) -> None:
    ours = set(dashboard.shop.stack.resources.values())
    for _, key, _ in metrics(shown):
        if key.namespace.startswith("AWS/"):
            [(dimension, value)] = key.dimensions
            assert key.name in OF_AWS[key.namespace, dimension]
            assert value in ours


def test_our_own_metrics_are_read_by_the_hour_and_with_maximum(shown: dict[str, Any]) -> None:
    for title, key, statistic in metrics(shown):
        if not key.namespace.startswith("AWS/"):
            assert statistic == "Maximum", title
    for graph, row in expressions(shown):
        search = SEARCH.fullmatch(row["expression"])
        assert search is None or search.groups()[1:] == ("Maximum", "3600")
        assert graph["period"] == timedelta(hours=1).total_seconds()


def test_every_search_finds_every_detector(dashboard: Dashboard, shown: dict[str, Any]) -> None:
    searches = [row for _, row in expressions(shown) if SEARCH.fullmatch(row["expression"])]
    assert searches
    for row in searches:
        query = {"Id": row["id"], "Expression": row["expression"], "Label": row["label"]}
        found = read(dashboard, query)
        assert [each["Label"] for each in found] == ["checkout", "searches"], row["expression"]
        assert all(each["Values"] for each in found)


def test_every_other_expression_can_be_evaluated(
    dashboard: Dashboard, shown: dict[str, Any]
) -> None:
    for graph in (widget["properties"] for widget in shown["widgets"]):
        others = [
            row[0]
            for row in graph.get("metrics", [])
            if isinstance(row[0], dict) and not SEARCH.fullmatch(row[0]["expression"])
        ]
        for row in others:
            sources = [query for query in _sources(graph) if query["Id"] in row["expression"]]
            wanted = {"Id": row["id"], "Expression": row["expression"]}
            [found] = read(dashboard, *sources, wanted)
            assert found["Values"], row


def _sources(graph: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for row in graph["metrics"]:
        options = row[-1]
        if not isinstance(row[0], dict) and "id" in options:
            metric = {"Namespace": row[0], "MetricName": row[1]}
            stat = {"Metric": metric, "Period": graph["period"], "Stat": graph["stat"]}
            yield {"Id": options["id"], "MetricStat": stat, "ReturnData": False}


def test_the_events_in_all_are_the_events_that_there_were(
    dashboard: Dashboard, shown: dict[str, Any]
) -> None:
    [graph] = [
        widget["properties"]
        for widget in shown["widgets"]
        if widget["properties"].get("title", "").startswith("Events of all detectors")
    ]
    row = graph["metrics"][1][0]
    query = {"Id": row["id"], "Expression": row["expression"]}
    [found] = read(dashboard, *_sources(graph), query)
    events = dashboard.shop.registry.events.between(NOW - timedelta(days=14), NOW)
    assert found["Values"][0] == len(events)


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_function_of_the_template_is_in_the_graphs_of_functions(
    dashboard: Dashboard, shown: dict[str, Any], stack: Stack, metric: str
) -> None:
    names = [key.dimensions[0][1] for _, key, _ in metrics(shown) if key.name == metric]
    functions = [dashboard.shop.stack.resources[name] for name in stack.resources(FUNCTION)]
    assert sorted(names) == sorted(functions)


def test_every_execution_status_of_both_state_machines_is_shown(shown: dict[str, Any]) -> None:
    counted = [key.name for _, key, _ in metrics(shown) if key.name.startswith("Executions")]
    for status in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted"):
        assert counted.count(f"Executions{status}") == len(["training", "transform"])


def test_the_table_of_failures_asks_for_what_failures_log(
    dashboard: Dashboard, shown: dict[str, Any]
) -> None:
    [table] = [w["properties"]["query"] for w in shown["widgets"] if w["type"] == "log"]
    [group] = re.findall(r"SOURCE '([^']+)'", table)
    assert group == dashboard.shop.stack.outputs["FunctionsLogGroupName"]
    [fields] = re.findall(r"fields ([^\n|]+)", table)

    lines = _failures(dashboard, group)

    for field in (name.strip() for name in fields.split(",")):
        by_the_service = field in ("@timestamp", "record.status")
        assert by_the_service or any(line.get(field) for line in lines), field
    told = {(line.get("detector"), line["reason"].partition(":")[0]) for line in lines}
    assert told == {(None, "InvalidInput"), ("searches", "ModelMissing")}


def _failures(dashboard: Dashboard, group: str) -> list[dict[str, Any]]:
    """The lines of level ERROR that a failed listing and a failed detector leave."""
    shop = dashboard.shop
    shop.stack.start("TransformStateMachine", {"detectors": ["chekout"]}).wait()
    bucket = Bucket(shop.aws.client("s3"), shop.stack.outputs["DataBucketName"])
    bucket.delete(shop.registry.detectors.get("searches").models[0].recipe)
    shop.transform(NOW)
    events = shop.aws.client("logs").filter_log_events(logGroupName=group)["events"]
    lines = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
    return [line for line in lines if line.get("level") == "ERROR"]


def test_the_stacks_outputs_open_the_dashboard_and_a_graph(dashboard: Dashboard) -> None:
    outputs, region = dashboard.shop.stack.outputs, dashboard.shop.aws.region
    search = (
        f'SEARCH(\'{{"{outputs["AnomalyNamespace"]}",Detector}} MetricName="AnomalyScore"\', '
        "'Maximum', 3600)"
    )
    graph = {
        "metrics": [[{"expression": search, "id": "scores"}]],
        "view": "timeSeries",
        "stacked": False,
        "region": region,
        "period": 3600,
        "start": "-P14D",
        "end": "P0D",
        "title": "Anomaly scores by detector",
    }

    assert outputs["DashboardUrl"] == dashboard_url(region, outputs["DashboardName"])
    assert outputs["MetricsConsole"] == f"{home(region)}#metricsV2:graph={jsurl(graph)}"
