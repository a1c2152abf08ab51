"""Training jobs: what the built-in Random Cut Forest takes, does, and refuses."""

import io
import re
import tarfile
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.sagemaker_requests import ended, rows, training

PREFIX = "training/"


@pytest.fixture(scope="module")
def sagemaker(aws: LocalAws, bucket: str) -> Any:
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}1.csv", Body=rows(seed=1))
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}2.csv", Body=rows(seed=2))
    return aws.client("sagemaker")


def test_a_completed_job_has_its_times_and_its_artefact(
    aws: LocalAws, sagemaker: Any, role: str, bucket: str
) -> None:
    aws.sagemaker.training_seconds = 240
    sagemaker.create_training_job(**training("complete", role, bucket, PREFIX))
    described = ended(sagemaker, "Training", "complete")
    aws.sagemaker.training_seconds = 0
    assert described["TrainingJobStatus"] == described["SecondaryStatus"] == "Completed"
    took = described["TrainingEndTime"] - described["CreationTime"]
    assert timedelta(seconds=240) <= took < timedelta(seconds=480)
    uri = f"s3://{bucket}/models/complete/output/model.tar.gz"
    assert described["ModelArtifacts"] == {"S3ModelArtifacts": uri}
    key = uri.removeprefix(f"s3://{bucket}/")
    artefact = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(artefact)) as archive:
        assert len(archive.getnames()) == 1


def test_the_same_rows_train_the_same_forest(
    aws: LocalAws, sagemaker: Any, role: str, bucket: str
) -> None:
    artefacts = []
    for name in ("one", "another"):
        sagemaker.create_training_job(**training(name, role, bucket, PREFIX))
        ended(sagemaker, "Training", name)
        key = f"models/{name}/output/model.tar.gz"
        artefacts.append(aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert artefacts[0] == artefacts[1]


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({}, "'feature_dim' is a required hyperparameter"),
        ({"feature_dim": "2"}, "dimension of the data .* is 1, .* feature_dim is 2"),
        ({"feature_dim": "1", "num_trees": "49"}, "49 of num_trees is not between 50 and 1000"),
        ({"feature_dim": "1", "num_samples_per_tree": "2049"}, "not between 1 and 2048"),
        ({"feature_dim": "one"}, "not of type 'integer'"),
        ({"feature_dim": "1", "forest_size": "9"}, "'forest_size' was unexpected"),
    ],
)
def test_wrong_hyperparameters_fail_the_job_with_a_reason(
    sagemaker: Any,
    role: str,
    bucket: str,
    hyperparameters: dict[str, str],
    reason: str,
    request: pytest.FixtureRequest,
) -> None:
    name = f"hyper-{abs(hash(request.node.name))}"
    sagemaker.create_training_job(
        **training(name, role, bucket, PREFIX, HyperParameters=hyperparameters)
    )
    described = ended(sagemaker, "Training", name)
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("ClientError: ")
    assert re.search(reason, described["FailureReason"])


@pytest.mark.parametrize("content", ["a,b\n", "1\n2,3\n", "nan\n", "inf\n", "value\n1\n", ""])
def test_rows_that_are_no_numbers_fail_the_job(
    aws: LocalAws, sagemaker: Any, role: str, bucket: str, content: str
) -> None:
    name = f"rows-{abs(hash(content))}"
    aws.client("s3").put_object(Bucket=bucket, Key=f"{name}/rows.csv", Body=content)
    sagemaker.create_training_job(**training(name, role, bucket, f"{name}/"))
    described = ended(sagemaker, "Training", name)
    assert "Unable to read data channel 'train'" in described["FailureReason"]


def test_there_is_a_file_for_every_instance(sagemaker: Any, role: str, bucket: str) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 1}
    sagemaker.create_training_job(
        **training("sharded", role, bucket, PREFIX, ResourceConfig=resources)
    )
    assert "2 objects" in ended(sagemaker, "Training", "sharded")["FailureReason"]


def test_the_train_channel_is_sharded(sagemaker: Any, role: str, bucket: str) -> None:
    request = training("replicated", role, bucket, PREFIX)
    source = request["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    source["S3DataDistributionType"] = "FullyReplicated"
    sagemaker.create_training_job(**request)
    assert "ShardedByS3Key" in ended(sagemaker, "Training", "replicated")["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TrainingJobName": "under_score"}, "at 'trainingJobName' failed to satisfy constraint"),
        ({"TrainingJobName": "x" * 64}, "length less than or equal to 63"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
        ({"EnableManagedSpotTraining": True}, "does not implement EnableManagedSpotTraining"),
        (
            {"ResourceConfig": {"InstanceType": "tiny", "InstanceCount": 1, "VolumeSizeInGB": 1}},
            "enum value set",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "382416733822.dkr.ecr.eu-west-1.amazonaws.com/randomcutforest:1",
                    "TrainingInputMode": "File",
                }
            },
            "Cannot find repository",
        ),
    ],
)
def test_a_wrong_request_is_refused(
    sagemaker: Any, role: str, bucket: str, changes: dict[str, Any], message: str
) -> None:
    request = {**training("refused", role, bucket, PREFIX), **changes}
    with pytest.raises(ClientError, match=message) as caught:
        sagemaker.create_training_job(**request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_data_that_is_not_there_is_refused(sagemaker: Any, role: str, bucket: str) -> None:
    with pytest.raises(ClientError, match="No S3 objects found under S3 URL"):
        sagemaker.create_training_job(**training("no-data", role, bucket, "nothing/"))


def test_a_name_in_use_is_a_resource_in_use(sagemaker: Any, role: str, bucket: str) -> None:
    request = training("taken", role, bucket, PREFIX)
    sagemaker.create_training_job(**request)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="already exists"):
        sagemaker.create_training_job(**request)


