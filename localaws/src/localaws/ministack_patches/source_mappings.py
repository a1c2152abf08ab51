"""Lambda: event source mappings of streams are created, changed and deleted here; MiniStack keeps and lists their records.

Mappings of queues stay MiniStack's; what it would store without effect is refused.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.embedded_ministack import core, service
from localaws.event_sources import requests
from localaws.event_sources.mappings import EventSourceMappings
from localaws.event_sources.source_mapping import Opening
from localaws.ministack_patches.patching import Patches

if TYPE_CHECKING:
    from localaws.event_sources.kafka_mappings import KafkaMappings

_Parameters = Mapping[str, Any]
_Response = tuple[int, Any, Any]
# Opens a source for a mapping's record and its function's role; refuses what the role may not read.
Open = Callable[[Mapping[str, Any], str], Opening]


class SourceMappings:
    def __init__(
        self,
        patches: Patches,
        mappings: EventSourceMappings,
        clock: Clock,
        opens: Mapping[str, Open],
        kafka: "Callable[[], KafkaMappings]",
    ) -> None:
        self._mappings = mappings
        self._clock = clock
        self._opens = opens
        self._kafka = kafka
        self._functions = functions = service("lambda_svc")
        self._create = patches.replace(functions, "_create_esm", self.create)
        self._update = patches.replace(functions, "_update_esm", self.update)
        self._delete = patches.replace(functions, "_delete_esm", self.delete)
        patches.replace(functions, "_poll_kinesis", lambda: False)
        patches.replace(functions, "_poll_dynamodb_streams", lambda: False)

    def create(self, parameters: _Parameters) -> _Response:
        return self._answered(self._created, parameters)

    def update(self, uuid: str, parameters: _Parameters) -> _Response:
        return self._answered(self._updated, uuid, parameters)

    def delete(self, uuid: str) -> _Response:
        self._mappings.close(uuid)
        response: _Response = self._delete(uuid)
        return response

    def _created(self, parameters: _Parameters) -> _Response:
        kind = _service_of(parameters)
        requests.check_supported(kind, parameters)
        if kind == _KAFKA:
            return self._kafka_created(parameters)
        if kind not in self._opens:
            response: _Response = self._create(parameters)
            return response
        requests.check("CreateEventSourceMapping", parameters)
        requests.check_start(parameters)
        record = self._record(parameters, requests.DEFAULTS, requests.STREAM_PROPERTIES)
        requests.check_together(record)
        self._check_is_new(record)
        opening = self._opens[kind](record, self._role(record))
        self._functions._esms[record["UUID"]] = record
        self._mappings.open(record, opening)
        return self._described(record)

    def _updated(self, uuid: str, parameters: _Parameters) -> _Response:
        record = self._functions._esms.get(uuid)
        kind = _service_of(record) if record else ""
        requests.check_supported(kind, parameters)
        if record is None or kind not in {_KAFKA, *self._opens}:
            response: _Response = self._update(uuid, parameters)
            return response
        requests.check("UpdateEventSourceMapping", {**parameters, "UUID": uuid})
        changes = {name: parameters[name] for name in parameters if name in _changeable(kind)}
        if "FunctionName" in parameters:
            changes |= self._function(parameters["FunctionName"])
        if "Enabled" in parameters:
            changes |= _enabled(parameters["Enabled"])
        changed = {**record, **changes}
        if kind == _KAFKA:
            self._kafka().check(changed, self._role(changed))
        else:
            requests.check_together(changed)
            self._opens[kind](changed, self._role(changed))
        record.update(changes, LastModified=self._now())
        self._mappings.change(uuid)
        return self._described(record)

    def _kafka_created(self, parameters: _Parameters) -> _Response:
        requests.check("CreateEventSourceMapping", parameters)
        requests.check_start(parameters)
        record = self._record(parameters, requests.KAFKA_DEFAULTS, requests.KAFKA_PROPERTIES)
        self._check_is_new(record)
        self._kafka().open(record, self._role(record))
        self._functions._esms[record["UUID"]] = record
        return self._described(record)

    def _record(
        self, parameters: _Parameters, defaults: _Parameters, properties: frozenset[str]
    ) -> dict[str, Any]:
        known = properties - {"FunctionName", "Enabled"}
        return {
            "UUID": str(uuid4()),
            **defaults,
            **{name: parameters[name] for name in parameters if name in known},
            **self._function(parameters["FunctionName"]),
            **_enabled(parameters.get("Enabled", True)),
            "StateTransitionReason": "User action",
            "LastModified": self._now(),
            "LastProcessingResult": "No records processed",
        }

    def _function(self, reference: str) -> dict[str, Any]:
        name, qualifier, error = self._functions._resolve_existing_esm_function(reference)
        if error is not None:
            raise ApiError("ResourceNotFoundException", f"Function not found: {reference}", 404)
        arn = self._functions._func_arn(name)
        return {
            "FunctionArn": arn + (f":{qualifier}" if qualifier else ""),
            "FunctionName": name,
            "Qualifier": qualifier,
        }

    def _role(self, record: _Parameters) -> str:
        functions = self._functions
        _, configuration = functions._get_func_record_for_qualifier(
            record["FunctionName"], record["Qualifier"]
        )
        return str(configuration["Role"])

    def _check_is_new(self, record: _Parameters) -> None:
        identity = ("EventSourceArn", "FunctionArn", "SelfManagedEventSource", "Topics")
        for other in self._functions._esms.values():
            if all(other.get(name) == record.get(name) for name in identity):
                raise ApiError(
                    "ResourceConflictException",
                    f"An event source mapping with event source arn "
                    f'(" {record.get("EventSourceArn")} ") and function (" {record["FunctionName"]} ") '
                    f"already exists. Please update or delete the existing mapping with UUID "
                    f"{other['UUID']}",
                    409,
                )

    def _described(self, record: _Parameters) -> _Response:
        response: _Response = core("responses").json_response(
            self._functions._esm_response(record), 202
        )
        return response

    def _answered(self, operation: Callable[..., _Response], *arguments: Any) -> _Response:
        try:
            return operation(*arguments)
        except ApiError as error:
            response: _Response = core("responses").error_response_json(
                error.code, error.message, error.status
            )
            return response

    def _now(self) -> float:
        return int(self._clock.now().timestamp())


_KAFKA = "kafka"


def _changeable(kind: str) -> frozenset[str]:
    if kind == _KAFKA:
        return frozenset(requests.KAFKA_DEFAULTS)
    return frozenset(requests.DEFAULTS) | {"FilterCriteria"}


def _enabled(value: Any) -> dict[str, Any]:
    return {"Enabled": value, "State": "Enabled" if value else "Disabled"}


def _service_of(parameters: _Parameters) -> str:
    if "SelfManagedEventSource" in parameters:
        return _KAFKA
    arn = parameters.get("EventSourceArn", "")
    return arn.split(":")[2] if arn.count(":") > 4 else ""
