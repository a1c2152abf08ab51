"""Roles for tests."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from localaws import LocalAws


def create_role(
    aws: LocalAws, name: str, trust: Mapping[str, Any], statements: Sequence[Mapping[str, Any]]
) -> str:
    iam = aws.client("iam")
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    allow(aws, name, statements)
    return str(created["Role"]["Arn"])


def allow(aws: LocalAws, name: str, statements: Sequence[Mapping[str, Any]]) -> None:
    """Let these statements be all that the role may do."""
    document = {"Version": "2012-10-17", "Statement": statements}
    aws.client("iam").put_role_policy(
        RoleName=name, PolicyName="all", PolicyDocument=json.dumps(document)
    )
