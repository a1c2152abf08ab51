"""Every function of a watched table runs its sample event in Lambda's own runtime, in the order of the state machine."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cutwatch_cli.tables.application import WatchedApplication, watched_application
from localaws import LocalAws
from tests.support.lambda_emulator import emulated, why_not
from tests.support.operator_environment import operator_environment
from tests.support.sample_events import sample
from tests.support.stack import snake
from tests.support.table_application import DECLARATION, items

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]

# The digest of the runs in events/; a stack's own depends on the name of its bucket.
SAMPLED_DIGEST = "38a69683"
SHARED = {"StartTrainingJob", "GetTrainingJobStatus", "StopTrainingJob", "CreateModel",
          "StartTransformJob", "GetTransformJobStatus", "StopTransformJob"}  # fmt: skip

Payload = dict[str, Any]
Emulate = Callable[..., Payload]


@pytest.fixture(scope="module")
def application() -> Iterator[WatchedApplication]:
    """A table that Glue prepares, so that the stack has every function."""
    with LocalAws() as aws:
        parameters = {"Preparation": "glue", "ArtefactsBucket": f"local-artefacts-{aws.region}"}
        with watched_application(aws, DECLARATION, parameters) as deployed:
            deployed.put(items(1_200))
            deployed.client("dynamodb").update_continuous_backups(
                TableName=deployed.table,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )
            yield deployed


@pytest.fixture(scope="module")
def configurations(application: WatchedApplication) -> Mapping[str, Payload]:
    """The deployed functions' configurations, by the names of their files."""
    answer = application.client("cloudformation").describe_stack_resources(StackName="taxi")
    lambdas = application.client("lambda")
    return {
        snake(each["LogicalResourceId"]): lambdas.get_function_configuration(
            FunctionName=each["PhysicalResourceId"]
        )
        for each in answer["StackResources"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    }


@pytest.fixture
def emulate(
    application: WatchedApplication,
    configurations: Mapping[str, Payload],
    tmp_path: Path,
) -> Emulate:
    """Runs a function's sample event with changed fields under Lambda's runtime interface emulator; returns its answer."""
    environment = {**operator_environment(application.aws), "PATH": os.environ["PATH"]}
    detectors = tmp_path / "detectors.yaml"
    detectors.write_text(yaml.safe_dump({"tables": [DECLARATION]}))

    def run(
        function: str, digest: str = SAMPLED_DIGEST, variant: str = "", **fields: Any
    ) -> Payload:
        name = f"{function}.{variant}" if variant else function
        event = json.loads(json.dumps(sample(name)).replace(SAMPLED_DIGEST, digest))
        configuration = configurations[function]
        variables = configuration["Environment"]["Variables"]
        # A template's numbers are texts on AWS.
        own = {name: str(value) for name, value in variables.items()}
        own["DETECTORS_FILE"] = str(detectors)
        with emulated(
            {**configuration, "Environment": {"Variables": own}}, environment, tmp_path
        ) as emulator:
            answer: Payload = emulator.invoke({**event, **fields})
        return answer

    return run


def write_rows(application: WatchedApplication, arguments: Mapping[str, str]) -> None:
    """Put there what the Glue job's run would write for these arguments."""
    s3 = application.client("s3")
    bucket = application.base.outputs["DataBucketName"]
    rows = "".join(f"{each['ridecount']['N']}\n" for each in items(1_200))
    summary = {"items": 1_200, "rows": 1_200, "rejected": {}, "sample": []}
    for argument, content in (("--rows", rows), ("--summary", json.dumps(summary))):
        key = arguments[argument].removeprefix(f"s3://{bucket}/")
        s3.put_object(Bucket=bucket, Key=f"{key}part-0", Body=content.encode())


def train(application: WatchedApplication, prepared: Payload) -> str:
    """Train and score by the functions that metrics have too; return the name of model and jobs."""
    resources = application.stack.resources
    given = {"run": prepared["run"], "data": prepared["data"], "now": "2026-11-01T03:20:00Z", "retries": 0}  # fmt: skip

    def finished(status: str, job: Payload) -> None:
        event = {"job": job, "now": given["now"]}
        for _ in range(60):
            if application.invoke(resources[status], event)["status"] == "Completed":
                return
            application.aws.clock.advance(60)
        pytest.fail(f"{status}: {job} has not completed within an hour")

    job = application.invoke(resources["StartTrainingJob"], given)
    finished("GetTrainingJobStatus", job)
    detector = {"detector": {"name": "taxi"}, "job": job}
    model = application.invoke(resources["CreateModel"], detector)["name"]
    scoring = application.invoke(resources["StartTransformJob"], {**given, "model": model})
    finished("GetTransformJobStatus", scoring)
    assert model == job["name"] == scoring["name"]
    return str(model)


def test_every_function_of_a_table_runs_its_sample_event(
    application: WatchedApplication, configurations: Mapping[str, Payload], emulate: Emulate
) -> None:
    run = {}

    def call(function: str, **more: Any) -> Payload:
        run[function] = answer = emulate(function, **more)
        assert "errorType" not in answer or function == "roll_back_model", answer
        return answer

    export = call("start_export")
    export = call("get_export_status", export=export)
    assert (export["status"], export["items"]) == ("COMPLETED", 1_200)
    job = call("start_preparation_job", export=export)
    # Without Spark the run fails, with the reason.
    seen = call("get_preparation_job_status", job=job)
    assert seen["status"] in ("STARTING", "RUNNING", "FAILED")
    application.aws.glue.hang(lambda _: True)
    [failed] = application.client("glue").get_job_runs(JobName="taxi-prepare-records")["JobRuns"]
    waiting = application.client("glue").start_job_run(JobName="taxi-prepare-records")["JobRunId"]
    stopped = call("stop_preparation_job", job={**job, "name": waiting})
    assert stopped == {"name": waiting}

    write_rows(application, failed["Arguments"])
    prepared = call("prepare_records")
    digest = prepared["data"]["digest"]
    assert (prepared["data"]["rows"], prepared["finished"]) == (1_200, False)
    model = train(application, prepared)
    assert call("store_cutoff", digest=digest)["rows"] == 1_200
    assert [each.variant for each in application.cutoffs] == [model]
    assert call("deploy_model", digest=digest)["status"] == "Creating"
    deployed = call("get_deployment_status", digest=digest)
    assert (deployed["status"], deployed["serves"]) == ("InService", True)
    for variant in ("", "attribute_types"):
        assert call("score_dynamodb_stream", variant=variant) == {"batchItemFailures": []}
    call("close_table_incidents")
    assert call("retire_models", digest=digest)["retired"] == []
    # There is one model only.
    for variant in ("", "named"):
        assert call("roll_back_model", variant=variant)["errorType"] == "CutoffMissing"
    assert run.keys() == configurations.keys() - set(map(snake, SHARED))
