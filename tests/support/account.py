"""An AWS account on moto with one stack in it: its stores, its functions as they are invoked, its SageMaker jobs."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from importlib import import_module
from threading import Lock
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.sns.models import sns_backends

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.registry.detector_record import Model
from cutwatch.registry.registry import Registry
from cutwatch.timestamps import floor_to_period
from tests.support.client_events import hook
from tests.support.moto_metrics import quick_metric_data
from tests.support.permissions import (
    Need,
    Statement,
    allows,
    needs,
    needs_of_missing_object,
    statements,
)
from tests.support.sagemaker_jobs import SageMakerJobs
from tests.support.stack import ACCOUNT, REGION, Stack, camel

_PUT_AT_ONCE = 1_000
_SERVICES = ("cloudwatch", "dynamodb", "events", "s3", "sagemaker", "sns")


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
    overrides: dict[str, str] = field(default_factory=dict)
    bus: list[dict[str, Any]] = field(default_factory=list)
    _running: str | None = None
    _granted: dict[str, list[Statement]] = field(default_factory=dict)
    _one_at_a_time: Lock = field(default_factory=Lock)

    @property
    def bucket(self) -> str:
        return self.stack.physical_name("DataBucket")

    @property
    def table(self) -> str:
        return self.stack.physical_name("Registry")

    @property
    def registry(self) -> Registry:
        return Registry(client("dynamodb"), self.table)

    @property
    def store(self) -> Bucket:
        return Bucket(client("s3"), self.bucket)

    def register_model(self, detector: str, model: Model, recipe: FeatureRecipe) -> None:
        """As Register Model does: the recipe beside the artefact, then the model."""
        self.store.write(model.recipe, json.dumps(recipe.to_payload()))
        self.registry.detectors.add_model(detector, model)

    @property
    def namespace(self) -> str:
        return str(self.stack.environment("PublishAnomalies")["ANOMALY_NAMESPACE"])

    def invoke(self, function: str, payload: Mapping[str, Any], **environment: str) -> Any:
        """What `functions/<function>.py` answers, with the environment that the template gives it."""
        logical_id = camel(function)
        variables = self.stack.environment(logical_id) | self.overrides | environment
        event = json.loads(json.dumps(payload))
        with self._one_at_a_time, patch.dict(os.environ, variables):
            self.invocations.append((function, event))
            handler = import_module(function).handler
            self._running = logical_id
            try:
                return json.loads(json.dumps(handler(event, LambdaContext(logical_id))))
            finally:
                self._running = None

    def check_permission(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """Refuse, as IAM would, what the role of the function that is running does not allow."""
        for need in needs(model.service_model.service_name, model.name, params):
            self._demand(model.name, need)

    def check_missing_object(self, http_response: Any, model: Any, **_: Any) -> None:
        """S3 tells only those who may list the bucket that an object is missing."""
        if http_response.status_code == HTTPStatus.NOT_FOUND:
            self._demand(model.name, needs_of_missing_object(self.bucket))

    def _demand(self, operation: str, need: Need) -> None:
        if self._running is None:
            return
        if self._running not in self._granted:
            self._granted[self._running] = statements(self.stack, f"{self._running}Role")
        if not allows(self._granted[self._running], need):
            message = f"{self._running}Role does not allow {need[0]} on {need[1]}"
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, operation)

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
        self,
        metric: str,
        start: datetime,
        end: datetime,
        detector: str | None = None,
        *,
        period: int = 300,
        statistic: str = "Maximum",
    ) -> dict[datetime, float]:
        """A metric of ours, read back; as on AWS, datapoints are named after the start of their period."""
        answer = client("cloudwatch").get_metric_statistics(
            Namespace=self.namespace,
            MetricName=metric,
            Dimensions=[{"Name": "Detector", "Value": detector}] if detector else [],
            StartTime=start,
            EndTime=end,
            Period=period,
            Statistics=[statistic],
        )
        return {
            floor_to_period(point["Timestamp"], period): point[statistic]
            for point in answer["Datapoints"]
        }

    def messages(self, topic: str = "NotificationTopic") -> list[tuple[str, str]]:
        """Subject and text of every message to a topic."""
        return [(sent[2] or "", sent[1]) for sent in self._sent(topic)]

    def operations_messages(self) -> list[tuple[str, str]]:
        """What people are told of failures."""
        return self.messages("OperationsTopic")

    def attributes(self, topic: str = "NotificationTopic") -> list[dict[str, Any]]:
        """The attributes of every message to a topic, as filter policies see them."""
        return [
            {
                name: json.loads(each["Value"]) if each["Type"] == "String.Array" else each["Value"]
                for name, each in sent[3].items()
            }
            for sent in self._sent(topic)
        ]

    def _sent(self, topic: str) -> Any:
        return sns_backends[ACCOUNT][REGION].topics[self.stack.arn(topic)].sent_notifications

    def on_bus(self) -> list[dict[str, Any]]:
        """The details of all events on the default bus."""
        return [json.loads(entry["Detail"]) for entry in self.bus]

    def record_events(self, params: Mapping[str, Any], **_: Any) -> None:
        """Remember what is put on the bus."""
        self.bus.extend(params["Entries"])

    def keys(self, prefix: str = "") -> list[str]:
        listed = client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]


@contextmanager
def open_account(stack: Stack) -> Iterator[Account]:
    """A fresh account with the stack's bucket, table and topic as the template describes them."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}), quick_metric_data():
        table = stack.properties("Registry")
        client("s3").create_bucket(Bucket=stack.physical_name("DataBucket"))
        client("dynamodb").create_table(
            TableName=stack.physical_name("Registry"),
            **{key: table[key] for key in ("AttributeDefinitions", "KeySchema", "BillingMode")},
        )
        for topic in ("NotificationTopic", "OperationsTopic"):
            client("sns").create_topic(Name=stack.physical_name(topic))
        account = Account(stack, SageMakerJobs(unobserved_client("s3")))
        with ExitStack() as hooks:
            sagemaker = client("sagemaker")
            hooks.enter_context(hook(sagemaker, "before-call.sagemaker", account.sagemaker.answer))
            put = "before-parameter-build.events.PutEvents"
            hooks.enter_context(hook(client("events"), put, account.record_events))
            missing = hook(client("s3"), "after-call.s3.GetObject", account.check_missing_object)
            hooks.enter_context(missing)
            for service in _SERVICES:
                event = f"before-parameter-build.{service}"
                hooks.enter_context(hook(client(service), event, account.check_permission))
            yield account


@cache
def unobserved_client(service: str) -> Any:
    """A client apart from that of the functions, whose calls are counted and held against their roles."""
    session: Any = boto3.session.Session()
    return session.client(service)
