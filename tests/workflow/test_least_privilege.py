"""Every role has the permissions that its calls need, and no others."""

from fnmatch import fnmatchcase

import pytest

from tests.workflow.every_call import Account, account_of_everything

# Granted, and used by nothing that the local AWS has.
NOT_SEEN_HERE = {
    ("Log", "logs:*"): "the service that runs the code writes its logs",
    ("Trace", "xray:*"): "there is no X-Ray here",
    ("TraceAndLog", "*"): "there is no X-Ray, and no delivery of a state machine's logs",
    ("PullTheAlgorithm", "ecr:*"): "the algorithm runs in this process instead of from its image",
    ("GetRegistryToken", "ecr:*"): "the algorithm runs in this process instead of from its image",
    ("PublishMetricsOfJobs", "cloudwatch:PutMetricData"): "jobs here report no usage of instances",
    ("FollowChildrenOfItsMap", "states:StopExecution"): "when somebody stops a run",
    (
        "WaitForTraining",
        "states:StopExecution",
    ): "when training by need takes three days, or somebody stops it",
}


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
        assert any(
            use.statement == statement and fnmatchcase(use.action, action) for use in account.unused
        )
