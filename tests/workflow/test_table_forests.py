"""A table scored by forests that learn, on the local AWS: by its mapping, through crashes and repetitions, with its roles."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cutwatch_cli.tables.application import (
    WatchedApplication,
    deploy_table,
    watched_application,
)
from localaws import Fault, LocalAws
from tests.support.command_line import cutwatch
from tests.support.every_call import DENIALS
from tests.support.operator_environment import operator_environment
from tests.support.policy_documents import acting_in, role_with
from tests.support.table_application import DECLARATION, FORESTS, items

pytestmark = pytest.mark.slow

# As docs/operations.md wants it for viewers.
STACK = "cutwatch-taxi"
ROLES = ("ScoreDynamodbStreamRole", "CloseTableIncidentsRole")
# Granted, and not used by the scenario; each with its reason.
NOT_SEEN = {
    ("Log", "logs:CreateLogStream"): "Lambda writes the logs, outside of the code",
    ("Log", "logs:PutLogEvents"): "Lambda writes the logs, outside of the code",
    ("Trace", "xray:PutTelemetryRecords"): "there is no X-Ray locally",
    ("Trace", "xray:PutTraceSegments"): "there is no X-Ray locally",
    ("RecordIncidents", "dynamodb:GetItem"): "an older change comes after a later one",
}
FAR_TOO_HIGH = {"id": {"S": "high"}, "ridecount": {"N": "9000"}}
NO_NUMBER = {"id": {"S": "broken"}, "ridecount": {"S": "many"}}


@pytest.fixture(scope="module")
def application() -> Iterator[WatchedApplication]:
    with (
        LocalAws() as aws,
        watched_application(aws, FORESTS, {"NotificationSeverity": "low"}, STACK) as deployed,
    ):
        deployed.put(items(400))
        aws.event_sources.settle()
        yield deployed


def state(application: WatchedApplication) -> Any:
    """The header of the only bucket, and how many changes it remembers."""
    s3, bucket = application.client("s3"), application.base.outputs["DataBucketName"]
    [key] = [
        each["Key"]
        for each in s3.list_objects_v2(Bucket=bucket, Prefix="tables/taxi/forests/")["Contents"]
        if each["Key"].endswith("/0000")
    ]
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return json.loads(content.split(b"\n", maxsplit=2)[1]), content


def test_changes_are_learned_once_through_a_crash_two_environments_and_redelivery(
    application: WatchedApplication,
) -> None:
    aws = application.aws
    role = f"*{application.stack.physical_id('ScoreDynamodbStreamRole')}*"
    aws.faults.add(Fault("s3", "PutObject", ends="killed", times=1, caller=role))
    application.put(items(100, seed=2))
    aws.event_sources.settle()
    aws.event_sources.duplicate()
    application.put(items(100, seed=3))
    aws.event_sources.settle()
    aws.event_sources.redeliver(150)
    aws.event_sources.settle()
    header, _ = state(application)
    assert header["totals"] == {"accepted": 600, "late": 0, "rejected": 0, "dropped": 0}


def test_a_far_too_high_value_is_mailed_once_and_a_broken_item_kept_with_its_reason(
    application: WatchedApplication,
) -> None:
    aws = application.aws
    application.put([FAR_TOO_HIGH, NO_NUMBER])
    aws.event_sources.settle()
    aws.event_sources.redeliver(2)
    aws.event_sources.settle()
    assert sum("9,000" in mail.text for mail in aws.mails.all()) == 1
    url = application.stack.outputs["RejectedRecordsQueueUrl"]
    [message] = application.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]  # fmt: skip
    assert json.loads(message["Body"])["reason"] == "not a number"
    # The rule of each minute clears what was delivered; a silent table's incident ends an hour later.
    aws.clock.advance(60)
    application.invoke(application.stack.outputs["CloseIncidentsFunction"], {})
    aws.clock.advance(2 * 3_600)
    application.invoke(application.stack.outputs["CloseIncidentsFunction"], {})
    assert json.loads(state(application)[1].split(b"\n")[1])["outbox"] == {}


def test_who_may_read_streams_sees_the_forests(
    application: WatchedApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = application.aws
    role_with(aws, "read", "read-streams", stack="cutwatch")
    for name, value in operator_environment(aws).items():
        monkeypatch.setenv(name, value)
    with acting_in("read-read-streams"):
        result = cutwatch("status", "--json", "--stack", "cutwatch")
    [table] = json.loads(result.stdout)["tables"]
    assert (table["table"], table["endpoint"]) == ("taxi", None)
    forests = table["forests"]
    assert (forests["keys"], forests["changes_applied"], forests["changes_rejected"]) == (1, 602, 1)
    # The incident ended two hours after its change.
    assert 7_200 <= forests["seconds_since_newest_change"] < 4 * 3_600
    assert (table["open_incidents"], table["incidents_last_week"]) == (0, 1)
    [rejected] = table["problems"]
    assert rejected.startswith("records rejected: 1 message in ")


def test_items_of_400_kb_are_learned_and_a_broken_one_kept_with_its_reason(
    application: WatchedApplication,
) -> None:
    """Together they are larger than an invocation's payload."""
    filling: dict[str, Any] = {"photo": {"B": b"x" * 390_000}}
    for each in [*items(19, seed=5), {**NO_NUMBER, "id": {"S": "large"}}]:
        application.put([{**each, **filling}])
    application.aws.event_sources.settle()
    header, _ = state(application)
    assert (header["totals"]["accepted"], header["totals"]["rejected"]) == (620, 2)
    url = application.stack.outputs["RejectedRecordsQueueUrl"]
    found = application.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    letters = [json.loads(each["Body"]) for each in found["Messages"]]
    [large] = [each for each in letters if "large" in each["partition_key"]]
    assert (large["reason"], large["bytes"] > 390_000) == ("not a number", True)


