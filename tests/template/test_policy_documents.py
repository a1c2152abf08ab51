"""The policy documents for people, held against AWS's service authorization reference, which cfn-lint brings along."""

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import pytest

from tests.support.permissions import Statement, listed
from tests.support.policy_documents import FOLDER, document
from tests.support.project import PROJECT

DOCUMENTS = sorted(path.stem for path in FOLDER.glob("*.json"))
# "IAM and AWS STS quotas": characters that are no white space; a role's inline policies together.
MANAGED_POLICY_CHARACTERS, INLINE_POLICIES_CHARACTERS = 6_144, 10_240
_NARROW = ("cutwatch", "aws-sam-cli-managed-default", "transform/Serverless-2016-10-31")
# With more, the names of the state machines are too long.
LONG_STACK = "a-stack-" * 8 + "longer"


@pytest.fixture(scope="module")
def reference() -> Mapping[str, Any]:
    """By service and action in lower case, the types of resource that the action knows."""
    path = resources.files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json"
    found: Mapping[str, Any] = json.loads(path.read_text())
    return found


def statements() -> Iterator[tuple[str, Statement]]:
    for name in DOCUMENTS:
        for statement in document(name, region="us-east-1", stack="cutwatch")["Statement"]:
            yield name, statement


def _known(reference: Mapping[str, Any], action: str) -> Mapping[str, Any] | None:
    service, _, name = action.partition(":")
    known: Mapping[str, Any] | None = reference[service]["Actions"].get(name.lower())
    return known


@pytest.mark.slow
def test_every_action_is_one_of_aws(reference: Mapping[str, Any]) -> None:
    asked = {action for _, statement in statements() for action in listed(statement["Action"])}
    assert [action for action in sorted(asked) if _known(reference, action) is None] == []


def test_any_resource_is_allowed_only_where_aws_knows_no_narrower(
    reference: Mapping[str, Any],
) -> None:
    for _, statement in statements():
        anything = listed(statement["Resource"]) == ["*"]
        for action in listed(statement["Action"]):
            narrower = (_known(reference, action) or {}).get("Resources", [])
            assert anything != bool(narrower), (action, narrower)


def test_what_is_not_narrowed_to_the_stack_has_its_reason_in_the_document_for_operators() -> None:
    text = (PROJECT / "docs" / "operations.md").read_text()
    wide = {
        f"| {name} | `{statement['Sid']}` |"
        for name, statement in statements()
        for resource in listed(statement["Resource"])
        if not any(known in resource for known in _NARROW)
    }
    assert wide
    assert [row for row in sorted(wide) if row not in text] == []


def test_every_statement_says_what_it_is_for() -> None:
    for name in DOCUMENTS:
        sids = [statement["Sid"] for owner, statement in statements() if owner == name]
        assert all(sid.isalnum() for sid in sids)
        assert len(set(sids)) == len(sids)


def test_nothing_but_the_placeholders_is_in_capitals_and_none_is_left() -> None:
    for name in DOCUMENTS:
        text = json.dumps(document(name, region="us-east-1", stack="cutwatch"))
        assert not any(word in text for word in ("REGION", "ACCOUNT", "STACK", "PREFIX"))


@pytest.mark.parametrize(
    ("names", "limit"),
    [
        (["read"], MANAGED_POLICY_CHARACTERS),
        (["operate"], MANAGED_POLICY_CHARACTERS),
        (["deploy"], INLINE_POLICIES_CHARACTERS),
        (["read", "operate"], INLINE_POLICIES_CHARACTERS),
    ],
)
def test_the_documents_fit_into_what_they_are_attached_as(names: list[str], limit: int) -> None:
    filled = (document(name, region="ap-northeast-1", stack=LONG_STACK) for name in names)
    assert sum(len(json.dumps(one, separators=(",", ":"))) for one in filled) <= limit
