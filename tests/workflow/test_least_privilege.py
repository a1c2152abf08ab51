"""Every role has the permissions that its calls need, and no others."""

from fnmatch import fnmatchcase

import pytest

from tests.support.every_call import Account, account_of_everything
from tests.support.privilege_table import DOCUMENT, NOT_SEEN_HERE, ONLY_WITH_PARAMETERS, with_table
from tests.support.stack import ACCOUNT, REGION

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture(scope="module")
def account() -> Account:
    """With a key of its own, which adds grants and calls and takes none away."""
    return account_of_everything(KmsKeyArn=KEY)


@pytest.mark.slow
def test_no_call_of_any_workflow_is_denied(account: Account) -> None:
    assert account.denied == ()


@pytest.mark.slow
def test_nothing_is_granted_that_nothing_uses(account: Account) -> None:
    unexplained = {
        f"{use.role} {use.statement} {use.action} {use.resource}"
        for use in account.unused
        if not any(
            use.statement == statement and fnmatchcase(use.action, action)
            for statement, action in NOT_SEEN_HERE
        )
    }
    assert sorted(unexplained) == []


@pytest.mark.slow
def test_no_explanation_outlives_its_grant(account: Account) -> None:
    for statement, action in NOT_SEEN_HERE:
        assert statement in ONLY_WITH_PARAMETERS or any(
            use.statement == statement and fnmatchcase(use.action, action) for use in account.unused
        )


@pytest.mark.slow
def test_the_document_for_the_security_engineer_says_what_was_seen(account: Account) -> None:
    """`python -m tests.support.privilege_table` writes its table anew."""
    document = DOCUMENT.read_text()
    without_key = frozenset(use for use in account.used if use.resource != KEY)
    assert with_table(document, without_key) == document


@pytest.mark.slow
def test_every_right_on_a_key_is_used_by_the_role_that_has_it(account: Account) -> None:
    rights = {use for use in account.granted if use.resource == KEY}
    assert {use.action for use in rights} > {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:CreateGrant",
    }
    assert sorted(f"{use.role} {use.action}" for use in rights - account.used) == []
