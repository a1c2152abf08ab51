"""A local AWS per module of tests, and what most of them need in it."""

from collections.abc import Iterator

import pytest

from localaws import LocalAws
from support.roles import create_role

BUCKET = "rows-and-scores"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture(autouse=True)
def _forget(aws: LocalAws) -> None:
    """Let no test see the calls, faults or job outcomes of the one before."""
    aws.calls.clear()
    aws.faults.clear()
    aws.sagemaker.forget()


@pytest.fixture(scope="module")
def bucket(aws: LocalAws) -> str:
    aws.client("s3").create_bucket(Bucket=BUCKET)
    return BUCKET


@pytest.fixture(scope="module")
def role(aws: LocalAws) -> str:
    """A role that SageMaker, Lambda and Step Functions may assume, and that may do everything."""
    services = ["sagemaker.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
        ],
    }
    return create_role(aws, "jobs", trust, [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
