"""The facts of docs/reality.md that a program can compare with what the account does."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from cutwatch.metric_names import ANOMALY
from cutwatch_cli.account_check.throwaway import METRIC, PERIOD, Throwaway
from cutwatch_cli.stacks.account import error_code, time_of
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.started_run import Verdict

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_CLOCKS_APART = timedelta(minutes=5)
# Alarms evaluate once a minute, and AWS's own metrics of executions take some minutes to appear.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 900, 2


class Differs(Exception):
    """The account does something else than the application expects; the text says what."""


@dataclass(frozen=True)
class Checked:
    """A deployed throw-away stack with the results of its training and its transform."""

    throwaway: Throwaway
    deployment: Deployment
    runs: Mapping[str, Verdict]

    @property
    def now(self) -> datetime:
        """The account's time."""
        return time_of(self.client("sts").get_caller_identity())

    def client(self, service: str) -> Any:
        """Return a client."""
        return self.throwaway.account.client(service)

    def series(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        period: int,
        since: timedelta,
    ) -> list[float]:
        """Return the values of a metric's Maximum from so long ago until now."""
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
        }
        stat = {"Metric": metric, "Period": period, "Stat": "Maximum"}
        return self.values([{"Id": "m", "MetricStat": stat}], since)

    def values(self, queries: list[Any], since: timedelta) -> list[float]:
        """Return the values of the first result of a request."""
        now = self.now
        answer = self.client("cloudwatch").get_metric_data(
            MetricDataQueries=queries, StartTime=now - since, EndTime=now + timedelta(seconds=1)
        )
        values: list[float] = answer["MetricDataResults"][0]["Values"]
        return values


def account_time(checked: Checked) -> str:
    """Compare the account's time by two services."""
    first, second = checked.now, time_of(checked.client("cloudformation").list_stacks())
    if abs(second - first) > _CLOCKS_APART:
        raise Differs(f"STS says {first}, CloudFormation {second}")
    return f"{first:%Y-%m-%d %H:%M:%S} UTC"


def trained(checked: Checked) -> str:
    """Expect a model of every detector."""
    return _ended_as(checked, "training", "TRAINED")


def published(checked: Checked) -> str:
    """Expect every detector published, by one PutEvents call with entries of several detectors."""
    ended = _ended_as(checked, "transform", "PUBLISHED")
    events = checked.runs["transform"].summary.get("new_events", 0)
    if events < len(checked.throwaway.detectors):
        raise Differs(f"{events} events of {len(checked.throwaway.detectors)} detectors")
    return f"{ended}, {events} events accepted by EventBridge"


def _ended_as(checked: Checked, kind: str, status: str) -> str:
    run = checked.runs[kind]
    expected = {status: len(checked.throwaway.detectors)}
    if run.status != "SUCCEEDED" or run.summary.get("statuses") != expected:
        raise Differs("; ".join(line.strip() for line in run.lines()))
    return f"{expected[status]} {status}"


def anomalies_readable(checked: Checked) -> str:
    """Expect the anomalies of the last hours in CloudWatch at once; older datapoints may follow within two days."""

    def found() -> str | None:
        namespace = checked.deployment.namespace
        counts = []
        for detector in checked.throwaway.detectors:
            series = checked.series(
                namespace, ANOMALY, {"Detector": detector.name}, PERIOD, 3 * _HOUR
            )
            counts.append(int(sum(series)))
        return f"{counts} anomalous datapoints" if all(counts) else None

    return _awaited(found, "an anomalous datapoint of every detector")


def fill_without_datapoints(checked: Checked) -> str:
    """Expect zeros for FILL over a metric that has never had a datapoint, on which an alarm depends."""
    alarm = f"{checked.throwaway.stack}-training-failed"
    [described] = checked.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    values = checked.values(described["Metrics"], _HOUR)
    if not values or any(values):
        raise Differs(f"{alarm}'s expression has the values {values[:5]}, expected zeros")
    return f"{len(values)} zeros"


