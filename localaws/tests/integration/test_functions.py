"""Lambda: real handlers in real processes, and their failures as Lambda names them."""

import io
import json
import os
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws
from localaws.lambda_runtime import environments
from support.functions import create_function, zipped

SOURCE = """
import datetime, os, sys, time
import boto3

class OutOfPaper(Exception):
    pass

calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("printed", event)
    return globals()[event["do"]](event, context)

def count(event, context):
    return {"calls": calls, "process": os.getpid()}

def fail(event, context):
    raise OutOfPaper("tray 2")

def die(event, context):
    os._exit(1)

def leave(event, context):
    sys.exit(3)

def unserializable(event, context):
    return object()

def large(event, context):
    return "x" * 6_300_000

def describe(event, context):
    return {
        "function": context.function_name,
        "memory": context.memory_limit_in_mb,
        "remaining": context.get_remaining_time_in_millis(),
        "variables": dict(os.environ),
        "now": datetime.datetime.now(datetime.UTC).isoformat(),
    }

def call(event, context):
    boto3.client("s3").list_buckets()
"""


@pytest.fixture(scope="module")
def function(aws: LocalAws, role: str) -> str:
    variables = {"AWS_ENDPOINT_URL": "", "COLOUR": "blue"}
    create_function(
        aws, role, "worker", SOURCE, MemorySize=256, Environment={"Variables": variables}
    )
    return "worker"


def invoke(aws: LocalAws, function: str, do: str) -> tuple[str | None, Any]:
    answer = aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"do": do}))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


@pytest.mark.parametrize(
    ("do", "error_type", "message"),
    [
        ("fail", "OutOfPaper", "tray 2"),
        ("missing", "KeyError", "'missing'"),
        ("die", "Runtime.ExitError", "Runtime exited"),
        ("leave", "Runtime.ExitError", "Runtime exited"),
        ("unserializable", "Runtime.MarshalError", "not JSON serializable"),
        ("large", "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size"),
    ],
)
def test_a_failure_has_the_name_that_lambda_gives_it(
    aws: LocalAws, function: str, do: str, error_type: str, message: str
) -> None:
    error, payload = invoke(aws, function, do)
    assert error == "Unhandled"
    assert payload["errorType"] == error_type
    assert message in payload["errorMessage"]


