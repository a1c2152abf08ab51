"""CloudFormation: put an alarm of a template as PutMetricAlarm does."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from localaws.api_request import operation_model
from localaws.api_response import ApiError
from localaws.cloudwatch.service import CloudWatch
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_NUMBERS: Mapping[str, Callable[[str], Any]] = {"integer": int, "long": int, "double": float}


class AlarmResources:
    def __init__(self, patches: Patches, cloudwatch: CloudWatch) -> None:
        self._alarms = cloudwatch.alarms
        patches.replace(service("cloudformation.provisioners"), "_cw_metric_alarm_put", self.put)

    def put(self, name: str, properties: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        shape = operation_model("cloudwatch", "PutMetricAlarm").input_shape
        settings = _typed(dict(properties), shape)
        tags = settings.pop("Tags", [])
        try:
            record = self._alarms.put({**settings, "AlarmName": name})
        except ApiError as error:
            raise ValueError(error.message) from None
        service("cloudwatch").cloudformation_set_metric_alarm_tags(name, tags)
        return name, {"Arn": record["AlarmArn"]}


def _typed(value: Any, shape: Shape | None) -> Any:
    """Undo that CloudFormation's parameters make strings of numbers and booleans."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _typed(item, shape.members.get(name)) for name, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_typed(item, shape.member) for item in value]
    if not isinstance(value, str) or shape is None:
        return value
    if shape.type_name == "boolean":
        return value == "true"
    return _NUMBERS.get(shape.type_name, str)(value)
