"""The policy documents for people, of docs/policies, with their placeholders filled in."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from localaws import LocalAws
from localaws.callers import Credentials, assume
from localaws.embedded_ministack import ACCOUNT_ID
from tests.support.project import PROJECT

FOLDER = PROJECT / "docs" / "policies"


def document(name: str, *, region: str, stack: str) -> dict[str, Any]:
    """A document for one stack of the local AWS's account."""
    text = (FOLDER / f"{name}.json").read_text()
    values = {"REGION": region, "ACCOUNT": ACCOUNT_ID, "STACK": stack, "PREFIX": prefix(stack)}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    filled: dict[str, Any] = json.loads(text)
    return filled


def prefix(stack: str) -> str:
    """What the names that CloudFormation makes surely begin with, as docs/operations.md says it."""
    return f"{stack}-"[:25]


def role_with(aws: LocalAws, *names: str, stack: str) -> str:
    """A person's role with these documents and nothing else; its name."""
    role = "-".join(names)
    iam = aws.client("iam")
    person = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [person]}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    for name in names:
        text = json.dumps(document(name, region=aws.region, stack=stack))
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)
    return role


def environment(credentials: Credentials) -> Mapping[str, str]:
    """What the default credential chain reads."""
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token,
    }


@contextmanager
def acting_in(role: str) -> Iterator[None]:
    """The default credential chain gives credentials of this role."""
    with patch.dict("os.environ", environment(assume(role, "somebody"))):
        yield