def test_the_quota_is_of_instances_at_once(
    aws: LocalAws, sagemaker: Any, role: str, bucket: str
) -> None:
    aws.sagemaker.quotas = {"ml.c5.xlarge": 1}
    aws.sagemaker.hang(lambda name: name == "occupant")
    resources = {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    change = {"ResourceConfig": resources}
    sagemaker.create_training_job(**training("occupant", role, bucket, PREFIX, **change))
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match=r"is 1 Instances"):
        sagemaker.create_training_job(**training("next", role, bucket, PREFIX, **change))
    sagemaker.stop_training_job(TrainingJobName="occupant")
    ended(sagemaker, "Training", "occupant")
    sagemaker.create_training_job(**training("next", role, bucket, PREFIX, **change))


def test_a_hanging_job_goes_on_until_it_is_stopped(
    aws: LocalAws, sagemaker: Any, role: str, bucket: str
) -> None:
    aws.sagemaker.hang(lambda name: name == "hanging")
    aws.sagemaker.stopping_seconds = 60
    sagemaker.create_training_job(**training("hanging", role, bucket, PREFIX))
    aws.clock.advance(86_400)
    described = sagemaker.describe_training_job(TrainingJobName="hanging")
    assert described["TrainingJobStatus"] == "InProgress"
    sagemaker.stop_training_job(TrainingJobName="hanging")
    described = sagemaker.describe_training_job(TrainingJobName="hanging")
    assert described["TrainingJobStatus"] == "Stopping"
    aws.clock.advance(60)
    assert ended(sagemaker, "Training", "hanging")["TrainingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName="hanging")
    aws.sagemaker.stopping_seconds = 0


def test_a_job_ends_as_its_outcome_says(
    aws: LocalAws, sagemaker: Any, role: str, bucket: str
) -> None:
    aws.sagemaker.fail(lambda name: name.startswith("doomed"), "AlgorithmError: no", times=1)
    aws.sagemaker.run_out_of_capacity(lambda name: name == "crowded")
    aws.sagemaker.stop(lambda name: name == "stopped")
    endings = {}
    for name in ("doomed-1", "doomed-2", "crowded", "stopped"):
        sagemaker.create_training_job(**training(name, role, bucket, PREFIX))
        described = ended(sagemaker, "Training", name)
        endings[name] = (described["TrainingJobStatus"], described.get("FailureReason", ""))
    assert endings["doomed-1"] == ("Failed", "AlgorithmError: no")
    assert endings["doomed-2"] == ("Completed", "")
    assert endings["crowded"][1].startswith("CapacityError: ")
    assert endings["stopped"] == ("Stopped", "")


def test_a_job_that_runs_too_long_is_stopped_by_sagemaker(
    aws: LocalAws, sagemaker: Any, role: str, bucket: str
) -> None:
    aws.sagemaker.training_seconds = 7200
    sagemaker.create_training_job(**training("long", role, bucket, PREFIX))
    described = ended(sagemaker, "Training", "long")
    aws.sagemaker.training_seconds = 0
    assert described["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert described["TrainingJobStatus"] == "Stopped"


def test_an_unknown_job_is_not_found(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="unknown")


def test_jobs_are_listed_newest_first_and_in_pages(sagemaker: Any, role: str, bucket: str) -> None:
    names = [f"listed-{number}" for number in range(3)]
    for name in names:
        sagemaker.create_training_job(**training(name, role, bucket, PREFIX))
        ended(sagemaker, "Training", name)
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains="listed-", StatusEquals="Completed", PaginationConfig={"PageSize": 2}
    )
    sizes = [len(page["TrainingJobSummaries"]) for page in pages]
    assert sizes == [2, 1]
    newest = sagemaker.list_training_jobs(NameContains="listed-")["TrainingJobSummaries"][0]
    assert newest["TrainingJobName"] == "listed-2"


def test_tags_are_kept_and_added(sagemaker: Any, role: str, bucket: str) -> None:
    tags = [{"Key": "team", "Value": "papers"}]
    created = sagemaker.create_training_job(**training("tagged", role, bucket, PREFIX, Tags=tags))
    arn = created["TrainingJobArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "more", "Value": "1"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [*tags, {"Key": "more", "Value": "1"}]


def test_what_sagemaker_can_and_this_one_cannot_is_refused_by_name(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="does not implement ListNotebookInstances"):
        sagemaker.list_notebook_instances()