def test_a_function_that_runs_too_long_has_timed_out(aws: LocalAws, role: str) -> None:
    forever = "import time\n\ndef handler(event, context):\n    time.sleep(3600)\n"
    create_function(aws, role, "endless", forever, Timeout=1)
    error, payload = invoke(aws, "endless", "")
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 1.00 seconds" in payload["errorMessage"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_processor_time_of_an_environment_that_is_killed_is_not_lost(
    aws: LocalAws, role: str
) -> None:
    source = """
        import time

        def handler(event, context):
            while time.process_time() < 0.5:
                pass
    """
    create_function(aws, role, "busy", source)
    invoke(aws, "busy", "")
    process = environments._runtime._process
    assert process is not None
    before = seconds_of_ended_children(process.pid)
    aws.cool_down()
    deadline = time.monotonic() + 300
    while seconds_of_ended_children(process.pid) < before + 0.4:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def seconds_of_ended_children(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def test_an_environment_stays_warm_through_an_exception(aws: LocalAws, function: str) -> None:
    before = invoke(aws, function, "count")[1]
    invoke(aws, function, "fail")
    after = invoke(aws, function, "count")[1]
    assert after == {"process": before["process"], "calls": before["calls"] + 2}


def test_a_module_that_cannot_be_imported_is_named(aws: LocalAws, role: str) -> None:
    create_function(aws, role, "unimportable", "import no_such_module")
    _, payload = invoke(aws, "unimportable", "count")
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'no_such_module'" in payload["errorMessage"]


def test_a_missing_handler_is_named(aws: LocalAws, role: str) -> None:
    create_function(aws, role, "handlerless", "")
    assert invoke(aws, "handlerless", "count")[1]["errorType"] == "Runtime.HandlerNotFound"


def test_the_x_ray_sdk_is_configured_by_the_functions_environment(aws: LocalAws, role: str) -> None:
    source = """
        from aws_xray_sdk.core import xray_recorder
        from aws_xray_sdk.ext.boto_utils import xray_recorder as used_by_boto

        def handler(event, context):
            return [xray_recorder._service, xray_recorder.emitter.port, used_by_boto is xray_recorder]
    """
    variables = {"AWS_XRAY_TRACING_NAME": "orders", "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2345"}
    create_function(aws, role, "traced", source, Environment={"Variables": variables})
    assert invoke(aws, "traced", "")[1] == ["orders", 2345, True]


def test_the_environment_is_lambdas_with_the_endpoint_even_if_declared_empty(
    aws: LocalAws, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-the-developer")
    error, described = invoke(aws, function, "describe")
    assert error is None
    variables = described["variables"]
    assert variables["AWS_ENDPOINT_URL"] == aws.endpoint_url
    assert variables["COLOUR"] == "blue"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == described["function"] == "worker"
    assert described["memory"] == "256"
    assert 0 < described["remaining"] <= 300_000
    assert "AWS_PROFILE" not in variables


def test_a_function_calls_as_its_role(aws: LocalAws, function: str) -> None:
    error, _ = invoke(aws, function, "call")
    assert error is None
    (call,) = aws.calls.of("s3")
    assert call.caller == "jobs/worker"


def test_a_function_lives_in_the_time_of_the_local_aws(aws: LocalAws, function: str) -> None:
    aws.clock.move_to(datetime(2014, 11, 2, 6, tzinfo=UTC))
    _, described = invoke(aws, function, "describe")
    assert described["now"].startswith("2014-11-02T06:00")


def test_what_a_handler_prints_is_in_its_log(aws: LocalAws, function: str) -> None:
    invoke(aws, function, "count")
    events = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/worker")["events"]
    assert any("printed {'do': 'count'}" in event["message"] for event in events)


def test_new_code_is_used_at_once(aws: LocalAws, role: str) -> None:
    create_function(aws, role, "changing", "def handler(event, context): return 1")
    assert invoke(aws, "changing", "-") == (None, 1)
    client = aws.client("lambda")
    client.update_function_code(
        FunctionName="changing", ZipFile=zipped("def handler(event, context): return 2")
    )
    client.get_waiter("function_updated_v2").wait(FunctionName="changing")
    assert invoke(aws, "changing", "-") == (None, 2)


def test_invocations_are_metrics_of_the_function_and_of_the_account(
    aws: LocalAws, function: str
) -> None:
    invoke(aws, function, "count")
    metrics = aws.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", MetricName="Invocations"
    )["Metrics"]
    dimensions = [metric["Dimensions"] for metric in metrics]
    assert [] in dimensions
    assert [{"Name": "FunctionName", "Value": "worker"}] in dimensions


def test_a_layer_is_importable(aws: LocalAws, role: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("python/greeting.py", "TEXT = 'hello'")
    layer = aws.client("lambda").publish_layer_version(
        LayerName="greetings", Content={"ZipFile": archive.getvalue()}
    )
    source = """
        import greeting

        def handler(event, context):
            return greeting.TEXT
    """
    create_function(aws, role, "layered", source, Layers=[layer["LayerVersionArn"]])
    assert invoke(aws, "layered", "-") == (None, "hello")


def test_invocations_at_once_do_not_share_an_environment(
    aws: LocalAws, role: str, tmp_path: Path
) -> None:
    source = """
        import os, pathlib, time

        def handler(event, context):
            folder = pathlib.Path(event["do"])
            (folder / str(os.getpid())).touch()
            while len(list(folder.iterdir())) < 4:
                time.sleep(0.01)
            return os.getpid()
    """
    create_function(aws, role, "parallel", source)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: invoke(aws, "parallel", str(tmp_path)), range(4)))
    assert len({process for _, process in answers}) == 4


def test_the_pauses_of_a_throttled_adaptive_client_are_skipped(aws: LocalAws, role: str) -> None:
    source = """
        import time
        from botocore.retries.bucket import Clock, TokenBucket

        def handler(event, context):
            bucket = TokenBucket(max_rate=0.5, clock=Clock())
            before = time.time()
            for _ in range(20):
                bucket.acquire()
            return time.time() - before
    """
    create_function(aws, role, "adaptive", source)
    aws.clock.advance(1)
    try:
        error, waited = invoke(aws, "adaptive", "")
    finally:
        aws.clock.restore()
    assert error is None
    assert waited == pytest.approx(40, abs=5)
