"""An AWS account on moto with one stack in it: its stores, its functions as they are invoked, its SageMaker jobs."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from threading import Lock
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from moto.sns.models import sns_backends

from cutwatch.aws import client
from tests.sagemaker_jobs import SageMakerJobs
from tests.stack import ACCOUNT, FUNCTION, REGION, Stack, snake

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
}
_PUT_AT_ONCE = 1_000


@dataclass(frozen=True)
class LambdaContext:
    """What Powertools reads of a Lambda context."""

    function_name: str
    memory_limit_in_mb: int = 512
    aws_request_id: str = "6a4b6d9e-4a0b-4c53-8ee9-1d7b4a7d0f2c"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"


@dataclass
class Account:
    """Handlers run in this process, one at a time, for they share its environment."""

    stack: Stack
    sagemaker: SageMakerJobs
    invocations: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _environment: Lock = field(default_factory=Lock)

    @property
    def bucket(self) -> str:
        return self.stack.physical_name("DataBucket")

    @property
    def table(self) -> str:
        return self.stack.physical_name("Registry")

    @property
    def namespace(self) -> str:
        return str(self.stack.environment("PublishAnomalies")["ANOMALY_NAMESPACE"])

    def invoke(self, function: str, payload: Mapping[str, Any], **environment: str) -> Any:
        """What `functions/<function>.py` answers, with the environment that the template gives it."""
        logical_id = next(each for each in self.stack.resources(FUNCTION) if snake(each) == function)
        variables = self.stack.environment(logical_id) | environment
        event = json.loads(json.dumps(payload))
        with self._environment, patch.dict(os.environ, variables):
            self.invocations.append((function, event))
            handler = import_module(function).handler
            return json.loads(json.dumps(handler(event, LambdaContext(logical_id))))

    def put_metric(
        self,
        namespace: str,
        metric: str,
        start: datetime,
        values: Sequence[float | None],
        dimensions: Mapping[str, str] | None = None,
        period: int = 300,
    ) -> None:
        """Report one value a period, from `start` on; None reports nothing."""
        datums = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": k, "Value": v} for k, v in (dimensions or {}).items()],
                "Timestamp": start + timedelta(seconds=period * position),
                "Value": value,
            }
            for position, value in enumerate(values)
            if value is not None
        ]
        for first in range(0, len(datums), _PUT_AT_ONCE):
            part = datums[first : first + _PUT_AT_ONCE]
            client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=part)

    def published(
        self, metric: str, start: datetime, end: datetime, detector: str | None = None, stat: str = "Maximum"
    ) -> dict[datetime, float]:
        """A metric of ours, read back minute by minute."""
        dimensions = [{"Name": "Detector", "Value": detector}] if detector else []
        answer = client("cloudwatch").get_metric_statistics(
            Namespace=self.namespace,
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=start,
            EndTime=end,
            Period=60,
            Statistics=[stat],
        )
        return {point["Timestamp"]: point[stat] for point in answer["Datapoints"]}

    def messages(self) -> list[tuple[str, str]]:
        """Subject and text of every notification."""
        topic = sns_backends[ACCOUNT][REGION].topics[self.stack.arn("NotificationTopic")]
        return [(sent[2], sent[1]) for sent in topic.sent_notifications]

    def write(self, key: str, content: str) -> None:
        client("s3").put_object(Bucket=self.bucket, Key=key, Body=content.encode())

    def read(self, key: str) -> str:
        body: bytes = client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body.decode()

    def keys(self, prefix: str = "") -> list[str]:
        listed = client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]


@contextmanager
def open_account(stack: Stack) -> Iterator[Account]:
    """A fresh account with the stack's bucket, table and topic as the template describes them."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        table = stack.properties("Registry")
        client("s3").create_bucket(Bucket=stack.physical_name("DataBucket"))
        client("dynamodb").create_table(
            TableName=stack.physical_name("Registry"),
            **{key: table[key] for key in ("AttributeDefinitions", "KeySchema", "BillingMode")},
        )
        client("sns").create_topic(Name=stack.physical_name("NotificationTopic"))
        jobs = SageMakerJobs(client("s3"))
        jobs.attach(client("sagemaker"))
        try:
            yield Account(stack, jobs)
        finally:
            jobs.detach(client("sagemaker"))


@contextmanager
def counted_calls(service: str) -> Iterator[list[str]]:
    """The operations that our client of a service is asked for, in order."""
    operations: list[str] = []

    def record(model: Any, **_: Any) -> None:
        operations.append(model.name)

    events = client(service).meta.events
    events.register_first(f"before-call.{service}", record, unique_id="counted")
    try:
        yield operations
    finally:
        events.unregister(f"before-call.{service}", unique_id="counted")
