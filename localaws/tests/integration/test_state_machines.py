"""Step Functions: what MiniStack alone does not do as AWS does it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import Execution, Fault, LocalAws
from localaws.limits import EXECUTION_HISTORY_MAX_EVENTS, STATE_PAYLOAD_MAX_BYTES
from support.functions import create_function
from support.state_machines import create_machine, machine, run, start, task

SOURCE = """
class Flaky(Exception):
    pass

def handler(event, context):
    if event.get("fail"):
        raise Flaky("again")
    return {"filler": "x" * event.get("size", 0), **event}
"""
COUNTING = """
class Odd(Exception):
    pass

class Even(Exception):
    pass

def handler(event, context):
    retries = event["retries"]
    if retries < 3:
        raise (Odd if retries % 2 else Even)(retries)
    return event
"""
DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
DONE = {"Type": "Succeed"}


@pytest.fixture(scope="module")
def function(aws: LocalAws, role: str) -> str:
    return create_function(aws, role, "step", SOURCE)


def duration(execution: Execution) -> timedelta:
    history = execution.history
    took: timedelta = history[-1]["timestamp"] - history[0]["timestamp"]
    return took


def distributed(states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": DISTRIBUTED, **machine(**states)}
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}


def test_waits_pass_on_the_clock_and_cost_no_time(aws: LocalAws, role: str) -> None:
    waiting = machine(
        Short={"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Long"},
        Long={"Type": "Wait", "Seconds": 86_400, "End": True},
    )
    execution = run(aws, role, waiting, {"seconds": 600})
    assert timedelta(days=1, minutes=10) <= duration(execution) < timedelta(days=1, hours=1)


def test_a_wait_until_a_timestamp_ends_then(aws: LocalAws, role: str) -> None:
    until = (aws.clock.now() + timedelta(days=3)).replace(microsecond=0)
    waiting = machine(Until={"Type": "Wait", "TimestampPath": "$.until", "End": True})
    execution = run(aws, role, waiting, {"until": until.isoformat().replace("+00:00", "Z")})
    assert execution.history[-1]["timestamp"] >= until


def test_executions_that_wait_at_the_same_time_wait_together(aws: LocalAws, role: str) -> None:
    items = [60, 600, 3600]
    waiting = distributed({"Wait": {"Type": "Wait", "SecondsPath": "$", "End": True}})
    execution = run(aws, role, machine(All=waiting), items)
    assert timedelta(hours=1) <= duration(execution) < timedelta(minutes=70)


def test_a_map_with_fewer_places_than_items_takes_turns(aws: LocalAws, role: str) -> None:
    waiting = distributed(
        {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}, MaxConcurrencyPath="$.places"
    )
    waiting["ItemsPath"] = "$.items"
    execution = run(aws, role, machine(All=waiting), {"places": 2, "items": [1, 2, 3, 4]})
    assert timedelta(minutes=20) <= duration(execution) < timedelta(minutes=30)


def test_an_exceptions_class_is_what_retry_and_catch_match(
    aws: LocalAws, role: str, function: str
) -> None:
    retried = [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 10, "MaxAttempts": 2}]
    caught = [{"ErrorEquals": ["Flaky"], "ResultPath": "$.error", "Next": "Caught"}]
    execution = run(
        aws,
        role,
        machine(Try=task(function, Retry=retried, Catch=caught), Caught=DONE),
        {"fail": True},
    )
    output = execution.wait().output
    assert output["error"]["Error"] == "Flaky"
    assert json.loads(output["error"]["Cause"])["errorMessage"] == "again"
    assert len(aws.calls.of("lambda", "Invoke")) == 3
    assert timedelta(seconds=30) <= duration(execution) < timedelta(seconds=70)


def test_a_retry_waits_no_longer_than_its_longest_delay(
    aws: LocalAws, role: str, function: str
) -> None:
    retried = [
        {
            "ErrorEquals": ["Flaky"],
            "IntervalSeconds": 100,
            "BackoffRate": 10,
            "MaxDelaySeconds": 300,
            "MaxAttempts": 4,
        }
    ]
    execution = run(aws, role, machine(Try=task(function, Retry=retried)), {"fail": True})
    assert execution.wait().error == "Flaky"
    assert timedelta(seconds=1000) <= duration(execution) < timedelta(seconds=1300)


def test_each_try_is_told_how_many_retries_of_its_state_there_were_by_any_retrier(
    aws: LocalAws, role: str
) -> None:
    count = create_function(aws, role, "count", COUNTING)
    retried = [
        {"ErrorEquals": ["Odd"], "MaxAttempts": 2},
        {"ErrorEquals": ["Even"], "MaxAttempts": 2},
    ]
    given = {"retries.$": "$$.State.RetryCount"}
    first = task(count, Parameters=given, Retry=retried, ResultPath="$.first", Next="Second")
    del first["End"]
    execution = run(
        aws, role, machine(First=first, Second=task(count, Parameters=given, Retry=retried))
    )
    tries = [
        json.loads(event["lambdaFunctionFailedEventDetails"]["cause"])["errorMessage"]
        for event in execution.history
        if event["type"] == "LambdaFunctionFailed"
    ]
    assert execution.wait().output == {"retries": 3}
    assert tries == ["0", "1", "2"] * 2


def test_full_jitter_waits_a_random_share(aws: LocalAws, role: str, function: str) -> None:
    retried = [
        {
            "ErrorEquals": ["Flaky"],
            "IntervalSeconds": 1000,
            "MaxAttempts": 3,
            "JitterStrategy": "FULL",
        }
    ]
    execution = run(aws, role, machine(Try=task(function, Retry=retried)), {"fail": True})
    assert timedelta(0) < duration(execution) < timedelta(seconds=6990)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (
            {"error": "TooManyRequestsException", "status": 429},
            "Lambda.TooManyRequestsException",
        ),
        ({"reset": "before"}, "Lambda.SdkClientException"),
        ({"reset": "after"}, "Lambda.SdkClientException"),
    ],
)
def test_a_fault_of_lambda_itself_has_its_name(
    aws: LocalAws, role: str, function: str, fault: dict[str, Any], error: str
) -> None:
    aws.faults.add(Fault("lambda", "Invoke", **fault))
    execution = run(aws, role, machine(Try=task(function)))
    assert execution.wait().error == error
    assert [call.error_code for call in aws.calls.of("lambda", "Invoke")] == [error]


def test_a_path_that_leads_nowhere_fails_and_cannot_be_caught(
    aws: LocalAws, role: str, function: str
) -> None:
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    lost = task(function, Parameters={"value.$": "$.no.such"}, Catch=caught)
    ended = run(aws, role, machine(Try=lost, Caught=DONE)).wait()
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")
    assert ended.cause is not None
    assert "$.no.such" in ended.cause


@pytest.mark.parametrize(
    ("payload", "expected"), [({"a": None}, "Null"), ({"a": 1}, "Value"), ({}, "Absent")]
)
def test_absent_and_null_are_different(
    aws: LocalAws, role: str, payload: dict[str, Any], expected: str
) -> None:
    chosen = {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.a", "IsPresent": False, "Next": "Absent"},
            {"Variable": "$.a", "IsNull": True, "Next": "Null"},
        ],
        "Default": "Value",
    }
    execution = run(aws, role, machine(Choose=chosen, Absent=DONE, Null=DONE, Value=DONE), payload)
    assert execution.states == ["Choose", expected]


@pytest.mark.parametrize(("deadline", "expected"), [("2000", "Late"), ("2100", "Early")])
def test_two_timestamps_can_be_compared_by_path(
    aws: LocalAws, role: str, deadline: str, expected: str
) -> None:
    chosen = {
        "Type": "Choice",
        "Choices": [
            {
                "Variable": "$$.State.EnteredTime",
                "TimestampGreaterThanPath": "$.deadline",
                "Next": "Late",
            }
        ],
        "Default": "Early",
    }
    payload = {"deadline": f"{deadline}-01-01T00:00:00Z"}
    execution = run(aws, role, machine(Choose=chosen, Late=DONE, Early=DONE), payload)
    assert execution.states == ["Choose", expected]


def test_every_child_of_a_distributed_map_is_an_execution_with_its_own_history(
    aws: LocalAws, role: str
) -> None:
    states = {
        "First": {
            "Type": "Pass",
            "Parameters": {"name.$": "$$.Execution.Name", "parent.$": "$.parent"},
            "Next": "Second",
        },
        "Second": DONE,
    }
    selector = {"item.$": "$$.Map.Item.Value", "parent.$": "$$.Execution.Name"}
    execution = run(aws, role, machine(All=distributed(states, ItemSelector=selector)), [1, 2])
    parent = execution.arn.rpartition(":")[2]
    for child in execution.children:
        assert child.states == ["First", "Second"]
        assert child.wait().output == {"name": child.arn.rpartition(":")[2], "parent": parent}
        assert child.history[0]["type"] == "ExecutionStarted"
        assert child.history[-1]["type"] == "ExecutionSucceeded"
    assert len(execution.children) == 2


def test_a_map_reads_its_items_from_s3(aws: LocalAws, role: str, bucket: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="items.json", Body=b'["a", "b"]')
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": bucket, "Key.$": "$.key"},
    }
    mapped = distributed({"Same": {"Type": "Pass", "End": True}}, ItemReader=reader)
    ended = run(aws, role, machine(All=mapped), {"key": "items.json"}).wait()
    assert ended.output == ["a", "b"]


READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON"},
}
STATES = "states.amazonaws.com"


@pytest.mark.parametrize(
    "befalls",
    [{"error": "SlowDown", "status": 503}, {"reset": "before"}, {"reset": "after"}],
)
def test_a_map_that_cannot_read_its_items_tells_so_by_its_own_name_and_is_retried(
    aws: LocalAws, role: str, bucket: str, befalls: dict[str, Any]
) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="read.json", Body=b'["a"]')
    reader = {**READER, "Parameters": {"Bucket": bucket, "Key": "read.json"}}
    retried = [{"ErrorEquals": ["States.ItemReaderFailed"], "MaxAttempts": 2}]
    same = {"Same": {"Type": "Pass", "End": True}}
    definition = machine(All=distributed(same, ItemReader=reader, Retry=retried))
    aws.calls.clear()
    aws.faults.add(Fault("s3", "GetObject", caller=STATES, times=2, **befalls))
    assert run(aws, role, definition).wait().output == ["a"]
    read = aws.calls.of("s3", "GetObject")
    assert [call.error_code for call in read] == ["States.ItemReaderFailed"] * 2 + [None]
    assert {call.caller for call in read} == {STATES}

    aws.faults.add(Fault("s3", "GetObject", caller=STATES, times=3, **befalls))
    ended = run(aws, role, definition).wait()
    assert (ended.status, ended.error) == ("FAILED", "States.ItemReaderFailed")


@pytest.mark.parametrize(
    ("befalls", "error"),
    [
        ({"error": "ThrottlingException"}, "StepFunctions.AWSStepFunctionsException"),
        ({"error": "AccessDeniedException"}, "StepFunctions.AWSStepFunctionsException"),
        (
            {"error": "ExecutionLimitExceeded"},
            "StepFunctions.ExecutionLimitExceededException",
        ),
        ({"reset": "before"}, "StepFunctions.SdkClientException"),
    ],
)
def test_a_nested_execution_that_cannot_be_started_says_why_by_its_clients_name(
    aws: LocalAws, role: str, befalls: dict[str, Any], error: str
) -> None:
    child = create_machine(aws, role, machine(Done=DONE))
    parameters = {"StateMachineArn": child}
    starting = task("arn:aws:states:::states:startExecution.sync:2", Parameters=parameters)
    aws.faults.add(Fault("stepfunctions", "StartExecution", caller=STATES, times=1, **befalls))
    assert run(aws, role, machine(Start=starting)).wait().error == error
    listed = aws.client("stepfunctions").list_executions(stateMachineArn=child)
    assert listed["executions"] == []


def test_a_named_nested_execution_whose_start_was_not_answered_is_found_by_the_next_try(
    aws: LocalAws, role: str
) -> None:
    child = create_machine(aws, role, machine(Wait={"Type": "Wait", "Seconds": 600, "End": True}))
    starting = task(
        "arn:aws:states:::states:startExecution.sync:2",
        Parameters={"StateMachineArn": child, "Name.$": "$$.Execution.Name"},
        Retry=[{"ErrorEquals": ["StepFunctions.SdkClientException"], "MaxAttempts": 1}],
    )
    aws.faults.add(Fault("stepfunctions", "StartExecution", caller=STATES, times=1, reset="after"))
    assert run(aws, role, machine(Start=starting)).wait().status == "SUCCEEDED"
    listed = aws.client("stepfunctions").list_executions(stateMachineArn=child)
    assert len(listed["executions"]) == 1


@pytest.mark.parametrize(("tolerated", "status"), [(49, "FAILED"), (50, "SUCCEEDED")])
def test_a_map_tolerates_the_failures_it_is_told_to(
    aws: LocalAws, role: str, function: str, tolerated: int, status: str
) -> None:
    mapped = distributed(
        {"Try": task(function)}, ToleratedFailurePercentagePath="$.tolerated", ItemsPath="$.items"
    )
    items = [{"fail": True}, {"fail": False}]
    ended = run(aws, role, machine(All=mapped), {"tolerated": tolerated, "items": items}).wait()
    assert ended.status == status


def nested(aws: LocalAws, role: str, child: dict[str, Any], **fields: Any) -> dict[str, Any]:
    arn = create_machine(aws, role, child)
    return task(
        "arn:aws:states:::states:startExecution.sync:2",
        Parameters={"StateMachineArn": arn, "Input": {"a.$": "$.a"}},
        **fields,
    )


def test_a_nested_execution_hands_its_output_back(aws: LocalAws, role: str) -> None:
    child = machine(Wait={"Type": "Wait", "Seconds": 3600, "Next": "Same"}, Same=DONE)
    ended = run(aws, role, machine(Run=nested(aws, role, child)), {"a": 1}).wait()
    assert ended.output["Output"] == {"a": 1}
    assert ended.output["Status"] == "SUCCEEDED"


def test_a_failed_nested_execution_is_a_failed_task_with_its_description(
    aws: LocalAws, role: str
) -> None:
    child = machine(Fail={"Type": "Fail", "Error": "NoPaper", "Cause": "tray 2"})
    ended = run(aws, role, machine(Run=nested(aws, role, child)), {"a": 1}).wait()
    assert ended.error == "States.TaskFailed"
    described = json.loads(str(ended.cause))
    assert (described["Error"], described["Cause"]) == ("NoPaper", "tray 2")


def test_a_nested_execution_that_takes_too_long_is_stopped(aws: LocalAws, role: str) -> None:
    """Beside one that takes less time, so that the clock does not skip to the nested one's own end."""
    slow = machine(Wait={"Type": "Wait", "SecondsPath": "$.a", "End": True})
    waiting = distributed({"Run": nested(aws, role, slow, TimeoutSeconds=3600)})
    execution = run(aws, role, machine(Both=waiting), [{"a": 7200}, {"a": 1800}])
    ended = {
        child.history[1]["stateEnteredEventDetails"]["input"]: child for child in execution.children
    }
    assert ended['{"a": 7200}'].wait().error == "States.Timeout"
    assert ended['{"a": 1800}'].wait().status == "SUCCEEDED"
    assert timedelta(hours=1) <= duration(execution) < timedelta(minutes=70)


