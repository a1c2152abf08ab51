"""The bucket, table, topics and queues of a Kafka stream's stack on moto, and its functions as Lambda invokes them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from moto.sqs.models import sqs_backends

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery import stream_function
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.stream import Stream
from cutwatch.reports.hour_report import report_key
from cutwatch.streams.log_training import Training
from cutwatch.streams.model_register import ModelRegister
from tests.support.stack import ACCOUNT

REGION = "us-east-1"
DETECTORS = """\
streams:
  - name: shop
    source: kafka:shop-access,shop-api
    model: one_class_svm
    log:
      time: at
      time_format: seconds
      response_time: seconds
      method: method
      path: path
      status: status
      level: level
"""
DETECTORS_OF_ENDPOINT = DETECTORS.replace("one_class_svm", "random_cut_forest_endpoint")


class Context:
    """What the handlers read of Lambda's context."""

    function_name, memory_limit_in_mb, aws_request_id = "f", 1_769, "r"
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"

    def get_remaining_time_in_millis(self) -> int:
        return 100_000


@dataclass
class KafkaStack:
    """A deployed stack; `queues` are URLs by name."""

    detectors: Path
    queues: dict[str, str] = field(default_factory=dict)

    @property
    def bucket(self) -> Bucket:
        return Bucket(client("s3"), "data")

    @property
    def archive(self) -> Bucket:
        return Bucket(client("s3"), "archive")

    @property
    def stream(self) -> Stream:
        [stream] = load_configuration(self.detectors).streams
        return stream

    def make_current(self, training: Training) -> None:
        register = ModelRegister(self.bucket, self.stream)
        register.add(training.fitted, training.entry(0.0))

    def invoke(self, function: str, event: Any) -> Any:
        """Invoke a function in an execution environment that is warm."""
        return import_module(function).handler(event, Context())

    def cool_down(self) -> None:
        """End the execution environments."""
        stream_function._functions.clear()

    def report(self, hour: int) -> dict[str, Any]:
        payload: dict[str, Any] = self.bucket.read_json(report_key("shop", hour))
        return payload

    def send_result(self, *bodies: Any) -> None:
        """Put messages into the queue of results."""
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            client("sqs").send_message(QueueUrl=self.queues["results_url"], MessageBody=text)

    def let_visibility_end(self) -> None:
        """Let every message that was received and not deleted be visible again."""
        for queue in sqs_backends[ACCOUNT][REGION].queues.values():
            for message in queue._messages:
                message.change_visibility(0)
            queue.pending_messages.clear()

    def messages(self, queue: str) -> list[Any]:
        """Receive and keep every message of a queue, as JSON values where they are."""
        self.let_visibility_end()
        found = []
        while batch := client("sqs").receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10).get("Messages"):  # fmt: skip
            found += [each["Body"] for each in batch]
        self.let_visibility_end()
        return [_json(each) for each in found]


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


@contextmanager
def opened_kafka_stack(folder: Path, detectors: str = DETECTORS) -> Iterator[KafkaStack]:
    """Make the stack, without a model; `folder` has its detectors file. The environment is that of its functions."""
    with mock_aws(), patch.dict("os.environ", {"AWS_DEFAULT_REGION": REGION}):
        for name in ("data", "archive"):
            client("s3").create_bucket(Bucket=name)
        _create_table()
        stack = KafkaStack(folder / "detectors.yaml")
        stack.detectors.write_text(detectors)
        stack.queues["results_url"] = _create_queue("results")
        stack.queues["rejected_records_url"] = _create_queue("rejected.fifo", FifoQueue="true")
        topic = client("sns").create_topic(Name="topic")["TopicArn"]
        with (
            patch.dict("os.environ", _environment(stack, topic)),
            patch("cutwatch.reports.reporting._WAIT_SECONDS", 0),
        ):
            stack.cool_down()
            yield stack
            stack.cool_down()


def _create_queue(name: str, **attributes: str) -> str:
    url: str = client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def _create_table() -> None:
    client("dynamodb").create_table(
        TableName="registry",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def _environment(stack: KafkaStack, topic: str) -> dict[str, str]:
    settings = {
        "stream_name": "shop",
        "stream_arn": "kafka:shop-access,shop-api",
        "base_stack": "cutwatch",
        "table_name": "registry",
        "bucket_name": "data",
        "anomaly_namespace": "Cutwatch",
        "topic_arn": topic,
        "operations_topic_arn": topic,
        "notification_severity": "low",
        "aws_region": REGION,
        "aws_default_region": REGION,
        "history_location": "archive/shop/",
        "scoring_function": "shop-ScoreKafka",
        "endpoint_name": "shop-log",
        "detectors_file": str(stack.detectors),
        **stack.queues,
    }
    return {name.upper(): value for name, value in settings.items()}