def test_no_call_is_denied_and_nothing_is_granted_that_nothing_uses(
    application: WatchedApplication,
) -> None:
    assert [call for call in application.aws.calls if call.error_code in DENIALS] == []
    permissions = application.aws.permissions
    ids = [application.stack.physical_id(role) for role in ROLES]
    granted = {(use.statement, use.action) for role in ids for use in permissions.granted(role)}
    used = {(use.statement, use.action) for use in permissions.uses if use.role in ids}
    assert granted - used == set(NOT_SEEN)


def close(application: WatchedApplication) -> None:
    """Let the rule run each minute until nobody can write for the declaration before any more."""
    function = application.stack.outputs["CloseIncidentsFunction"]
    for _ in range(7):
        application.aws.clock.advance(60)
        application.invoke(function, {})


def ended_because(application: WatchedApplication) -> list[str]:
    """The reasons of all ends that were mailed."""
    mails = application.aws.mails.all()
    found = [re.search(r"^  Ended     (.*)$", mail.text, re.MULTILINE) for mail in mails]
    return [match[1] for match in found if match and match[1].startswith("table ")]


def deployed_again(
    application: WatchedApplication, declaration: Mapping[str, Any], **parameters: str
) -> WatchedApplication:
    """Update both stacks for another declaration of the table."""
    arns = (application.stream_arn.partition("/stream/")[0], application.stream_arn)
    parameters = {"NotificationSeverity": "low", **parameters}
    base, stack = deploy_table(application.aws, declaration, arns, STACK, parameters)
    return replace(application, base=base, stack=stack)


def test_a_changed_declaration_and_another_engine_end_the_open_incident_once(
    application: WatchedApplication,
) -> None:
    aws = application.aws
    application.put([{**FAR_TOO_HIGH, "id": {"S": "higher"}}])
    aws.event_sources.settle()
    changed = {**FORESTS, "forest": {"trees": 25, "sample_size": 64}}
    application = deployed_again(application, changed)
    application.put(items(200, seed=4))
    aws.event_sources.settle()
    close(application)
    [reason] = ended_because(application)
    assert reason.startswith("table taxi has another configuration since, ")

    application.put([{**FAR_TOO_HIGH, "id": {"S": "highest"}}])
    aws.event_sources.settle()
    application = deployed_again(application, DECLARATION, BakeSeconds="60")
    close(application)
    assert ended_because(application) == [reason, "table taxi no longer has engine: forest"]
    close(application)
    assert len(ended_because(application)) == 2
