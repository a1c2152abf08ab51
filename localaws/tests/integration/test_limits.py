"""Limits that are enforced at the door."""

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.limits import (
    LAMBDA_PAYLOAD_MAX_BYTES,
    SNS_MESSAGE_MAX_BYTES,
    SNS_SUBJECT_MAX_LENGTH,
)


@pytest.fixture(scope="module")
def topic(aws: LocalAws) -> str:
    return str(aws.client("sns").create_topic(Name="limits")["TopicArn"])


def test_the_longest_message_and_subject_are_published(aws: LocalAws, topic: str) -> None:
    message, subject = "m" * SNS_MESSAGE_MAX_BYTES, "s" * SNS_SUBJECT_MAX_LENGTH
    aws.client("sns").publish(TopicArn=topic, Message=message, Subject=subject)


def test_a_longer_message_is_refused(aws: LocalAws, topic: str) -> None:
    with pytest.raises(ClientError, match="Message too long"):
        aws.client("sns").publish(TopicArn=topic, Message="ü" * (SNS_MESSAGE_MAX_BYTES // 2 + 1))


@pytest.mark.parametrize("subject", ["s" * (SNS_SUBJECT_MAX_LENGTH + 1), "", "two\nlines", "ä"])
def test_a_subject_that_sns_does_not_take_is_refused(
    aws: LocalAws, topic: str, subject: str
) -> None:
    with pytest.raises(ClientError, match="Invalid parameter: Subject"):
        aws.client("sns").publish(TopicArn=topic, Message="m", Subject=subject)


def test_an_invocation_payload_that_is_too_large_is_refused(aws: LocalAws) -> None:
    payload = b'"' + b"x" * LAMBDA_PAYLOAD_MAX_BYTES + b'"'
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        aws.client("lambda").invoke(FunctionName="any", Payload=payload)


def test_an_item_that_is_too_large_is_refused(aws: LocalAws) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="limits",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    with pytest.raises(ClientError, match="Item size has exceeded"):
        dynamodb.put_item(
            TableName="limits", Item={"pk": {"S": "1"}, "text": {"S": "x" * 400 * 1024}}
        )


def test_an_execution_starts_with_valid_json_only(aws: LocalAws, role: str) -> None:
    states = aws.client("stepfunctions")
    machine = states.create_state_machine(
        name="echo",
        roleArn=role,
        definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
    )["stateMachineArn"]

    with pytest.raises(states.exceptions.InvalidExecutionInput):
        states.start_execution(stateMachineArn=machine, input="{time: now}")
