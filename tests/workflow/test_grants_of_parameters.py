"""What the roles are granted for a key of one's own and for a VPC: there if a service needs it on our behalf, and nothing else.

No call of ours is one to KMS or EC2: the services make them when a call of ours touches what is encrypted, or starts a
job in the VPC. The local AWS checks the permissions on the key as it checks all others. It has no VPC; what that takes is
said by AWS, and `ON_OUR_BEHALF` says where.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from cutwatch.registry.run import run_id
from tests.support.every_call import DENIALS
from tests.support.fleet import FIRST_TRAINING, Fleet, detector, fleet, usual
from tests.support.permissions import listed, statements
from tests.support.stack import ACCOUNT, REGION, Stack

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SUBNETS, GROUPS = ["subnet-0a1b2c3d", "subnet-4e5f6a7b"], ["sg-8c9d0e1f"]
PARAMETERS = {
    "KmsKeyArn": KEY,
    "SubnetIds": ",".join(SUBNETS),
    "SecurityGroupIds": ",".join(GROUPS),
}
DETECTORS = (detector("checkout"), detector("orders", engine="lambda"))
JOBS_ROLE = "SageMakerRole"
TRANSFORM = FIRST_TRAINING + timedelta(days=1)


@dataclass(frozen=True)
class OnBehalf:
    """A service's own call, why it makes it, and where that is said; a guess says that it is one."""

    service: str
    why: str
    source: str


_ROLES = "docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"
_S3 = "docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
# Neither the list of EC2's actions nor what volumes take could be tried: it takes SageMaker, a VPC and a key of one's own.
_UNTRIED = f"{_ROLES}, as far as known; not tried on AWS"

ON_OUR_BEHALF: Mapping[tuple[str, str], OnBehalf] = {
    ("UseTheKey", "kms:Decrypt"): OnBehalf(
        "S3, SNS, DynamoDB",
        "reading what lies under the key, and publishing to a topic under it",
        f"{_S3}; of SNS and DynamoDB not tried on AWS",
    ),
    ("UseTheKey", "kms:GenerateDataKey"): OnBehalf(
        "S3, SNS", "writing what is to lie under the key", f"{_S3}; of SNS not tried on AWS"
    ),
    ("UseTheKey", "kms:Encrypt"): OnBehalf(
        "SageMaker", "writing the output of a job under the key", f"{_ROLES}; not tried on AWS"
    ),
    ("LendTheKeyToVolumes", "kms:CreateGrant"): OnBehalf(
        "SageMaker", "letting EC2 use the key for the volumes of instances", _UNTRIED
    ),
    ("UseTheKey", "kms:DescribeKey"): OnBehalf(
        "SageMaker", "finding out whether the key can be used for a volume", _UNTRIED
    ),
    **{
        ("JoinTheVpc", f"ec2:{action}"): OnBehalf(
            "SageMaker", "network interfaces in the subnets of a job", _UNTRIED
        )
        for action in (
            "CreateNetworkInterface",
            "CreateNetworkInterfacePermission",
            "DeleteNetworkInterface",
            "DeleteNetworkInterfacePermission",
            "DescribeDhcpOptions",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeVpcs",
        )
    },
}


@pytest.fixture(scope="module")
def enclosed() -> Iterator[Fleet]:
    """A training and a transform of both engines, with everything under one key and all jobs in a VPC."""
    with fleet(DETECTORS, **PARAMETERS) as shop:
        for each in DETECTORS:
            shop.load(each, usual())
        assert shop.train().wait().output["statuses"] == {"TRAINED": 2}
        assert shop.transform(TRANSFORM).wait().output["statuses"] == {"PUBLISHED": 2}
        yield shop


@pytest.fixture(scope="module")
def enclosed_stack() -> Stack:
    return Stack(**PARAMETERS)


def granted(stack: Stack, role: str, sid: str) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in statements(stack, role)
        if statement["Sid"] == sid
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.mark.slow
def test_no_call_is_denied_with_a_key_and_subnets(enclosed: Fleet) -> None:
    assert [call for call in enclosed.aws.calls if call.error_code in DENIALS] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "encrypted"),
    [
        (
            "CreateTrainingJob",
            (("OutputDataConfig", "KmsKeyId"), ("ResourceConfig", "VolumeKmsKeyId")),
        ),
        (
            "CreateTransformJob",
            (("TransformOutput", "KmsKeyId"), ("TransformResources", "VolumeKmsKeyId")),
        ),
    ],
)
def test_every_job_writes_under_the_key(
    enclosed: Fleet, operation: str, encrypted: tuple[tuple[str, str], ...]
) -> None:
    jobs = enclosed.aws.calls.of("sagemaker", operation)
    assert jobs
    for job in jobs:
        for part, field in encrypted:
            assert job.parameters[part][field] == KEY


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["CreateTrainingJob", "CreateModel"])
def test_every_job_runs_in_the_vpc(enclosed: Fleet, operation: str) -> None:
    calls = enclosed.aws.calls.of("sagemaker", operation)
    assert calls
    for call in calls:
        assert call.parameters["VpcConfig"] == {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}


