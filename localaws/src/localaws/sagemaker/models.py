"""Models: a name for an artefact and the image that reads it."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.sagemaker import arns
from localaws.sagemaker.jobs import JobFailure
from localaws.sagemaker.objects import ObjectsOfRoles, split
from localaws.sagemaker.supported import check_image, not_implemented, refuse_unsupported

_DEFAULT_PAGE = 10


class Models:
    def __init__(self, region: str, clock: Clock, objects: ObjectsOfRoles) -> None:
        self._region = region
        self._clock = clock
        self._objects = objects
        self._lock = threading.Lock()
        self._models: dict[str, tuple[Mapping[str, Any], datetime]] = {}

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unsupported("CreateModel", request)
        container = request.get("PrimaryContainer")
        if container is None:
            raise not_implemented("models without a PrimaryContainer")
        check_image(container.get("Image", ""), self._region)
        arns.check_role(request["ExecutionRoleArn"], self._region)
        self._check_artefact(container.get("ModelDataUrl", ""), request["ExecutionRoleArn"])
        name = request["ModelName"]
        arn = self._arn(name)
        with self._lock:
            if name in self._models:
                raise ApiError(
                    "ValidationException", f'Cannot create already existing model "{arn}".'
                )
            self._models[name] = (request, self._clock.now())
        return {"ModelArn": arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        model, created = self.get(request["ModelName"])
        return {
            **{key: value for key, value in model.items() if key != "Tags"},
            "ModelArn": self._arn(request["ModelName"]),
            "CreationTime": created,
        }

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found: list[dict[str, Any]] = [
            {"ModelName": name, "ModelArn": self._arn(name), "CreationTime": created}
            for name, (_, created) in self._models.items()
            if request.get("NameContains", "") in name
        ]
        found.sort(
            key=lambda model: model[
                "ModelName" if request.get("SortBy") == "Name" else "CreationTime"
            ],
            reverse=request.get("SortOrder", "Descending") == "Descending",
        )
        start = int(request.get("NextToken", 0))
        end = start + request.get("MaxResults", _DEFAULT_PAGE)
        more = {"NextToken": str(end)} if end < len(found) else {}
        return {"Models": found[start:end], **more}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.get(request["ModelName"])
        with self._lock:
            self._models.pop(request["ModelName"], None)
        return {}

    def get(self, name: str) -> tuple[Mapping[str, Any], datetime]:
        if name not in self._models:
            raise ApiError("ValidationException", f'Could not find model "{self._arn(name)}".')
        return self._models[name]

    def role(self, name: str) -> str:
        return str(self.get(name)[0]["ExecutionRoleArn"])

    def artefact(self, name: str) -> bytes:
        """Return the model's artefact; raise JobFailure if it cannot be read."""
        uri = self.get(name)[0]["PrimaryContainer"]["ModelDataUrl"]
        try:
            return self._objects.of(self.role(name)).read(uri)
        except ClientError as error:
            raise JobFailure(
                f"ClientError: Failed to download model data from {uri}: {error}"
            ) from error

    def _check_artefact(self, uri: str, role: str) -> None:
        if not uri.startswith("s3://") or not self._objects.of(role).exists(uri):
            raise ApiError(
                "ValidationException",
                f"Could not access model data at {uri}. Please ensure that the role has access to "
                f"the object and that the bucket {split(uri)[0]} is in {self._region}.",
            )

    def _arn(self, name: str) -> str:
        return arns.arn(self._region, "model", name)
