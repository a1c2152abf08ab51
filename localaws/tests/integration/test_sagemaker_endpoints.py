"""Endpoints: configurations, deployments in the clock's time, rollbacks, and requests."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.roles import create_role
from support.sagemaker_requests import ended, model, rows, training

OLD, NEW = "model-old", "model-new"
ENDPOINT = "taxi"
SECONDS = 300


@pytest.fixture(scope="module")
def sagemaker(aws: LocalAws, role: str, bucket: str) -> Any:
    """A client of a SageMaker with two models and a configuration of each, named alike."""
    client = aws.client("sagemaker")
    for seed, name in enumerate((OLD, NEW)):
        aws.client("s3").put_object(Bucket=bucket, Key=f"{name}/rows.csv", Body=rows(seed=seed))
        client.create_training_job(**training(name, role, bucket, f"{name}/"))
        artefact = ended(client, "Training", name)["ModelArtifacts"]["S3ModelArtifacts"]
        client.create_model(**model(name, role, artefact))
        client.create_endpoint_config(**config(name))
    return client


@pytest.fixture(autouse=True)
def endpoint(aws: LocalAws, sagemaker: Any) -> Iterator[str]:
    """An endpoint in service with the old model."""
    aws.sagemaker.endpoint_seconds = 0
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=OLD)
    assert status(sagemaker) == "InService"
    aws.sagemaker.endpoint_seconds = SECONDS
    yield ENDPOINT
    aws.sagemaker.forget()
    aws.clock.advance(10 * SECONDS)
    status(sagemaker)
    aws.clock.advance(10 * SECONDS)
    sagemaker.delete_endpoint(EndpointName=ENDPOINT)
    aws.clock.advance(SECONDS)


def config(name: str, **changes: Any) -> dict[str, Any]:
    capacity = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variant = {"VariantName": name, "ModelName": name} | (changes or capacity)
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def status(sagemaker: Any, name: str = ENDPOINT) -> str:
    return str(sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])


def invoke(aws: LocalAws, body: str = "100\n", kind: str = "text/csv", **more: Any) -> Any:
    runtime = aws.client("sagemaker-runtime", retries={"max_attempts": 0})
    return runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=body, ContentType=kind, **more)


def scores(answer: Any) -> list[float]:
    return [each["score"] for each in json.loads(answer["Body"].read())["scores"]]


def refusal(call: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return dict(caught.value.response)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv", "100\n101\n300\n"),
        ("application/json", json.dumps({"instances": [{"features": [v]} for v in (100, 101, 300)]})),
        (
            "application/json",
            json.dumps({"instances": [{"data": {"features": {"values": [v]}}} for v in (100, 101, 300)]}),
        ),
        ("application/jsonlines", '{"features": [100]}\n{"features": [101]}\n{"features": [300]}'),
    ],
)  # fmt: skip
def test_each_format_of_a_request_gets_the_same_scores_in_order(
    aws: LocalAws, kind: str, body: str
) -> None:
    answer = invoke(aws, body, kind)
    found = scores(answer)
    assert answer["InvokedProductionVariant"] == OLD
    assert found == scores(invoke(aws, "100\n101\n300\n"))
    assert found[2] > 2 * max(found[:2])


def test_an_answer_has_the_accepted_format(aws: LocalAws) -> None:
    answer = invoke(aws, "100\n300\n", Accept="application/jsonlines")
    assert answer["ContentType"] == "application/jsonlines"
    assert len([json.loads(line)["score"] for line in answer["Body"].read().splitlines()]) == 2


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ("a,b\n", "text/csv", 400),
        ("100,2\n", "text/csv", 400),
        ("", "text/csv", 400),
        ('{"instances": [{"features": ["x"]}]}', "application/json", 400),
        ("{}", "application/json", 400),
        ("100", "image/png", 415),
    ],
)
def test_what_the_container_cannot_read_is_an_error_of_the_model(
    aws: LocalAws, body: str, kind: str, code: int
) -> None:
    error = refusal(lambda: invoke(aws, body, kind))
    assert error["Error"]["Code"] == "ModelError"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error["OriginalStatusCode"] == code
    assert error["LogStreamArn"].endswith(ENDPOINT)


def test_too_large_a_request_is_refused(aws: LocalAws) -> None:
    error = refusal(lambda: invoke(aws, "100\n" * 1_600_000))
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_endpoint_that_is_missing_or_not_up_yet_is_not_found(
    aws: LocalAws, sagemaker: Any
) -> None:
    runtime = aws.client("sagemaker-runtime")
    request = {"EndpointName": "other", "Body": "100", "ContentType": "text/csv"}
    assert refusal(runtime.invoke_endpoint, **request)["Error"]["Code"] == "ValidationError"
    sagemaker.create_endpoint(EndpointName="other", EndpointConfigName=OLD)
    assert "not found" in refusal(runtime.invoke_endpoint, **request)["Error"]["Message"]
    aws.clock.advance(SECONDS)
    assert runtime.invoke_endpoint(**request)["InvokedProductionVariant"] == OLD
    sagemaker.delete_endpoint(EndpointName="other")
    assert refusal(runtime.invoke_endpoint, **request)["Error"]["Code"] == "ValidationError"


def test_an_update_serves_the_old_model_until_the_new_one_is_up(
    aws: LocalAws, sagemaker: Any
) -> None:
    sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=NEW)
    assert status(sagemaker) == "Updating"
    assert invoke(aws)["InvokedProductionVariant"] == OLD
    assert aws.variants_in_service() == {ENDPOINT: [OLD]}
    aws.clock.advance(SECONDS)
    assert invoke(aws)["InvokedProductionVariant"] == NEW
    assert status(sagemaker) == "InService"
    described = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    assert described["EndpointConfigName"] == NEW
    assert [each["VariantName"] for each in described["ProductionVariants"]] == [NEW]


def test_both_models_serve_during_a_canary(aws: LocalAws, sagemaker: Any) -> None:
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 600,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30},
    }
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    sagemaker.update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName=NEW, DeploymentConfig=policy
    )
    aws.clock.advance(SECONDS)
    answered = [invoke(aws)["InvokedProductionVariant"] for _ in range(100)]
    assert answered.count(NEW) == 30
    assert aws.variants_in_service() == {ENDPOINT: [OLD, NEW]}
    aws.clock.advance(600)
    assert {invoke(aws)["InvokedProductionVariant"] for _ in range(10)} == {NEW}


def test_a_failed_update_rolls_back_to_the_old_model(aws: LocalAws, sagemaker: Any) -> None:
    aws.sagemaker.fail(lambda name: name == NEW, "The container did not pass the ping health check")
    sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=NEW)
    aws.clock.advance(SECONDS)
    assert status(sagemaker) == "RollingBack"
    assert invoke(aws)["InvokedProductionVariant"] == OLD
    aws.clock.advance(SECONDS)
    described = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", OLD)
    assert "ping" in described["FailureReason"]


def test_an_alarm_rolls_an_update_back_while_the_new_model_bakes(
    aws: LocalAws, sagemaker: Any
) -> None:
    policy = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
            "TerminationWaitInSeconds": 600,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="N", MetricName="M", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    sagemaker.update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName=NEW, DeploymentConfig=policy
    )
    aws.clock.advance(SECONDS)
    assert invoke(aws)["InvokedProductionVariant"] == NEW
    assert status(sagemaker) == "Updating"
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    assert status(sagemaker) == "RollingBack"
    assert invoke(aws)["InvokedProductionVariant"] == OLD
    aws.clock.advance(SECONDS)
    described = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", OLD)
    cloudwatch.delete_alarms(AlarmNames=["errors"])


def test_a_first_deployment_that_fails_leaves_an_endpoint_that_can_only_be_deleted(
    aws: LocalAws, sagemaker: Any
) -> None:
    aws.sagemaker.fail(lambda name: name == NEW, "no capacity")
    sagemaker.create_endpoint(EndpointName="failed", EndpointConfigName=NEW)
    aws.clock.advance(SECONDS)
    assert status(sagemaker, "failed") == "Failed"
    error = refusal(sagemaker.update_endpoint, EndpointName="failed", EndpointConfigName=OLD)
    assert 'with status "Failed"' in error["Error"]["Message"]
    sagemaker.delete_endpoint(EndpointName="failed")
    aws.clock.advance(SECONDS)
    error = refusal(sagemaker.describe_endpoint, EndpointName="failed")
    assert "Could not find endpoint" in error["Error"]["Message"]


def test_a_hanging_update_stays_under_way(aws: LocalAws, sagemaker: Any) -> None:
    aws.sagemaker.hang(lambda name: name == NEW)
    sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=NEW)
    aws.clock.advance(100 * SECONDS)
    assert status(sagemaker) == "Updating"
    error = refusal(sagemaker.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=NEW)
    assert "in-progress" in error["Error"]["Message"]
    error = refusal(sagemaker.delete_endpoint, EndpointName=ENDPOINT)
    assert "in-progress" in error["Error"]["Message"]
    deployment = aws._jobs.endpoints.get(ENDPOINT).deployment  # type: ignore[union-attr]
    assert deployment is not None
    deployment.roll_back(aws.clock.now(), "ended by the test")


@pytest.mark.parametrize(
    ("outcome", "expected"), [("shorten_output", 1), ("lose_output", 0), ("fail", None)]
)
def test_answers_can_be_short_or_fail(aws: LocalAws, outcome: str, expected: int | None) -> None:
    getattr(aws.sagemaker, outcome)(lambda name: name == f"{ENDPOINT}/invocations", times=1)
    if expected is None:
        assert refusal(lambda: invoke(aws))["OriginalStatusCode"] == 500
    else:
        assert len(scores(invoke(aws, "100\n101\n"))) == expected
    assert len(scores(invoke(aws, "100\n101\n"))) == 2


def test_names_are_unique_and_what_is_named_must_exist(sagemaker: Any) -> None:
    errors = [
        refusal(sagemaker.create_endpoint_config, **config(OLD)),
        refusal(sagemaker.create_endpoint, EndpointName=ENDPOINT, EndpointConfigName=OLD),
        refusal(sagemaker.create_endpoint, EndpointName="x", EndpointConfigName="missing"),
        refusal(sagemaker.create_endpoint_config, **config("missing")),
        refusal(sagemaker.delete_endpoint_config, EndpointConfigName="missing"),
    ]
    assert {error["Error"]["Code"] for error in errors} == {"ValidationException"}
    assert ["already existing" in error["Error"]["Message"] for error in errors] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_instances_of_endpoints_count_against_their_quota(aws: LocalAws, sagemaker: Any) -> None:
    aws.sagemaker.quotas = {"ml.m5.large": 1}
    error = refusal(sagemaker.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=NEW)
    aws.sagemaker.quotas = {}
    assert error["Error"]["Code"] == "ResourceLimitExceeded"
    assert "for endpoint usage" in error["Error"]["Message"]


def test_a_serverless_variant_has_no_instances(aws: LocalAws, sagemaker: Any) -> None:
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
    request = config(OLD, **serverless) | {"EndpointConfigName": "serverless"}
    sagemaker.create_endpoint_config(**request)
    sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="serverless")
    aws.clock.advance(SECONDS)
    described = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    assert described["ProductionVariants"][0]["CurrentServerlessConfig"]["MaxConcurrency"] == 5
    error = refusal(lambda: invoke(aws, "100\n" * 1_100_000))
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_role_needs_the_permission_to_invoke_this_endpoint(aws: LocalAws) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }  # fmt: skip
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{ENDPOINT}"
    create_role(aws, "scorer", trust, [{"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}])  # fmt: skip
    create_role(aws, "stranger", trust, [{"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn + "2"}])  # fmt: skip
    request = {"EndpointName": ENDPOINT, "Body": "100", "ContentType": "text/csv"}
    assert aws.client_of("scorer", "sagemaker-runtime").invoke_endpoint(**request)
    error = refusal(aws.client_of("stranger", "sagemaker-runtime").invoke_endpoint, **request)
    assert error["Error"]["Code"] == "AccessDeniedException"
    [call] = aws.calls.of("sagemaker-runtime", where=lambda call: not call.succeeded)
    assert call.parameters["EndpointName"] == ENDPOINT
