"""Every role has the permissions that its calls need, and no others."""

from fnmatch import fnmatchcase

import pytest

from tests.support.every_call import Account, account_of_everything
from tests.support.privilege_table import DOCUMENT, NOT_SEEN_HERE, ONLY_WITH_PARAMETERS, with_table
from tests.support.stack import ACCOUNT, REGION


@pytest.fixture(scope="module")
def account() -> Account:
    return account_of_everything()


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
    assert with_table(document, account.used) == document


@pytest.mark.slow
def test_every_right_on_a_key_is_used_by_the_role_that_has_it() -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    account = account_of_everything(KmsKeyArn=key)

    assert account.denied == ()
    rights = {use for use in account.granted if use.resource == key}
    assert {use.action for use in rights} > {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:CreateGrant",
    }
    assert sorted(f"{use.role} {use.action}" for use in rights - account.used) == []
