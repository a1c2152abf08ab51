"""Every function runs its sample event in Lambda's own runtime, against a stack that `sam deploy` made."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cutwatch.aws.clients import client
from tests.support.containers import architecture, docker_host, why_no_container
from tests.support.lambda_emulator import emulated, why_not
from tests.support.local_server import BIN, LocalServer, cutwatch_local
from tests.support.project import PROJECT
from tests.support.sample_events import EVENTS, sample
from tests.support.sample_state import SampleState
from tests.support.stack import FUNCTION, Stack, camel, snake

STACK = "cutwatch-prod"
FUNCTIONS = sorted(snake(logical_id) for logical_id in Stack().resources(FUNCTION))
Answer = Any
JOB = "cutwatch-lambda-invocations-202611010300-38a69683-1"
WEEKLY_JOB = "cutwatch-lambda-invocations-202611020400-a3656459-1"

EXPECTED: Mapping[str, Callable[[Answer], bool]] = {
    "list_detectors": lambda a: a["run"]["id"] == "transform-20261102T040000Z" and a["count"] == 1,
    # Nobody invoked a Lambda function in 2026-10, which is zeros; and nothing to do once they are published.
    "store_metric_data": lambda a: a["pending"] == len(a["datasets"]) and a["rows"] in (0, 2365),
    "start_training_job": lambda a: a["name"] == JOB,
    "get_training_job_status": lambda a: (a["name"], a["status"]) == (JOB, "Completed"),
    "stop_training_job": lambda a: a == {"name": JOB},
    "create_model": lambda a: a == {"name": JOB},
    "start_transform_job": lambda a: a["name"] == WEEKLY_JOB,
    "get_transform_job_status": lambda a: (a["name"], a["status"]) == (WEEKLY_JOB, "Completed"),
    "stop_transform_job": lambda a: a == {"name": WEEKLY_JOB},
    "register_model": lambda a: a == {"models": [JOB]},
    "publish_anomalies": lambda a: a["detectors"] == 1,
    "train_forest": lambda a: [d["detector"] for d in a["datasets"]] == ["checkout-errors"],
    "score_forest": lambda a: [d["detector"] for d in a["datasets"]] == ["checkout-errors"],
    "check_freshness": lambda a: a["detectors"] >= 0,
    "record_outcome": lambda a: "errorType" not in a,
    "retire_detectors": lambda a: a["problems"] == [],
    "summarize_run": lambda a: a["detectors"] == 1,
    # Whatever day it is: CloudWatch keeps no datapoints for ever.
    "draw_widget": lambda a: a.startswith("<style>") and "lambda-invocations" in a,
}

STREAM_STACK = "cutwatch-vitals"
STREAM_EXPECTED: Mapping[str, Answer] = {
    "score_kinesis": {"batchItemFailures": []},
    "close_windows": {"buckets": 0},
}
# The stream of the samples.
VITALS = """
detectors: []
streams:
  - name: vitals
    source: arn:aws:kinesis:us-east-1:123456789012:stream/vitals
    record:
      key: patient.id
      time: measured_at
      values: {systolic: pressure.systolic, diastolic: pressure.diastolic}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    # The samples' own time: CloudWatch takes no datapoints that are older than two weeks.
    with cutwatch_local("--host", "0.0.0.0", "--now", "2026-11-02T04:05:11Z") as running:
        running.sam(
            *("deploy", "--template", "template.yaml", "--config-env", "prod"),
            "--no-confirm-changeset",
        )
        yield running


