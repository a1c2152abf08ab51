"""CloudFormation: event source mappings of a template, made as CreateEventSourceMapping makes them."""

import json
from typing import Any

from localaws.api_request import operation_model
from localaws.embedded_ministack import service
from localaws.event_sources.requests import (
    KAFKA_PROPERTIES,
    OTHER_PROPERTIES,
    STREAM_PROPERTIES,
)
from localaws.ministack_patches.own_resources import Created, Properties, Provisioner, ResourceType
from localaws.ministack_patches.property_types import typed

_PROPERTIES = STREAM_PROPERTIES.union(KAFKA_PROPERTIES, *OTHER_PROPERTIES.values())
_IMMUTABLE = (
    "EventSourceArn",
    "SelfManagedEventSource",
    "Topics",
    "StartingPosition",
    "StartingPositionTimestamp",
)


class SourceMappingResources:
    def __init__(self) -> None:
        self._functions = service("lambda_svc")
        self.type = ResourceType(Provisioner(_PROPERTIES, self.create), self.update, self.delete)

    def create(self, _: str, properties: Properties, __: str) -> Created:
        request = _request("CreateEventSourceMapping", properties)
        request["Tags"] = _tags(properties)
        described = _content(self._functions._create_esm(request))
        return self._made(described["UUID"])

    def update(self, uuid: str, old: Properties, new: Properties, stack: str) -> Created:
        """Change a mapping in place, or replace it where it cannot be changed."""
        if any(new.get(name) != old.get(name) for name in _IMMUTABLE):
            created = self.create(uuid, new, stack)
            provisioners = service("cloudformation.provisioners")
            provisioners._delete_predecessor(self.delete, uuid, old)
            return created
        request = _request("UpdateEventSourceMapping", new)
        _content(self._functions._update_esm(uuid, request))
        self._functions._esms[uuid]["Tags"] = _tags(new)
        return self._made(uuid)

    def delete(self, uuid: str, _: Properties) -> None:
        self._functions._delete_esm(uuid)

    def _made(self, uuid: str) -> Created:
        attributes = service("cloudformation.provisioners")._lambda_esm_attrs(uuid)
        return uuid, attributes


def _tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def _request(operation: str, properties: Properties) -> dict[str, Any]:
    shape = operation_model("lambda", operation).input_shape
    given = {name: properties[name] for name in properties if name != "Tags"}
    if servers := given.get("SelfManagedEventSource", {}).get("Endpoints"):
        # A property in CloudFormation, a key of a map in the API.
        brokers = {"KAFKA_BOOTSTRAP_SERVERS": servers["KafkaBootstrapServers"]}
        given["SelfManagedEventSource"] = {"Endpoints": brokers}
    request: dict[str, Any] = typed(given, shape)
    return request


def _content(response: tuple[int, Any, Any]) -> dict[str, Any]:
    status, _, body = response
    content: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(content.get("message", str(content)))
    return content