@pytest.mark.slow
def test_whatever_the_application_keeps_lies_under_the_key(enclosed: Fleet) -> None:
    aws, outputs = enclosed.aws, enclosed.stack.outputs
    rules = aws.client("s3").get_bucket_encryption(Bucket=outputs["DataBucketName"])
    [rule] = rules["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == KEY
    table = aws.client("dynamodb").describe_table(TableName=outputs["RegistryTableName"])["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == KEY
    topic = enclosed.stack.physical_id("NotificationTopic")
    attributes = aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["KmsMasterKeyId"] == KEY


# Of the two engines' detectors, the one that uses the right is enough.
LACKING = [
    ("StoreMetricDataRole", "kms:GenerateDataKey", "training", "orders"),
    ("TrainForestRole", "kms:Decrypt", "training", "orders"),
    ("RegisterModelRole", "kms:GenerateDataKey", "training", "orders"),
    ("PublishAnomaliesRole", "kms:Decrypt", "transform", "orders"),
    (JOBS_ROLE, "kms:CreateGrant", "training", "checkout"),
    (JOBS_ROLE, "kms:Decrypt", "training", "checkout"),
    (JOBS_ROLE, "kms:DescribeKey", "training", "checkout"),
    (JOBS_ROLE, "kms:Encrypt", "training", "checkout"),
    (JOBS_ROLE, "kms:GenerateDataKey", "training", "checkout"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("role", "action", "kind", "name"), LACKING)
def test_a_role_without_a_right_on_the_key_fails_as_on_aws(
    enclosed: Fleet, role: str, action: str, kind: str, name: str
) -> None:
    at = TRANSFORM + timedelta(hours=1 + LACKING.index((role, action, kind, name)))
    enclosed.aws.clock.move_to(at)
    event = {"time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "detectors": [name]}
    iam, physical = enclosed.aws.client("iam"), enclosed.stack.physical_id(role)
    deny = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Lacks", "Effect": "Deny", "Action": action, "Resource": KEY}],
    }
    iam.put_role_policy(RoleName=physical, PolicyName="Lacks", PolicyDocument=json.dumps(deny))
    try:
        enclosed.stack.start(f"{kind.capitalize()}StateMachine", event).wait()
    finally:
        iam.delete_role_policy(RoleName=physical, PolicyName="Lacks")
    outcomes = enclosed.registry.outcomes.of_run(run_id(kind, at))
    failed = [each.message for each in outcomes if each.status == "FAILED"]
    assert failed
    assert all(f"not authorized to perform: {action} on resource: {KEY}" in each for each in failed)


@pytest.mark.slow
def test_a_state_machine_that_may_not_decrypt_cannot_read_its_list(enclosed: Fleet) -> None:
    iam, physical = (
        enclosed.aws.client("iam"),
        enclosed.stack.physical_id("TrainingStateMachineRole"),
    )
    deny = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "kms:*", "Resource": KEY}],
    }
    iam.put_role_policy(RoleName=physical, PolicyName="Lacks", PolicyDocument=json.dumps(deny))
    try:
        execution = enclosed.train(TRANSFORM + timedelta(hours=20))
    finally:
        iam.delete_role_policy(RoleName=physical, PolicyName="Lacks")
    assert execution.wait().status == "FAILED"


def test_every_grant_of_these_parameters_is_one_that_a_service_needs_on_our_behalf(
    enclosed_stack: Stack,
) -> None:
    found: set[tuple[str, str]] = set()
    for role in enclosed_stack.resources("AWS::IAM::Role"):
        for sid in ("UseTheKey", "LendTheKeyToVolumes", "JoinTheVpc"):
            found |= {(sid, action) for action, _ in granted(enclosed_stack, role, sid)}
    assert found == set(ON_OUR_BEHALF)


def test_only_the_role_of_the_jobs_may_join_the_vpc_or_hand_the_key_on(
    enclosed_stack: Stack,
) -> None:
    for role in enclosed_stack.resources("AWS::IAM::Role"):
        for sid in ("LendTheKeyToVolumes", "JoinTheVpc"):
            assert bool(granted(enclosed_stack, role, sid)) == (role == JOBS_ROLE)


def test_the_key_is_the_only_key_that_any_role_may_use(enclosed_stack: Stack) -> None:
    for role in enclosed_stack.resources("AWS::IAM::Role"):
        for sid in ("UseTheKey", "LendTheKeyToVolumes"):
            keys: set[Any] = {resource for _, resource in granted(enclosed_stack, role, sid)}
            assert keys <= {KEY}
