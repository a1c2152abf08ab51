"""Every role of a stream's stack has the permissions that its calls need, and no others.

The stream begins with the forest of a detector; what may go wrong with that is tried in the same deployment.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from localaws.calls import Call
from localaws.iam.permissions import Use
from tests.faults.matrix import chosen_for, present_commit
from tests.faults.stream_matrix import stream_cases, verdicts
from tests.faults.stream_shop import SEEDED, StreamShop, opened_stream_shop
from tests.support.every_call import DENIALS

ROLES = ("ScoreKinesisRole", "CloseWindowsRole")
# Cases of the matrix of faults, other ones for every commit; `make faults` runs all of them.
CASES = 2
# Granted, and not used by the scenario; each with its reason.
NOT_SEEN = {
    ("Log", "logs:CreateLogStream"): "Lambda writes the logs, outside of the code",
    ("Log", "logs:PutLogEvents"): "Lambda writes the logs, outside of the code",
    ("Trace", "xray:PutTelemetryRecords"): "there is no X-Ray locally",
    ("Trace", "xray:PutTraceSegments"): "there is no X-Ray locally",
    ("PutScoredRecords", "sqs:GetQueueUrl"): "the target is a stream",
    ("PutScoredRecords", "sqs:SendMessage"): "the target is a stream",
    ("Mail", "sns:Publish"): "of notices; incidents use the other topic",
}


@dataclass(frozen=True)
class Seen:
    """The calls of an undisturbed run, what the roles were granted, and what they used, without the role: most of it is shared."""

    calls: tuple[Call, ...]
    granted: frozenset[Use]
    used: frozenset[Use]


@pytest.fixture(scope="module")
def shop() -> Iterator[StreamShop]:
    with opened_stream_shop(SEEDED) as opened:
        yield opened


@pytest.fixture(scope="module")
def seen(shop: StreamShop) -> Seen:
    shop.rewind()
    before = len([*shop.aws.calls])
    shop.run()
    roles = {shop.stack.physical_id(role) for role in ROLES}
    permissions = shop.aws.permissions
    granted = {use for role in roles for use in permissions.granted(role)}
    used = {use for use in permissions.uses if use.role in roles}
    return Seen(tuple([*shop.aws.calls][before:]), _shared(granted), _shared(used))


def _shared(found: set[Use]) -> frozenset[Use]:
    return frozenset(Use("", use.statement, use.action, use.resource) for use in found)


@pytest.mark.slow
def test_no_call_of_a_streams_functions_is_denied(seen: Seen) -> None:
    assert [call for call in seen.calls if call.error_code in DENIALS] == []


def test_nothing_is_granted_to_a_streams_functions_that_nothing_uses(seen: Seen) -> None:
    unexplained = {
        (use.statement, use.action, use.resource)
        for use in seen.granted - seen.used
        if (use.statement, use.action) not in NOT_SEEN
    }
    assert sorted(unexplained) == []


def test_no_explanation_outlives_its_grant(seen: Seen) -> None:
    unused = {(use.statement, use.action) for use in seen.granted - seen.used}
    assert NOT_SEEN.keys() - unused == set()


@pytest.mark.slow
@pytest.mark.usefixtures("seen")
def test_whatever_befalls_a_call_of_a_cold_start_every_key_begins_with_the_same_forest(
    shop: StreamShop,
) -> None:
    cases = stream_cases(shop)
    chosen = chosen_for(present_commit(), cases, CASES)
    judged = [*verdicts(shop, cases, chosen)]
    assert {cases[each.number].name: each.problems for each in judged if each.problems} == {}


@pytest.mark.slow
@pytest.mark.usefixtures("seen")
def test_a_stream_whose_detector_has_no_model_learns_from_nothing_and_says_so_once(
    shop: StreamShop,
) -> None:
    shop.rewind()
    shop.untrain()
    shop.run()
    states, *_ = shop.replayed()
    assert shop.states() == states
    [notice] = [each for each in shop.notices() if "cold start" in each]
    assert "detector 'vibration' has no model yet" in notice
