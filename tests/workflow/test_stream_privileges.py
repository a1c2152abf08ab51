"""Every role of a stream's stack has the permissions that its calls need, and no others.

The stream begins with the forest of a detector; what may go wrong with that is tried in the same deployment.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.calls import Call
from localaws.iam.permissions import Use
from tests.faults.matrix import chosen_for, present_commit
from tests.faults.stream_matrix import cases_of, verdicts
from tests.faults.stream_shop import BASE, SEEDED, StreamShop, opened_stream_shop
from tests.support.command_line import cutwatch
from tests.support.every_call import DENIALS
from tests.support.operator_environment import operator_environment
from tests.support.policy_documents import acting_in, role_with

ROLES = ("ScoreKinesisRole", "CloseWindowsRole")
# Cases of the matrix of faults, another one for every commit; `make faults` runs all of them.
CASES = 1
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
def test_whatever_befalls_a_call_of_a_cold_start_every_key_begins_with_the_same_forest(
    shop: StreamShop, seen: Seen
) -> None:
    cases = cases_of(shop, seen.calls)
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
    role = role_with(shop.aws, "read", "read-streams", stack=BASE)
    with patch.dict(os.environ, operator_environment(shop.aws)), acting_in(role):
        status = json.loads(cutwatch("status", "--stack", BASE, "--json").stdout)
    assert status["streams"][0]["cold_start_missing"] == "detector 'vibration' has no model yet"


def _queue(aws: LocalAws) -> tuple[str, Callable[[], list[str]]]:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="elsewhere")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])

    def received() -> list[str]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [each["Body"] for each in found]

    return attributes["Attributes"]["QueueArn"], received


def _topic(aws: LocalAws) -> tuple[str, Callable[[], list[str]]]:
    arn = aws.client("sns").create_topic(Name="elsewhere")["TopicArn"]
    return arn, lambda: [each.text for each in aws.mails.all() if each.topic == "elsewhere"]


def _bucket(aws: LocalAws) -> tuple[str, Callable[[], list[str]]]:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="elsewhere")

    def objects() -> list[str]:
        found = s3.list_objects_v2(Bucket="elsewhere", Prefix="aws/lambda/").get("Contents", [])
        return [
            s3.get_object(Bucket="elsewhere", Key=each["Key"])["Body"].read().decode()
            for each in found
        ]

    return "arn:aws:s3:::elsewhere", objects


@pytest.mark.slow
@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("make", [_queue, _topic, _bucket])
def test_lost_records_are_declared_at_their_destination_and_raise_an_alarm(
    shop: StreamShop, make: Callable[[LocalAws], tuple[str, Callable[[], list[str]]]]
) -> None:
    shop.rewind()
    arn, declared = make(shop.aws)
    shop.change(LostRecordsDestination=arn, MaximumRecordAgeSeconds="60")
    lost = shop.lose()
    bodies = [json.loads(each) for each in declared()]
    assert sum(each["KinesisBatchInfo"]["batchSize"] for each in bodies) == lost
    payloads = [json.loads(each["payload"]) for each in bodies if "payload" in each]
    assert sum(len(each["Records"]) for each in payloads) == (lost if make is _bucket else 0)
    assert shop.rings("records lost to their destination")
    assert shop.lost() == 0


@pytest.mark.slow
@pytest.mark.usefixtures("seen")
def test_the_functions_may_list_the_history_and_nothing_beside_it(shop: StreamShop) -> None:
    s3 = shop.aws.client("s3")
    s3.create_bucket(Bucket="archive")
    s3.put_object(Bucket="archive", Key="past/sensors/2026/one", Body=b"rubbish")
    shop.rewind()
    shop.change(HistoryLocation="archive/past/sensors/")
    before = len([*shop.aws.calls])
    shop.aws.fire(shop.stack.physical_id("EveryMinute"))
    calls = [*shop.aws.calls][before:]
    assert [call for call in calls if call.error_code in DENIALS] == []
    granted = {role: shop.aws.client_of(shop.stack.physical_id(role), "s3") for role in ROLES}
    for theirs in granted.values():
        found = theirs.list_objects_v2(Bucket="archive", Prefix="past/sensors/")
        assert [each["Key"] for each in found["Contents"]] == ["past/sensors/2026/one"]
        for beside in ({}, {"Prefix": ""}, {"Prefix": "past/"}, {"Prefix": "past/machines/"}):
            with pytest.raises(ClientError, match="AccessDenied"):
                theirs.list_objects_v2(Bucket="archive", **beside)
