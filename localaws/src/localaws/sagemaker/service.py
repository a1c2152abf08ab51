"""The SageMaker API: operations, request validation, tags."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.request_validation import validate
from localaws.sagemaker.behaviour import SageMakerBehaviour
from localaws.sagemaker.endpoint_configs import EndpointConfigs
from localaws.sagemaker.endpoints import Endpoints
from localaws.sagemaker.keys import Demand, JobKeys
from localaws.sagemaker.models import Models
from localaws.sagemaker.objects import ObjectsOfRoles
from localaws.sagemaker.training import TrainingJobs
from localaws.sagemaker.transform import TransformJobs

_Parameters = Mapping[str, Any]


class SageMaker:
    """Answers every request for SageMaker; what it does not implement it refuses by name."""

    def __init__(
        self,
        region: str,
        clock: Clock,
        s3_of: Callable[[str], Any],
        demand: Demand,
        behaviour: SageMakerBehaviour,
        in_alarm: Callable[[str], bool],
    ) -> None:
        objects, keys = ObjectsOfRoles(s3_of), JobKeys(region, demand)
        self._lock = threading.Lock()
        self._tags: dict[str, dict[str, str]] = {}
        self.models = models = Models(region, clock, objects)
        self.training = training = TrainingJobs(region, clock, objects, keys, behaviour)
        self.transform = transform = TransformJobs(region, clock, objects, keys, behaviour, models)
        self.configs = configs = EndpointConfigs(region, clock, models)
        self.endpoints = endpoints = Endpoints(region, clock, behaviour, configs, models, in_alarm)
        self._operations: Mapping[str, Callable[[_Parameters], dict[str, Any]]] = {
            "CreateTrainingJob": training.create,
            "DescribeTrainingJob": training.describe,
            "ListTrainingJobs": training.list,
            "StopTrainingJob": training.stop,
            "CreateModel": models.create,
            "DescribeModel": models.describe,
            "ListModels": models.list,
            "DeleteModel": models.delete,
            "CreateTransformJob": transform.create,
            "DescribeTransformJob": transform.describe,
            "ListTransformJobs": transform.list,
            "StopTransformJob": transform.stop,
            "CreateEndpointConfig": configs.create,
            "DescribeEndpointConfig": configs.describe,
            "ListEndpointConfigs": configs.list,
            "DeleteEndpointConfig": configs.delete,
            "CreateEndpoint": endpoints.create,
            "DescribeEndpoint": endpoints.describe,
            "ListEndpoints": endpoints.list,
            "UpdateEndpoint": endpoints.update,
            "DeleteEndpoint": endpoints.delete,
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
        }

    def serves(self, operation: str) -> bool:  # noqa: ARG002 - there is no other SageMaker
        return True

    def answer(self, request: ApiRequest) -> Mapping[str, Any]:
        operation = self._operations.get(request.operation)
        if operation is None:
            raise ApiError(
                "UnknownOperationException",
                f"The local SageMaker does not implement {request.operation}.",
            )
        validate("sagemaker", request.operation, request.parameters)
        answer = operation(request.parameters)
        if request.operation.startswith("Create") and request.parameters.get("Tags"):
            created = next(value for key, value in answer.items() if key.endswith("Arn"))
            self._put_tags(created, request.parameters["Tags"])
        return answer

    def _add_tags(self, parameters: _Parameters) -> dict[str, Any]:
        tags = self._put_tags(parameters["ResourceArn"], parameters["Tags"])
        return {"Tags": _as_list(tags)}

    def _list_tags(self, parameters: _Parameters) -> dict[str, Any]:
        return {"Tags": _as_list(self._tags.get(parameters["ResourceArn"], {}))}

    def _put_tags(self, arn: str, tags: list[Mapping[str, str]]) -> dict[str, str]:
        with self._lock:
            known = self._tags.setdefault(arn, {})
            known.update({tag["Key"]: tag["Value"] for tag in tags})
            return known


def _as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