@pytest.fixture(scope="module")
def functions(server: LocalServer) -> Mapping[str, Answer]:
    """The deployed functions' configurations, by the names of their files."""
    resources = server.client("cloudformation").describe_stack_resources(StackName=STACK)
    lambdas = server.client("lambda")
    return {
        snake(resource["LogicalResourceId"]): lambdas.get_function_configuration(
            FunctionName=resource["PhysicalResourceId"]
        )
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


@pytest.fixture(scope="module")
def state(server: LocalServer, functions: Mapping[str, Answer]) -> SampleState:
    [stack] = server.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    lambdas = server.client("lambda")

    def invoke(function: str, event: Answer) -> Any:
        answer = lambdas.invoke(
            FunctionName=functions[function]["FunctionName"], Payload=json.dumps(event)
        )
        payload = answer["Payload"].read()
        assert "FunctionError" not in answer, payload
        return json.loads(payload)

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", server.endpoint_url)
        # Not the ones that are kept: other tests have theirs on moto.
        s3, dynamodb = client.__wrapped__("s3"), client.__wrapped__("dynamodb")
    return SampleState(s3, dynamodb, outputs, invoke)


@pytest.mark.slow
def test_the_template_s_functions_are_all_deployed(functions: Mapping[str, Answer]) -> None:
    assert sorted(functions) == FUNCTIONS == sorted(EXPECTED)


@pytest.mark.slow
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_runs_its_event_under_the_runtime_interface_emulator(
    function: str,
    server: LocalServer,
    functions: Mapping[str, Answer],
    state: SampleState,
    tmp_path: Path,
) -> None:
    state.before(function)
    with emulated(functions[function], server.environment, tmp_path) as emulator:
        answer = emulator.invoke(sample(function))
    assert EXPECTED[function](answer), (answer, (tmp_path / "log").read_text())


@pytest.fixture(scope="module")
def stream_functions(
    server: LocalServer, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Answer]:
    """The functions of a stream's stack, which `sam deploy` adds to the base stack, and which read their own `detectors.yaml`."""
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/vitals"
    server.client("kinesis").create_stream(StreamName="vitals", ShardCount=1)
    server.sam(
        *("deploy", "--template", "stacks/stream.yaml", "--stack-name", STREAM_STACK),
        *("--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-confirm-changeset"),
        *("--parameter-overrides", f"StreamName=vitals BaseStack={STACK} KinesisStreamArn={arn}"),
    )
    declared = tmp_path_factory.mktemp("vitals") / "detectors.yaml"
    declared.write_text(VITALS)
    lambdas, stacks = server.client("lambda"), server.client("cloudformation")
    found = {}
    for function in STREAM_EXPECTED:
        resource = stacks.describe_stack_resource(
            StackName=STREAM_STACK, LogicalResourceId=camel(function)
        )
        name = resource["StackResourceDetail"]["PhysicalResourceId"]
        found[function] = lambdas.get_function_configuration(FunctionName=name)
        found[function]["Environment"]["Variables"]["DETECTORS_FILE"] = str(declared)
    return found


@pytest.mark.slow
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
@pytest.mark.parametrize("function", ["score_kinesis", "close_windows"])
def test_a_function_of_a_stream_runs_its_event_under_the_runtime_interface_emulator(
    function: str, server: LocalServer, stream_functions: Mapping[str, Answer], tmp_path: Path
) -> None:
    with emulated(stream_functions[function], server.environment, tmp_path) as emulator:
        answer = emulator.invoke(sample(function))
    assert answer == STREAM_EXPECTED[function], (answer, (tmp_path / "log").read_text())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`sam build` for the processor of this machine."""
    folder = tmp_path_factory.mktemp("build")
    answer = subprocess.run(
        [
            *(BIN / "sam", "build", "--build-dir", folder / "build"),
            *("--cache-dir", folder / "cache"),
            *("--parameter-overrides", f"Architecture={architecture()}"),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder / "build" / "template.yaml"


@pytest.mark.container
@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_runs_its_event_in_a_container(
    function: str,
    server: LocalServer,
    functions: Mapping[str, Answer],
    state: SampleState,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    if reason := why_no_container():
        pytest.skip(reason)
    state.before(function)
    variables = dict(functions[function]["Environment"]["Variables"])
    variables["AWS_ENDPOINT_URL"] = f"http://{docker_host()}:{server.port}"
    settings = tmp_path / "environment.json"
    settings.write_text(json.dumps({"Parameters": variables}))
    printed = server.sam(
        *("local", "invoke", camel(function), "--template", str(request.getfixturevalue("built"))),
        *("--event", str(EVENTS / f"{function}.json"), "--env-vars", str(settings)),
        *("--parameter-overrides", f"Architecture={architecture()}"),
        "--skip-pull-image",
    )
    answer = json.loads(printed.strip().splitlines()[-1])
    assert EXPECTED[function](answer), answer
