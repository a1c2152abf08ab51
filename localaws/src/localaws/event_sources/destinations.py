"""On-failure destinations: a message about each batch that a mapping gave up. A bucket gets the batch, too."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from localaws.event_sources.batches import Condition, Discard
from localaws.event_sources.source import Source

ClientFactory = Callable[[str], Any]


def message(
    discard: Discard, lane: str, source: Source, function_arn: str, now: float
) -> dict[str, Any]:
    """Return the documented description of a discarded batch."""
    first, last = discard.records[0], discard.records[-1]
    executed = {"statusCode": 200, "executedVersion": "$LATEST"}
    if discard.condition is Condition.RETRIES_EXHAUSTED:
        executed |= {"functionError": "Unhandled"}
    return {
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": function_arn,
            "condition": discard.condition.value,
            "approximateInvokeCount": discard.invocations,
        },
        **({"responseContext": executed} if discard.invocations else {}),
        "version": "1.0",
        "timestamp": _written(now),
        source.batch_info: {
            "shardId": lane,
            "startSequenceNumber": first.position,
            "endSequenceNumber": last.position,
            "approximateArrivalOfFirstRecord": _written(first.arrived),
            "approximateArrivalOfLastRecord": _written(last.arrived),
            "batchSize": len(discard.records),
            "streamArn": source.arn,
        },
    }


def send(
    client: ClientFactory,
    endpoint_url: str,
    arn: str,
    body: Mapping[str, Any],
    event: Mapping[str, Any],
    folder: str,
) -> None:
    """Send a message to a queue, a topic or a bucket with the clients of a role.

    A bucket gets the event of the batch with it, as the text of its JSON, in an object below `aws/lambda/` and a folder.
    """
    _, _, service, _, account, name = arn.split(":", 5)
    if service == "s3":
        whole = {**body, "payload": json.dumps(event)}
        key = _object_key(folder, body["timestamp"])
        client("s3").put_object(Bucket=name, Key=key, Body=json.dumps(whole).encode())
    elif service == "sns":
        client("sns").publish(TopicArn=arn, Message=json.dumps(body))
    else:
        url = f"{endpoint_url}/{account}/{name}"
        client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body))


def _object_key(folder: str, timestamp: str) -> str:
    day, _, time = timestamp.partition("T")
    moment = f"{day}T{time[:8].replace(':', '.')}"
    return f"aws/lambda/{folder}/{day.replace('-', '/')}/{moment}-{uuid4()}"


def _written(moment: float) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
