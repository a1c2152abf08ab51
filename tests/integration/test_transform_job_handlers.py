"""Start, look at and stop a transform job."""

import json

import pytest

from cutwatch.errors import ModelMissing
from tests.support.account import Account
from tests.support.builders import a_model
from tests.support.sample_events import sample

START = sample("start_transform_job")
MODEL = START["model"]
NAME = sample("get_transform_job_status")["job"]["name"]


@pytest.fixture
def account_with_model(account: Account) -> Account:
    account.sagemaker.models[MODEL] = {}
    return account


def test_the_job_scores_every_row_and_writes_jsonlines(account_with_model: Account) -> None:
    account = account_with_model

    answer = account.invoke("start_transform_job", START)

    request = account.sagemaker.jobs["TransformJob", NAME].request
    assert (answer["name"], answer["status"]) == (NAME, "InProgress")
    assert request["ModelName"] == MODEL
    assert request["TransformInput"] == {
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"s3://{account.bucket}/{START['data']['prefix']}rows/",
            }
        },
        "ContentType": "text/csv",
        "SplitType": "Line",
    }
    assert request["TransformOutput"] == {
        "S3OutputPath": f"s3://{account.bucket}/scores/lambda-invocations/{NAME}/",
        "Accept": "application/jsonlines",
        "AssembleWith": "Line",
    }


def test_a_second_start_finds_the_job(account_with_model: Account) -> None:
    account_with_model.invoke("start_transform_job", START)
    account_with_model.invoke("start_transform_job", START)

    assert account_with_model.sagemaker.created("CreateTransformJob") == [NAME]


def test_a_model_that_is_gone_leaves_the_registry_so_that_the_next_transform_trains(
    account: Account,
) -> None:
    account.registry.detectors.add_model("lambda-invocations", a_model(MODEL))
    account.registry.detectors.add_model(
        "lambda-invocations", a_model("older", scheduled_time="2026-10-01T03:00:00Z")
    )

    with pytest.raises(ModelMissing, match=f"model {MODEL} no longer exists"):
        account.invoke("start_transform_job", START)

    [left] = account.registry.detectors.get("lambda-invocations").models
    assert left.name == "older"


def test_a_key_encrypts_scores_and_volumes(account_with_model: Account) -> None:
    account_with_model.invoke("start_transform_job", START, KMS_KEY_ID="key")

    request = account_with_model.sagemaker.jobs["TransformJob", NAME].request
    assert request["TransformOutput"]["KmsKeyId"] == "key"
    assert request["TransformResources"]["VolumeKmsKeyId"] == "key"


def test_the_status_is_sagemakers_with_its_reason(account_with_model: Account) -> None:
    account_with_model.sagemaker.will_end("TransformJob", "Failed", "ClientError: bad row")
    account_with_model.invoke("start_transform_job", START)

    event = sample("get_transform_job_status")
    answer = account_with_model.invoke("get_transform_job_status", event)

    assert (answer["status"], answer["reason"]) == ("Failed", "ClientError: bad row")


def test_an_overdue_job_is_stopped(account_with_model: Account) -> None:
    account_with_model.sagemaker.will_end("TransformJob", "InProgress")
    account_with_model.invoke("start_transform_job", START)

    account_with_model.invoke("stop_transform_job", sample("stop_transform_job"))

    assert account_with_model.sagemaker.jobs["TransformJob", NAME].status == "Stopped"


def test_answers_are_small_enough_to_travel_between_states(account_with_model: Account) -> None:
    answer = account_with_model.invoke("start_transform_job", START)
    assert len(json.dumps(answer)) < 1_000
