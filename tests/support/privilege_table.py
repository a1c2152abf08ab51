"""The table of docs/security.md: what each role may do, and which of it was seen to be needed.

PYTHONPATH=functions:cli:localaws/src:. .venv/bin/python -m tests.support.privilege_table    # puts it into the document
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localaws.iam.permissions import Use
from tests.support.every_call import account_of_everything
from tests.support.permissions import listed, statements
from tests.support.project import PROJECT
from tests.support.stack import ACCOUNT, REGION, Stack

DOCUMENT = PROJECT / "docs" / "security.md"
_TABLE = re.compile(r"(?<=<!-- roles -->\n).*?(?=<!-- end of roles -->)", re.DOTALL)
_EVERYTHING = {
    "KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/yours",
    "SubnetIds": "subnet-1",
    "SecurityGroupIds": "sg-1",
}

# Granted, and used by nothing that the local AWS has.
NOT_SEEN_HERE = {
    ("Log", "logs:*"): "its logs; written outside the code, so not seen locally",
    ("Trace", "xray:*"): "traces; there is no X-Ray locally",
    ("TraceAndLog", "*"): "traces and log delivery; neither exists locally",
    ("PullTheAlgorithm", "ecr:*"): "AWS's image of the algorithm; not pulled locally",
    ("GetRegistryToken", "ecr:*"): "AWS's image of the algorithm; not pulled locally",
    (
        "PublishMetricsOfJobs",
        "cloudwatch:PutMetricData",
    ): "usage of instances; not reported locally",
    ("FollowChildrenOfItsMap", "states:StopExecution"): "the other: somebody stops a run",
    ("WaitForTraining", "states:StopExecution"): "the other: training on demand takes too long",
    # Parameters that are empty by default add these.
    ("UseTheKey", "kms:*"): "only with `KmsKeyArn`: data under your key",
    ("LendTheKeyToVolumes", "kms:CreateGrant"): "only with `KmsKeyArn`: volumes under your key",
    ("JoinTheVpc", "ec2:*"): "only with `SubnetIds`: jobs in your VPC",
}
ONLY_WITH_PARAMETERS = ("UseTheKey", "LendTheKeyToVolumes", "JoinTheVpc")


def reason(statement: str) -> str:
    """Why a statement that was not seen in use is granted."""
    (found,) = [why for (sid, _), why in NOT_SEEN_HERE.items() if sid == statement]
    return found


def table(used: frozenset[Use]) -> str:
    """One line for each statement, with everything switched on that adds statements."""
    seen = {(use.role, use.statement, use.action) for use in used}
    head = ["| role | statement | actions | on | needed |", "|---|---|---|---|---|"]
    return "\n".join([*head, *_lines(Stack(**_EVERYTHING), seen)]) + "\n"


def with_table(document: str, used: frozenset[Use]) -> str:
    return _TABLE.sub(lambda _: table(used), document)


def _lines(stack: Stack, seen: set[tuple[str, str, str]]) -> Iterator[str]:
    shared = {
        str(s["Sid"])
        for s in stack.properties("FunctionBasicsPolicy")["PolicyDocument"]["Statement"]
    }
    yield from (
        _line("every function", statement, "")
        for statement in stack.properties("FunctionBasicsPolicy")["PolicyDocument"]["Statement"]
    )
    for role in stack.resources("AWS::IAM::Role"):
        attached = stack.properties(role).get("ManagedPolicyArns", [])
        carries = stack.arn("FunctionBasicsPolicy") in attached
        for statement in statements(stack, role):
            if not (carries and statement["Sid"] in shared):
                yield _line(role, statement, _seen(role, statement, seen))


def _seen(role: str, statement: Mapping[str, Any], seen: set[tuple[str, str, str]]) -> str:
    actions = listed(statement["Action"])
    used = [action for action in actions if (role, statement["Sid"], action) in seen]
    if len(used) == len(actions):
        return "all seen"
    return f"seen: {_names(used)}; " if used else ""


def _line(role: str, statement: Mapping[str, Any], seen: str) -> str:
    needed = seen if seen == "all seen" else seen + reason(statement["Sid"])
    on = ", ".join(f"`{_short(resource)}`" for resource in listed(statement["Resource"]))
    conditions = [
        f"{key} = {value}"
        for pairs in statement.get("Condition", {}).values()
        for key, value in pairs.items()
    ]
    only = f", only {'; '.join(conditions)}" if conditions else ""
    return f"| {role} | {statement['Sid']} | {_names(listed(statement['Action']))} | {on}{only} | {needed} |"


def _names(actions: Sequence[str]) -> str:
    return ", ".join(f"`{action}`" for action in actions)


def _short(arn: str) -> str:
    """Without what is the same for all: partition, region, account and the stack's name."""
    if arn == "*":
        return arn
    _, _, service, _, _, name = arn.split(":", 5)
    if service == "s3":
        return name.replace(f"cutwatch-databucket-{ACCOUNT}", "DataBucket")
    return re.sub(r"\bcutwatch-(?=[A-Z])", "", name)


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), account_of_everything().used))
