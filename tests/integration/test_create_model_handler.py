"""Create Model makes a model of a training job's artefact."""

import pytest

from cutwatch.errors import QuotaExceeded
from tests.support.account import Account
from tests.support.sample_events import sample

EVENT = sample("create_model")
NAME = EVENT["job"]["name"]


def test_the_model_bears_its_jobs_name_and_holds_its_artefact(account: Account) -> None:
    answer = account.invoke("create_model", EVENT)

    [container] = [account.sagemaker.models[NAME]["PrimaryContainer"]]
    assert answer == {"name": NAME}
    assert container == {
        "Image": account.stack.environment("CreateModel")["IMAGE_URI"],
        "ModelDataUrl": f"s3://{account.bucket}/models/lambda-invocations/{NAME}/output/model.tar.gz",
    }


def test_the_artefact_is_where_the_training_job_was_told_to_put_it(account: Account) -> None:
    account.invoke("start_training_job", sample("start_training_job"))
    account.invoke("create_model", EVENT)

    job = account.sagemaker.jobs["TrainingJob", NAME].request
    artefact = account.sagemaker.models[NAME]["PrimaryContainer"]["ModelDataUrl"]
    assert artefact == f"{job['OutputDataConfig']['S3OutputPath']}{NAME}/output/model.tar.gz"


def test_an_existing_model_is_recognised(account: Account) -> None:
    first = account.invoke("create_model", EVENT)

    assert account.invoke("create_model", EVENT) == first
    assert account.sagemaker.created("CreateModel") == [NAME]


def test_a_quota_refusal_arrives_under_its_name(account: Account) -> None:
    account.sagemaker.refuse("CreateModel", "ResourceLimitExceeded")

    with pytest.raises(QuotaExceeded):
        account.invoke("create_model", EVENT)
