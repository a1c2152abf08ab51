"""A service that uses a customer-managed key for a caller asks the caller's role for the rights on the key."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support import sagemaker_requests
from support.roles import allow

KEY = "arn:aws:kms:us-east-1:123456789012:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
ALL_BUT_KEYS = {
    "Sid": "A",
    "Effect": "Allow",
    "NotAction": "kms:*",
    "Resource": "*",
}
Call = Callable[[LocalAws], Any]


def on_the_key(*actions: str, **fields: Any) -> dict[str, Any]:
    return {"Sid": "K", "Effect": "Allow", "Action": list(actions), "Resource": KEY, **fields}


@pytest.fixture(scope="module")
def topic(aws: LocalAws) -> str:
    answer = aws.client("sns").create_topic(Name="t", Attributes={"KmsMasterKeyId": KEY})
    return str(answer["TopicArn"])


@pytest.fixture(scope="module", autouse=True)
def _encrypted(aws: LocalAws, bucket: str, role: str) -> None:
    """A bucket with an object and a table, both under the key."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    aws.client("s3").put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    aws.client("s3").put_object(
        Bucket=bucket, Key="rows/part-0.csv", Body=sagemaker_requests.rows().encode()
    )
    aws.client("dynamodb").create_table(
        TableName="items",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY},
    )


@pytest.fixture(autouse=True)
def _whatever_was_allowed(aws: LocalAws, role: str) -> Iterator[None]:
    yield
    allow(aws, "jobs", [{**ALL_BUT_KEYS, "NotAction": "none:*"}])


def put_object(aws: LocalAws) -> None:
    aws.client_of("jobs", "s3").put_object(Bucket="rows-and-scores", Key="x", Body=b"x")


def get_object(aws: LocalAws) -> None:
    aws.client_of("jobs", "s3").get_object(Bucket="rows-and-scores", Key="rows/part-0.csv")


def get_item(aws: LocalAws) -> None:
    aws.client_of("jobs", "dynamodb").get_item(TableName="items", Key={"pk": {"S": "a"}})


def publish(aws: LocalAws) -> None:
    [topic] = aws.client("sns").list_topics()["Topics"]
    aws.client_of("jobs", "sns").publish(TopicArn=topic["TopicArn"], Message="m")


@pytest.mark.parametrize(
    ("call", "rights", "code"),
    [
        (put_object, ["kms:GenerateDataKey"], "AccessDenied"),
        (get_object, ["kms:Decrypt"], "AccessDenied"),
        (get_item, ["kms:Decrypt"], "AccessDeniedException"),
        (publish, ["kms:Decrypt", "kms:GenerateDataKey"], "KMSAccessDenied"),
    ],
    ids=["S3 writes", "S3 reads", "DynamoDB", "SNS"],
)
def test_a_caller_needs_each_right_and_no_other(
    aws: LocalAws, topic: str, call: Call, rights: list[str], code: str
) -> None:
    for lacking in rights:
        allow(aws, "jobs", [ALL_BUT_KEYS, on_the_key(*(set(rights) - {lacking}), "kms:ListGrants")])
        with pytest.raises(ClientError, match=f"not authorized to perform: {lacking}") as denied:
            call(aws)
        assert denied.value.response["Error"]["Code"] == code
    allow(aws, "jobs", [ALL_BUT_KEYS, on_the_key(*rights)])
    call(aws)


def test_what_is_not_under_a_key_needs_no_right(aws: LocalAws, bucket: str) -> None:
    allow(aws, "jobs", [ALL_BUT_KEYS])
    aws.client_of("jobs", "s3").list_objects_v2(Bucket=bucket)
    aws.client_of("jobs", "dynamodb").describe_table(TableName="items")


RIGHTS = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")


@pytest.mark.parametrize("lacking", [None, *RIGHTS])
def test_a_training_job_needs_the_rights_for_input_output_and_volume(
    aws: LocalAws, bucket: str, role: str, lacking: str | None
) -> None:
    allow(aws, "jobs", [ALL_BUT_KEYS, on_the_key(*(set(RIGHTS) - {lacking}))])

    job = train(aws, bucket, role, f"lacks-{str(lacking).rpartition(':')[2]}")

    if lacking is None:
        assert job["TrainingJobStatus"] == "Completed"
    else:
        assert job["TrainingJobStatus"] == "Failed"
        assert f"not authorized to perform: {lacking} on resource: {KEY}" in job["FailureReason"]


def test_the_grant_for_a_volume_is_one_for_a_service(aws: LocalAws, bucket: str, role: str) -> None:
    grants = on_the_key(
        "kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}
    )
    others = on_the_key(*(set(RIGHTS) - {"kms:CreateGrant"}))
    allow(aws, "jobs", [ALL_BUT_KEYS, {**others, "Sid": "O"}, grants])

    assert train(aws, bucket, role, "grant")["TrainingJobStatus"] == "Completed"


def train(aws: LocalAws, bucket: str, role: str, name: str) -> Any:
    request = sagemaker_requests.training(name, role, bucket, "rows/")
    request["OutputDataConfig"]["KmsKeyId"] = KEY
    request["ResourceConfig"]["VolumeKmsKeyId"] = KEY
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**request)
    return sagemaker_requests.ended(sagemaker, "Training", name)