def failed_run_alarms(checked: Checked) -> str:
    """Expect the alarm of an execution that fails before it can notify anyone."""
    checked.client("stepfunctions").start_execution(
        stateMachineArn=checked.deployment.state_machine("transform"),
        input=json.dumps({"time": "nonsense"}),
    )
    alarm = f"{checked.throwaway.stack}-transform-failed"

    def ringing() -> str | None:
        [found] = checked.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return f"{alarm} is in ALARM" if found["StateValue"] == "ALARM" else None

    return _awaited(ringing, f"{alarm} in ALARM")


def invalid_json_refused(checked: Checked) -> str:
    """Expect StartExecution to refuse an input that is not JSON."""
    machine = checked.deployment.state_machine("transform")
    return _refused(
        "InvalidExecutionInput",
        lambda: checked.client("stepfunctions").start_execution(stateMachineArn=machine, input="{"),
    )


def old_datapoints_refused(checked: Checked) -> str:
    """Expect PutMetricData to refuse datapoints older than two weeks."""
    datum = {"MetricName": METRIC, "Timestamp": checked.now - 15 * _DAY, "Value": 1.0}
    return _refused(
        "InvalidParameterValue",
        lambda: checked.client("cloudwatch").put_metric_data(
            Namespace=checked.throwaway.source_namespace, MetricData=[datum]
        ),
    )


def nothing_beyond_retention(checked: Checked) -> str:
    """Expect no datapoint at all of a request for minutes that begins before their retention."""
    values = checked.series(checked.throwaway.source_namespace, METRIC, {}, 60, 20 * _DAY)
    if values:
        raise Differs(f"{len(values)} datapoints: CloudWatch answers with the part that it has")
    return "no datapoints"


def widget_drawn(checked: Checked) -> str:
    """Expect the dashboard's widget to draw a detector."""
    now = int(checked.now.timestamp() * 1_000)
    shown = {"timeRange": {"start": now - _DAY // timedelta(milliseconds=1), "end": now}}
    answer = checked.client("lambda").invoke(
        FunctionName=checked.deployment.outputs["DrawWidgetFunctionArn"],
        Payload=json.dumps(
            {"detector": checked.throwaway.detectors[0].name, "widgetContext": shown}
        ),
    )
    drawn = answer["Payload"].read().decode()
    if "FunctionError" in answer or "<svg " not in drawn:
        raise Differs(drawn[:300])
    return f"{len(drawn):,} characters with an SVG"


def dashboard_accepted(checked: Checked) -> str:
    """Expect the dashboard with its widgets."""
    name = checked.deployment.outputs["DashboardName"]
    body = checked.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    widgets = len(json.loads(body)["widgets"])
    if not widgets:
        raise Differs(f"{name} has no widgets")
    return f"{widgets} widgets"


def _refused(code: str, call: Callable[[], Any]) -> str:
    try:
        call()
    except ClientError as error:
        if error_code(error).removesuffix("Exception") != code:
            raise Differs(f"refused as {error_code(error)}, expected {code}") from error
        return code
    raise Differs(f"accepted, expected {code}")


def _awaited(look: Callable[[], str | None], expected: str) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (seen := look()) is None:
        if time.monotonic() > deadline:
            raise Differs(f"not seen in {_PATIENCE_SECONDS // 60} minutes: {expected}")
        time.sleep(_PAUSE_SECONDS)
    return seen


FACTS: Mapping[str, Callable[[Checked], str]] = {
    "account-time": account_time,
    "training": trained,
    "transform": published,
    "anomalies-readable": anomalies_readable,
    "fill": fill_without_datapoints,
    "invalid-json": invalid_json_refused,
    "old-datapoints": old_datapoints_refused,
    "retention": nothing_beyond_retention,
    "widget": widget_drawn,
    "dashboard": dashboard_accepted,
    "failed-run-alarm": failed_run_alarms,
}
