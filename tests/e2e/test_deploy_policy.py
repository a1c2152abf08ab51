"""docs/policies/deploy.json: with it the SAM CLI and CloudFormation deploy, update and delete, and nothing in it is too much."""

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pytest

from localaws import LocalAws
from localaws.callers import assume
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied
from tests.support.cloudformation_permissions import ACTIONS, Provisioned, actions
from tests.support.every_call import DENIALS
from tests.support.local_server import BIN
from tests.support.policy_documents import environment, role_with
from tests.support.project import PROJECT

STACK = "cutwatch-dev"
STACK_OF_SAM = "aws-sam-cli-managed-default"
# Both resources that only an address adds, and a parameter of the nested stack.
UPDATED = "NotificationEmail=a@example.com OperationsEmail=b@example.com AnomalyNamespace=Shop"
DEPLOY = ("sam", "deploy", "--template", "template.yaml", "--no-confirm-changeset")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Deployer:
    """Somebody with the document alone, and what they have deployed."""

    aws: LocalAws
    role: str

    def run(self, tool: str, *arguments: str) -> None:
        """One of the real tools; it must succeed."""
        answer = subprocess.run(
            [BIN / tool, *arguments],
            cwd=PROJECT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr

    def provisioned(self, stack: str) -> Provisioned:
        cloudformation = self.aws.client("cloudformation")
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        found: dict[str, list[str]] = defaultdict(list)
        for page in pages:
            for each in page["StackResourceSummaries"]:
                found[each["ResourceType"]].append(each["PhysicalResourceId"])
        return Provisioned(found, f"{self.aws.region}:{ACCOUNT_ID}")

    @property
    def monitoring(self) -> str:
        """The nested stack."""
        (stack,) = self.provisioned(STACK).ids["AWS::CloudFormation::Stack"]
        return stack

    def demand(self, provisioned: Provisioned) -> None:
        """What CloudFormation does with these credentials; on the local AWS it makes no calls."""
        for need in provisioned.needs():
            self.aws.permissions.demand(self.role, need)

    @cached_property
    def _environment(self) -> Mapping[str, str]:
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return {
            **surroundings,
            **environment(assume(self.role, "deployer")),
            "AWS_ENDPOINT_URL": self.aws.endpoint_url,
            "AWS_DEFAULT_REGION": self.aws.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PAGER": "",
            "SAM_CLI_TELEMETRY": "0",
        }


@pytest.fixture(scope="module")
def deployer() -> Iterator[Deployer]:
    """Who has deployed, updated, deleted, and both once more in other ways."""
    with LocalAws() as aws:
        somebody = Deployer(aws, role_with(aws, "deploy", stack=STACK))
        somebody.run(*DEPLOY)
        somebody.run(*DEPLOY, "--parameter-overrides", UPDATED)
        for stack in (STACK, somebody.monitoring, STACK_OF_SAM):
            somebody.demand(somebody.provisioned(stack))
        aws.permissions.demand(somebody.role, _versioning(somebody))
        yield somebody


def _versioning(deployer: Deployer) -> Need:
    """The bucket of the SAM CLI keeps versions, ours does not."""
    (bucket,) = deployer.provisioned(STACK_OF_SAM).ids["AWS::S3::Bucket"]
    return Need("s3:PutBucketVersioning", f"arn:aws:s3:::{bucket}")


def test_what_cloudformation_does_is_known_of_every_type_of_the_template_and_of_no_other(
    deployer: Deployer,
) -> None:
    root, nested = deployer.provisioned(STACK), deployer.provisioned(deployer.monitoring)
    assert {*root.ids, *nested.ids} == set(ACTIONS)


def test_no_call_of_the_tools_is_denied_and_nothing_is_granted_that_nothing_needs(
    deployer: Deployer,
) -> None:
    deployer.run("sam", "delete", "--stack-name", STACK, "--no-prompts", "--region", "us-east-1")
    deployer.run(*DEPLOY)
    deployer.run("aws", "cloudformation", "delete-stack", "--stack-name", STACK)
    deployer.run("aws", "cloudformation", "wait", "stack-delete-complete", "--stack-name", STACK)

    permissions = deployer.aws.permissions
    made = [call for call in deployer.aws.calls if call.role == deployer.role]
    assert [call for call in made if call.error_code in DENIALS] == []
    assert permissions.granted(deployer.role) - permissions.uses == frozenset()


@pytest.mark.parametrize(
    "need",
    [
        Need(
            "iam:PassRole", f"arn:aws:iam::{ACCOUNT_ID}:role/{STACK}-x", {"iam:passedtoservice": s}
        )
        for s in ("ec2.amazonaws.com", "sagemaker.amazonaws.com")
    ]
    + [
        Need("iam:PassRole", f"arn:aws:iam::{ACCOUNT_ID}:role/Administrator"),
        Need("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT_ID}:role/Administrator"),
        Need(
            "iam:AttachRolePolicy",
            f"arn:aws:iam::{ACCOUNT_ID}:role/{STACK}-x",
            {"iam:policyarn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        Need("s3:DeleteBucket", f"arn:aws:s3:::{STACK}-databucket-1"),
        Need("s3:GetObject", f"arn:aws:s3:::{STACK}-databucket-1/data/x"),
        Need("dynamodb:Query", f"arn:aws:dynamodb:us-east-1:{ACCOUNT_ID}:table/{STACK}-Registry-1"),
    ],
    ids=lambda need: f"{need.action} {need.resource}",
)
def test_who_deploys_cannot(deployer: Deployer, need: Need) -> None:
    with pytest.raises(AccessDenied):
        deployer.aws.permissions.demand(deployer.role, need)


def test_every_type_says_what_cloudformation_does_with_it() -> None:
    assert all(actions(kind) for kind in ACTIONS)
