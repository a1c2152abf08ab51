"""Start, look at and stop a training job."""

import json
from datetime import timedelta

import pytest

from cutwatch.aws.clients import client
from cutwatch.errors import AttemptsExhausted, QuotaExceeded, RejectedRequest, Throttled
from cutwatch.timestamps import parse_timestamp
from tests.support.account import Account
from tests.support.sample_events import sample

START = sample("start_training_job")
NAME = sample("get_training_job_status")["job"]["name"]


def start(account: Account, **environment: str) -> dict[str, object]:
    answer: dict[str, object] = account.invoke("start_training_job", START, **environment)
    return answer


def test_the_job_is_a_random_cut_forest_on_the_stored_rows(account: Account) -> None:
    start(account)

    [(_, request)] = account.sagemaker.calls
    environment = account.stack.environment("StartTrainingJob")
    [channel] = request["InputDataConfig"]
    source = channel["DataSource"]["S3DataSource"]
    assert request["AlgorithmSpecification"]["TrainingImage"] == environment["IMAGE_URI"]
    assert request["RoleArn"] == environment["ROLE_ARN"]
    assert request["HyperParameters"] == {
        "feature_dim": str(START["data"]["dimensions"]),
        "num_trees": "50",
        "num_samples_per_tree": "256",
    }
    assert (channel["ChannelName"], channel["ContentType"]) == ("train", "text/csv;label_size=0")
    assert source["S3DataDistributionType"] == "ShardedByS3Key"
    assert source["S3Uri"] == f"s3://{account.bucket}/{START['data']['prefix']}rows/"


def test_the_job_is_named_after_what_it_works_on_and_ends_by_its_deadline(account: Account) -> None:
    answer = start(account)

    deadline = parse_timestamp(START["now"]).replace(microsecond=0) + timedelta(minutes=60)
    assert answer == {
        "name": NAME,
        "status": "InProgress",
        "deadline": deadline.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": "",
        "overdue": False,
    }
    assert account.sagemaker.jobs["TrainingJob", NAME].request["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 3600
    }


def test_a_second_start_finds_the_running_job(account: Account) -> None:
    first = start(account)

    assert start(account)["name"] == first["name"]
    assert account.sagemaker.created("CreateTrainingJob") == [NAME]


@pytest.mark.parametrize("end", ["Failed", "Stopped"])
def test_after_a_failed_or_stopped_job_the_next_attempt_is_started(
    account: Account, end: str
) -> None:
    account.sagemaker.will_end("TrainingJob .*-1$", end, "no capacity")
    start(account)
    account.invoke("get_training_job_status", sample("get_training_job_status"))

    assert str(start(account)["name"]).endswith("-2")


def test_attempts_come_to_an_end(account: Account) -> None:
    account.sagemaker.will_end("TrainingJob", "Failed", "no capacity")
    for attempt in range(1, 21):
        name = start(account)["name"]
        client("sagemaker").describe_training_job(TrainingJobName=name)
        assert str(name).endswith(f"-{attempt}")

    with pytest.raises(AttemptsExhausted, match="all 20 attempts failed"):
        start(account)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ThrottlingException", Throttled),
        ("ResourceLimitExceeded", QuotaExceeded),
        ("ValidationException", RejectedRequest),
    ],
)
def test_a_refusal_arrives_under_the_name_that_the_state_machine_knows(
    account: Account, code: str, error: type[Exception]
) -> None:
    account.sagemaker.refuse("CreateTrainingJob", code)

    with pytest.raises(error):
        start(account)


def test_the_stacks_tags_reach_the_job(account: Account) -> None:
    tags = [{"Key": "team", "Value": "shop"}]
    client("s3").put_bucket_tagging(Bucket=account.bucket, Tagging={"TagSet": tags})

    start(account)

    assert account.sagemaker.jobs["TrainingJob", NAME].request["Tags"] == tags


def test_a_key_and_a_vpc_are_passed_on_when_they_are_given(account: Account) -> None:
    start(account, KMS_KEY_ID="key", SUBNET_IDS="subnet-1, subnet-2", SECURITY_GROUP_IDS="sg-1")

    request = account.sagemaker.jobs["TrainingJob", NAME].request
    assert request["OutputDataConfig"]["KmsKeyId"] == "key"
    assert request["ResourceConfig"]["VolumeKmsKeyId"] == "key"
    assert request["VpcConfig"] == {
        "Subnets": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
    }


def test_without_them_the_request_says_nothing_of_keys_or_a_vpc(account: Account) -> None:
    start(account)

    request = account.sagemaker.jobs["TrainingJob", NAME].request
    assert "VpcConfig" not in request
    assert "KmsKeyId" not in json.dumps(request)


def test_the_status_is_sagemakers_with_its_reason(account: Account) -> None:
    account.sagemaker.will_end("TrainingJob", "Failed", "AlgorithmError: feature_dim")
    start(account)

    answer = account.invoke("get_training_job_status", sample("get_training_job_status"))

    assert (answer["status"], answer["reason"]) == ("Failed", "AlgorithmError: feature_dim")


def test_a_job_past_its_deadline_is_overdue_and_keeps_its_deadline(account: Account) -> None:
    account.sagemaker.will_end("TrainingJob", "InProgress")
    start(account)
    event = sample("get_training_job_status")

    in_time = account.invoke("get_training_job_status", event)
    late = account.invoke("get_training_job_status", event | {"now": "2026-11-01T05:00:00Z"})

    assert (in_time["overdue"], late["overdue"]) == (False, True)
    assert in_time["deadline"] == late["deadline"] == event["job"]["deadline"]


def test_an_overdue_job_is_stopped(account: Account) -> None:
    account.sagemaker.will_end("TrainingJob", "InProgress")
    start(account)

    account.invoke("stop_training_job", sample("stop_training_job"))

    assert account.sagemaker.jobs["TrainingJob", NAME].status == "Stopped"


def test_stopping_a_job_that_has_ended_meanwhile_is_no_failure(account: Account) -> None:
    start(account)
    account.invoke("get_training_job_status", sample("get_training_job_status"))

    answer = account.invoke("stop_training_job", sample("stop_training_job"))

    assert answer == {"name": NAME}


@pytest.mark.parametrize(
    ("instance_type", "has_key"),
    [
        ("ml.m5.large", True),
        ("ml.c5.xlarge", True),
        ("ml.m5d.large", False),
        ("ml.g4dn.xlarge", False),
        ("ml.c6id.large", False),
        ("ml.g5.xlarge", False),
        ("ml.m6g.large", True),
    ],
)
def test_an_instance_with_local_storage_gets_no_key_for_its_volume(
    account: Account, instance_type: str, *, has_key: bool
) -> None:
    start(account, KMS_KEY_ID="key", INSTANCE_TYPE=instance_type)

    request = account.sagemaker.jobs["TrainingJob", NAME].request
    assert request["OutputDataConfig"]["KmsKeyId"] == "key"
    assert ("VolumeKmsKeyId" in request["ResourceConfig"]) is has_key
