"""The metrics that AWS's services report of themselves."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.alarms import put_alarm, state
from support.functions import create_function
from support.state_machines import create_machine, machine, start, task

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
WAIT = {"Type": "Wait", "Seconds": 90, "End": True}
FAIL = {"Type": "Fail", "Error": "Broken", "Cause": "by design"}
DONE = {"Type": "Succeed"}


@pytest.fixture(autouse=True)
def _now(aws: LocalAws) -> None:
    aws.clock.move_to(NOW)


def eventually(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def statistic(
    aws: LocalAws, namespace: str, name: str, stat: str = "Sum", **dimensions: str
) -> list[float]:
    """A value each minute that has one, oldest first."""
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    answer = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}
        ],
        StartTime=NOW - timedelta(hours=1),
        EndTime=aws.clock.now() + timedelta(minutes=1),
        ScanBy="TimestampAscending",
    )
    (result,) = answer["MetricDataResults"]
    return list(result["Values"])


@pytest.mark.parametrize(
    ("states", "ended"),
    [
        (machine(Wait=WAIT), "ExecutionsSucceeded"),
        (machine(Fail=FAIL), "ExecutionsFailed"),
        ({**machine(Wait=WAIT), "TimeoutSeconds": 60}, "ExecutionsTimedOut"),
    ],
    ids=["succeeded", "failed", "timed out"],
)
def test_executions_are_counted_by_state_machine(
    aws: LocalAws, role: str, states: dict[str, Any], ended: str
) -> None:
    arn = create_machine(aws, role, states)
    start(aws, arn).wait()
    of_machine = {"StateMachineArn": arn}
    counts = {
        name: statistic(aws, "AWS/States", name, **of_machine)
        for name in (
            "ExecutionsStarted",
            "ExecutionsSucceeded",
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
        )
    }
    assert {name: values for name, values in counts.items() if values} == {
        "ExecutionsStarted": [1],
        ended: [1],
    }
    (milliseconds,) = statistic(aws, "AWS/States", "ExecutionTime", "Maximum", **of_machine)
    least = {"ExecutionsSucceeded": 90_000, "ExecutionsTimedOut": 60_000}.get(ended, 0)
    assert least <= milliseconds < 600_000


def test_an_execution_that_is_stopped_is_counted_as_aborted_once(aws: LocalAws, role: str) -> None:
    arn = create_machine(aws, role, machine(Wait=WAIT))
    with aws.clock.busy():  # holds the execution in its wait
        execution = start(aws, arn)
        for _ in range(2):
            aws.client("stepfunctions").stop_execution(executionArn=execution.arn)
    assert statistic(aws, "AWS/States", "ExecutionsAborted", StateMachineArn=arn) == [1]


def test_an_alarm_rings_for_a_failed_execution(aws: LocalAws, role: str) -> None:
    arn, name = create_machine(aws, role, machine(Fail=FAIL)), f"failed-{uuid4()}"
    put_alarm(
        aws,
        name,
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": arn}],
        Statistic="Sum",
    )
    assert state(aws, name) == "OK"
    start(aws, arn).wait()
    assert state(aws, name) == "ALARM"


def test_invocations_are_counted_by_function_and_in_all(aws: LocalAws, role: str) -> None:
    name = f"counted-{uuid4()}"
    create_function(aws, role, name, "def handler(event, context):\n    return 1 / event['by']\n")
    before = sum(statistic(aws, "AWS/Lambda", "Invocations"))
    client = aws.client("lambda")
    for payload in (b'{"by": 1}', b'{"by": 0}'):
        client.invoke(FunctionName=name, Payload=payload)
    of_function = {"FunctionName": name}
    assert sum(statistic(aws, "AWS/Lambda", "Invocations", **of_function)) == 2
    assert sum(statistic(aws, "AWS/Lambda", "Errors", **of_function)) == 1
    assert sum(statistic(aws, "AWS/Lambda", "Throttles", **of_function)) == 0
    assert sum(statistic(aws, "AWS/Lambda", "Duration", "SampleCount", **of_function)) == 2
    assert sum(statistic(aws, "AWS/Lambda", "Invocations")) == before + 2


def test_invocations_by_a_state_machine_and_those_that_nobody_waits_for_are_counted(
    aws: LocalAws, role: str
) -> None:
    name = f"counted-{uuid4()}"
    arn = create_function(aws, role, name, "def handler(event, context):\n    return 1 / 0\n")
    start(aws, create_machine(aws, role, machine(Task=task(arn)))).wait()
    of_function = {"FunctionName": name}
    assert sum(statistic(aws, "AWS/Lambda", "Errors", **of_function)) == 1
    put_alarm(
        aws,
        name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        Statistic="Sum",
        Threshold=1,
    )
    aws.client("lambda").invoke(FunctionName=name, InvocationType="Event")
    eventually(lambda: state(aws, name) == "ALARM")


def test_throttled_invocations_are_throttles_and_no_invocations(aws: LocalAws, role: str) -> None:
    name = f"throttled-{uuid4()}"
    create_function(aws, role, name, "def handler(event, context):\n    pass\n")
    client = aws.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequests"):
        client.invoke(FunctionName=name)
    of_function, attempts = {"FunctionName": name}, aws.calls.count("lambda.Invoke")
    assert sum(statistic(aws, "AWS/Lambda", "Throttles", **of_function)) == attempts
    assert sum(statistic(aws, "AWS/Lambda", "Invocations", **of_function)) == 0


def test_a_queue_reports_its_messages_each_minute_and_0_after(aws: LocalAws) -> None:
    client, name = aws.client("sqs"), f"queue-{uuid4()}"
    # No minute ends between the first two messages.
    aws.clock.advance(61 - aws.clock.now().second)
    queue = client.create_queue(QueueName=name)["QueueUrl"]
    for _ in range(2):
        client.send_message(QueueUrl=queue, MessageBody="x")
        aws.cloudwatch.pass_time()
    aws.clock.advance(180)
    aws.cloudwatch.pass_time()
    client.send_message(QueueUrl=queue, MessageBody="x")
    aws.clock.advance(60)
    aws.cloudwatch.pass_time()
    client.purge_queue(QueueUrl=queue)
    aws.clock.advance(120)
    aws.cloudwatch.pass_time()
    depths = statistic(
        aws, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=name
    )
    assert depths == [2, 2, 2, 3, 3, 0, 0]


def test_a_queue_that_has_been_empty_for_hours_reports_nothing(aws: LocalAws) -> None:
    client, name = aws.client("sqs"), f"queue-{uuid4()}"
    queue = client.create_queue(QueueName=name)["QueueUrl"]
    client.send_message(QueueUrl=queue, MessageBody="x")
    aws.cloudwatch.pass_time()
    client.purge_queue(QueueUrl=queue)
    aws.clock.advance(30 * 86_400)
    aws.cloudwatch.pass_time()
    aws.clock.move_to(NOW + timedelta(hours=7))
    depths = statistic(
        aws, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=name
    )
    assert (depths[0], len(depths)) == (1, 1 + 6 * 60)
