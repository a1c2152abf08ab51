"""The message about records that were given up, as Lambda sends it to an on-failure destination."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from function_consumer.queue import Condition, Discard
from function_consumer.records import Origin, Record


def message(discard: Discard, origin: Origin, function_arn: str, now: float) -> dict[str, Any]:
    """Return the description of records that were given up, without the records."""
    executed: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if discard.condition is Condition.RETRIES_EXHAUSTED:
        executed["functionError"] = "Unhandled"
    source = {"eventSourceArn": origin.arn} if origin.arn else {}
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
        "KafkaBatchInfo": {
            "batchSize": len(discard.records),
            **source,
            "bootstrapServers": origin.bootstrap_servers,
            "payloadSize": sum(each.size for each in discard.records),
            "recordsInfo": _partitions(discard.records),
        },
    }


def send(client: Any, queue_url_or_topic_arn: str, body: Mapping[str, Any]) -> None:
    """Send a message with a client of SNS for the ARN of a topic, of SQS for the URL of a queue."""
    text = json.dumps(body)
    if queue_url_or_topic_arn.startswith("arn:"):
        client.publish(TopicArn=queue_url_or_topic_arn, Message=text)
    else:
        client.send_message(QueueUrl=queue_url_or_topic_arn, MessageBody=text)


def _partitions(records: Sequence[Record]) -> dict[str, Any]:
    by_partition: dict[str, list[Record]] = {}
    for each in records:
        by_partition.setdefault(str(each.partition), []).append(each)
    return {
        name: {
            "firstRecordOffset": str(group[0].offset),
            "lastRecordOffset": str(group[-1].offset),
            "firstRecordTimestamp": _written(group[0].time / 1_000),
            "lastRecordTimestamp": _written(group[-1].time / 1_000),
        }
        for name, group in by_partition.items()
    }


def _written(moment: float) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
