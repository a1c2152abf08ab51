"""The policy documents for a stack whose name CloudFormation cuts in the names that it generates."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from cutwatch_cli.replay.application import PROJECT
from localaws import LocalAws
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.iam.needs import Need
from tests.support.cloudformation_permissions import Provisioned
from tests.support.policy_documents import role_with

# As long as the names of the state machines allow.
STACK = "a-stack-" * 8 + "longer"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        aws.deploy(PROJECT / "template.yaml", stack_name=STACK)
        for name in ("deploy", "read"):
            role_with(aws, name, stack=STACK)
        yield aws


def provisioned(aws: LocalAws, stack: str) -> Provisioned:
    pages = aws.client("cloudformation").get_paginator("list_stack_resources")
    found: dict[str, list[str]] = defaultdict(list)
    for page in pages.paginate(StackName=stack):
        for each in page["StackResourceSummaries"]:
            found[each["ResourceType"]].append(each["PhysicalResourceId"])
    return Provisioned(found, f"{aws.region}:{ACCOUNT_ID}")


def test_the_names_of_roles_functions_and_the_bucket_hold_a_part_of_the_stack_s(
    aws: LocalAws,
) -> None:
    found = provisioned(aws, STACK).ids
    for kind in ("AWS::IAM::Role", "AWS::Lambda::Function", "AWS::S3::Bucket"):
        assert found[kind]
        for name in found[kind]:
            assert not name.startswith(STACK)
            assert name.startswith(STACK[:25])


def test_who_deploys_may_make_all_of_both_stacks(aws: LocalAws) -> None:
    root = provisioned(aws, STACK)
    [nested] = root.ids["AWS::CloudFormation::Stack"]
    needs = [*root.needs(), *provisioned(aws, nested).needs()]
    assert len(needs) > 500
    for need in needs:
        aws.permissions.demand("deploy", need)


def test_who_reads_may_invoke_the_widget_and_read_the_bucket(aws: LocalAws) -> None:
    found = provisioned(aws, STACK).ids
    [widget] = [name for name in found["AWS::Lambda::Function"] if "-DrawWidget-" in name]
    function = f"arn:aws:lambda:{aws.region}:{ACCOUNT_ID}:function:{widget}"
    aws.permissions.demand("read", Need("lambda:InvokeFunction", function))
    [bucket] = found["AWS::S3::Bucket"]
    aws.permissions.demand("read", Need("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