def test_a_machine_past_its_timeout_has_timed_out(aws: LocalAws, role: str) -> None:
    endless = machine(
        Wait={"Type": "Wait", "Seconds": 600, "Next": "Again"},
        Again={"Type": "Pass", "Next": "Wait"},
    )
    ended = run(aws, role, {**endless, "TimeoutSeconds": 3600}).wait()
    assert ended.status == "TIMED_OUT"


def test_a_state_takes_no_more_than_the_payload_limit(
    aws: LocalAws, role: str, function: str
) -> None:
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    large = machine(Large=task(function, Catch=caught), Caught=DONE)
    fits = {"size": STATE_PAYLOAD_MAX_BYTES - 100}
    assert run(aws, role, large, fits).wait().status == "SUCCEEDED"
    ended = run(aws, role, large, {"size": STATE_PAYLOAD_MAX_BYTES}).wait()
    assert ended.error == "States.DataLimitExceeded"


def test_an_input_over_the_payload_limit_is_refused(aws: LocalAws, role: str) -> None:
    arn = create_machine(aws, role, machine(Same=DONE))
    with pytest.raises(ClientError, match="ValidationException"):
        start(aws, arn, "x" * STATE_PAYLOAD_MAX_BYTES)


@pytest.mark.slow
def test_an_execution_dies_of_too_long_a_history(aws: LocalAws, role: str) -> None:
    endless = machine(
        Wait={"Type": "Wait", "Seconds": 1, "Next": "Again"},
        Again={"Type": "Pass", "Next": "Wait"},
    )
    execution = run(aws, role, endless)
    assert execution.wait().status == "FAILED"
    assert len(execution.history) == EXECUTION_HISTORY_MAX_EVENTS + 1


