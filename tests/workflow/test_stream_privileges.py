"""Every role of a stream's stack has the permissions that its calls need, and no others."""

from collections.abc import Iterator

import pytest

from localaws.iam.permissions import Use
from tests.faults.stream_shop import StreamShop, opened_stream_shop
from tests.support.every_call import DENIALS

ROLES = ("ScoreKinesisRole", "CloseWindowsRole")
# Granted, and not used by the scenario; each with its reason.
NOT_SEEN = {
    ("Log", "logs:CreateLogStream"): "Lambda writes the logs, outside of the code",
    ("Log", "logs:PutLogEvents"): "Lambda writes the logs, outside of the code",
    ("Trace", "xray:PutTelemetryRecords"): "there is no X-Ray locally",
    ("Trace", "xray:PutTraceSegments"): "there is no X-Ray locally",
    ("RecordIncidents", "dynamodb:GetItem"): "an older change comes after a later one",
    ("PutScoredRecords", "sqs:GetQueueUrl"): "the target is a stream",
    ("PutScoredRecords", "sqs:SendMessage"): "the target is a stream",
    ("Mail", "sns:Publish"): "of notices; incidents use the other topic",
}


@pytest.fixture(scope="module")
def shop() -> Iterator[StreamShop]:
    with opened_stream_shop() as opened:
        opened.rewind()
        opened.run()
        yield opened


def uses(shop: StreamShop) -> tuple[frozenset[Use], frozenset[Use]]:
    """Return what the roles are granted, and what they used, both without the role: most of it is shared."""
    roles = {shop.stack.physical_id(role) for role in ROLES}
    permissions = shop.aws.permissions
    granted = {use for role in roles for use in permissions.granted(role)}
    used = {use for use in permissions.uses if use.role in roles}
    return _shared(granted), _shared(used)


def _shared(found: set[Use]) -> frozenset[Use]:
    return frozenset(Use("", use.statement, use.action, use.resource) for use in found)


@pytest.mark.slow
def test_no_call_of_a_streams_functions_is_denied(shop: StreamShop) -> None:
    assert [call for call in shop.aws.calls if call.error_code in DENIALS] == []


def test_nothing_is_granted_to_a_streams_functions_that_nothing_uses(shop: StreamShop) -> None:
    granted, used = uses(shop)
    unexplained = {
        (use.statement, use.action, use.resource)
        for use in granted - used
        if (use.statement, use.action) not in NOT_SEEN
    }
    assert sorted(unexplained) == []


def test_no_explanation_outlives_its_grant(shop: StreamShop) -> None:
    granted, used = uses(shop)
    unused = {(use.statement, use.action) for use in granted - used}
    assert NOT_SEEN.keys() - unused == set()
