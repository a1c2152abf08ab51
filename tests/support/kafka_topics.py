"""Topics on a broker, and a function on a Kafka mapping of the local AWS that remembers what it got."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from localaws import LocalAws
from localaws.kafka.broker import KafkaBroker
from support.functions import create_function
from support.roles import allow, create_role
from support.streams import LAMBDA

_SECONDS, _TRIES = 120.0, 2_400
# Logs the offsets and values of each batch. Values tell it what to do: "poison" raises, "report" reports itself.
_HANDLER = """
    import base64, json

    def handler(event, context):
        records = [each for group in event["records"].values() for each in group]
        texts = [base64.b64decode(each["value"]).decode() for each in records]
        print("GOT " + json.dumps([event, texts]))
        if "poison" in texts:
            raise ValueError("poison")
        return {
            "batchItemFailures": [
                {"itemIdentifier": {"partition": f"{each['topic']}-{each['partition']}", "offset": each["offset"]}}
                for each, text in zip(records, texts)
                if text == "report"
            ]
        }
"""
PROVISIONED = {"MinimumPollers": 1, "MaximumPollers": 3}
_numbers = itertools.count()


class TopicScene:
    """A topic, a function without any permission, and a mapping between the two."""

    def __init__(self, aws: LocalAws, broker: KafkaBroker, partitions: int = 1) -> None:
        number = next(_numbers)
        self._aws = aws
        self._servers = broker.address
        self._admin = AdminClient({"bootstrap.servers": broker.address})
        self._producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 0})
        self._functions = aws.client("lambda")
        self.topic = f"topic-{number}"
        self.function, self.role = f"kafka-function-{number}", f"kafka-role-{number}"
        self._admin.create_topics([NewTopic(self.topic, partitions, 1)])[self.topic].result(
            _SECONDS
        )
        self._wait_for(partitions)
        create_function(
            aws, create_role(aws, self.role, LAMBDA, [_NOTHING]), self.function, _HANDLER
        )

    def map(self, **settings: Any) -> str:
        """Create a mapping to the self-managed cluster, in provisioned mode; return its id."""
        endpoints = {"KAFKA_BOOTSTRAP_SERVERS": self._servers.split(",")}
        source = {"SelfManagedEventSource": {"Endpoints": endpoints}}
        if "EventSourceArn" in settings:
            source = {}
        created = self._functions.create_event_source_mapping(
            FunctionName=self.function,
            **{
                **source,
                "Topics": [self.topic],
                "StartingPosition": "TRIM_HORIZON",
                "ProvisionedPollerConfig": PROVISIONED,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                **settings,
            },
        )
        return str(created["UUID"])

    def result(self, uuid: str) -> str:
        mapping = self._functions.get_event_source_mapping(UUID=uuid)
        return str(mapping["LastProcessingResult"])

    def put(self, *texts: str, partition: int = 0, **fields: Any) -> None:
        for text in texts:
            self._producer.produce(self.topic, text, partition=partition, **fields)
        assert self._producer.flush(_SECONDS) == 0

    def add_partition(self, total: int) -> None:
        wanted = NewPartitions(self.topic, total)
        self._admin.create_partitions([wanted])[self.topic].result(_SECONDS)
        self._wait_for(total)
        # One that knew the topic before learns of its partitions minutes later.
        self._producer = Producer({"bootstrap.servers": self._servers, "linger.ms": 0})

    def _wait_for(self, partitions: int) -> None:
        """Wait until the broker says what its controller has done."""
        for _ in range(_TRIES):
            found = self._admin.list_topics(self.topic, timeout=_SECONDS).topics[self.topic]
            if found.error is None and len(found.partitions) == partitions:
                return
            time.sleep(0.05)
        raise TimeoutError(f"{self.topic} has no {partitions} partitions")

    def committed(self, group: str) -> int:
        consumer = Consumer({"bootstrap.servers": self._servers, "group.id": group})
        try:
            [found] = consumer.committed([TopicPartition(self.topic, 0)], timeout=_SECONDS)
            return int(found.offset)
        finally:
            consumer.close()

    def lags(self) -> list[float]:
        """Return the greatest OffsetLag of each minute of the last hour, the newest first."""
        now = self._aws.clock.now()
        metric = {
            "Namespace": "AWS/Lambda",
            "MetricName": "OffsetLag",
            "Dimensions": [{"Name": "FunctionName", "Value": self.function}],
        }
        [found] = self._aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "lag", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            ScanBy="TimestampDescending",
        )["MetricDataResults"]  # fmt: skip
        return [*found["Values"]]

    def events(self) -> list[Mapping[str, Any]]:
        return [event for event, _ in self._logged()]

    def batches(self) -> list[list[str]]:
        return [texts for _, texts in self._logged()]

    def texts(self) -> Counter[str]:
        return Counter(text for batch in self.batches() for text in batch)

    def queue(self) -> tuple[str, str]:
        """Create a queue that the function's role may send to; its URL and its ARN."""
        sqs = self._aws.client("sqs")
        url = sqs.create_queue(QueueName=f"dead-{self.topic}")["QueueUrl"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
        self.allow(["sqs:SendMessage"], arn)
        return url, arn

    def allow(self, actions: Iterable[str], resource: str) -> None:
        allow(self._aws, self.role, [{"Effect": "Allow", "Action": list(actions), "Resource": resource}])  # fmt: skip

    def messages(self, url: str) -> list[Mapping[str, Any]]:
        received = self._aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]

    def _logged(self) -> list[Any]:
        logs, group = self._aws.client("logs"), f"/aws/lambda/{self.function}"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        events = logs.filter_log_events(logGroupName=group, filterPattern="GOT")["events"]
        return [json.loads(event["message"].partition("GOT ")[2]) for event in events]


_NOTHING = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