def test_the_same_start_twice_is_the_same_execution(aws: LocalAws, role: str) -> None:
    arn = create_machine(aws, role, machine(Same={"Type": "Wait", "Seconds": 60, "End": True}))
    client = aws.client("stepfunctions")
    with aws.clock.busy():
        first = client.start_execution(stateMachineArn=arn, name="once", input="{}")
        again = client.start_execution(stateMachineArn=arn, name="once", input="{}")
        assert again["executionArn"] == first["executionArn"]
        with pytest.raises(client.exceptions.ExecutionAlreadyExists):
            client.start_execution(stateMachineArn=arn, name="once", input='{"other": 1}')
    Execution(client, first["executionArn"]).wait()
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=arn, name="once", input="{}")


def test_a_stopped_execution_stays_stopped(aws: LocalAws, role: str) -> None:
    arn = create_machine(aws, role, machine(Same={"Type": "Wait", "Seconds": 60, "End": True}))
    with aws.clock.busy():
        execution = start(aws, arn)
        aws.client("stepfunctions").stop_execution(executionArn=execution.arn)
    assert execution.wait().status == "ABORTED"


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({"Type": "Task", "Resource": "x", "HeartbeatSeconds": 9, "End": True}, "HeartbeatSeconds"),
        ({"Type": "Map", "ItemBatcher": {}, "ItemProcessor": {}, "End": True}, "ItemBatcher"),
        ({"Type": "Pass", "Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Dance", "End": True}, "Dance"),
        ({"Type": "Parallel", "Branches": [], "End": True}, "Parallel"),
        ({"Type": "Pass", "QueryLanguage": "JSONata", "End": True}, "QueryLanguage"),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True},
            "Resource 'arn:aws:states:::sns:publish'",
        ),
    ],
)
def test_a_definition_that_cannot_run_here_is_refused_by_name(
    aws: LocalAws, role: str, state: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ClientError, match=f"InvalidDefinition.*{complaint}"):
        create_machine(aws, role, machine(Only=state))


