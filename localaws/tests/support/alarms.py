"""Alarms and whom they tell, for tests."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

from localaws import LocalAws

Message = dict[str, Any]


class Listener:
    """A topic, and the queue that hears what is published to it."""

    def __init__(self, aws: LocalAws, **attributes: str) -> None:
        sns, self._sqs = aws.client("sns"), aws.client("sqs")
        name = f"heard-{uuid4()}"
        self.topic = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        described = self._sqs.get_queue_attributes(
            QueueUrl=self._queue, AttributeNames=["QueueArn"]
        )
        self.queue_arn = described["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.queue_arn)

    def bodies(self, wait: int = 0) -> list[Message]:
        """What has come to the queue since the last time that somebody asked, in its order."""
        found: list[Message] = []
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait
            )
            if not answer.get("Messages"):
                return found
            for message in answer["Messages"]:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
            wait = 0

    def messages(self, wait: int = 0) -> list[Message]:
        """The messages of alarms, each with its subject."""
        return [
            {"Subject": body["Subject"], **json.loads(body["Message"])}
            for body in self.bodies(wait)
        ]


def put_alarm(aws: LocalAws, name: str, **changes: Any) -> None:
    """An alarm on the maximum of Shop's metric of the same name; a change to None leaves a setting out."""
    settings: dict[str, Any] = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": name,
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **changes,
    }
    put = {key: value for key, value in settings.items() if value is not None}
    aws.client("cloudwatch").put_metric_alarm(**put)


WITHOUT_METRIC = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))


def put_query_alarm(aws: LocalAws, name: str, *queries: dict[str, Any], **changes: Any) -> None:
    put_alarm(aws, name, **{**WITHOUT_METRIC, "Metrics": list(queries), **changes})


def metric(query: str, name: str, **changes: Any) -> dict[str, Any]:
    """A query of Shop's metric of that name that returns no data itself."""
    stat = {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 300, "Stat": "Sum"}
    return {"Id": query, "MetricStat": {**stat, **changes}, "ReturnData": False}


def expression(text: str, **changes: Any) -> dict[str, Any]:
    return {"Id": "watched", "Expression": text, "ReturnData": True, **changes}


def described(aws: LocalAws, name: str) -> dict[str, Any]:
    (found,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def state(aws: LocalAws, name: str) -> str:
    return str(described(aws, name)["StateValue"])


def put_datum(aws: LocalAws, name: str, value: float, minutes_ago: float = 0, **datum: Any) -> None:
    timestamp = aws.clock.now() - timedelta(minutes=minutes_ago)
    aws.client("cloudwatch").put_metric_data(
        Namespace="Shop",
        MetricData=[{"MetricName": name, "Timestamp": timestamp, "Value": value, **datum}],
    )


def of_detector(name: str) -> dict[str, Any]:
    return {"Dimensions": [{"Name": "Detector", "Value": name}]}