def test_a_definition_in_jsonata_is_refused(aws: LocalAws, role: str) -> None:
    with pytest.raises(ClientError, match="does not implement QueryLanguage JSONata"):
        create_machine(aws, role, {"QueryLanguage": "JSONata", **machine(Only=DONE)})


def test_intrinsic_functions_make_numbers_and_texts(aws: LocalAws, role: str) -> None:
    made = {
        "Type": "Pass",
        "Parameters": {
            "number.$": "States.StringToJson('60')",
            "text.$": "States.Format('{} of {}', $.a, $$.Execution.Name)",
        },
        "End": True,
    }
    execution = run(aws, role, machine(Make=made), {"a": "one"})
    name = execution.arn.rpartition(":")[2]
    assert execution.wait().output == {"number": 60, "text": f"one of {name}"}


def test_times_in_the_context_are_the_clocks(aws: LocalAws, role: str) -> None:
    told = {
        "Type": "Pass",
        "Parameters": {
            "started.$": "$$.Execution.StartTime",
            "entered.$": "$$.State.EnteredTime",
        },
        "End": True,
    }
    before = aws.clock.now()
    waiting = {"Type": "Wait", "Seconds": 600, "Next": "Tell"}
    output = run(aws, role, machine(Wait=waiting, Tell=told)).wait().output
    started, entered = (datetime.fromisoformat(output[name]) for name in ("started", "entered"))
    assert started - before < timedelta(seconds=600)
    assert entered - started >= timedelta(seconds=600)
