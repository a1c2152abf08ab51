"""CloudFormation: put an alarm of a template as PutMetricAlarm does."""

from collections.abc import Mapping
from typing import Any

from localaws.api_request import operation_model
from localaws.api_response import ApiError
from localaws.cloudwatch.service import CloudWatch
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches
from localaws.ministack_patches.property_types import typed


class AlarmResources:
    def __init__(self, patches: Patches, cloudwatch: CloudWatch) -> None:
        self._alarms = cloudwatch.alarms
        patches.replace(service("cloudformation.provisioners"), "_cw_metric_alarm_put", self.put)

    def put(self, name: str, properties: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        shape = operation_model("cloudwatch", "PutMetricAlarm").input_shape
        settings = typed(dict(properties), shape)
        tags = settings.pop("Tags", [])
        try:
            record = self._alarms.put({**settings, "AlarmName": name})
        except ApiError as error:
            raise ValueError(error.message) from None
        service("cloudwatch").cloudformation_set_metric_alarm_tags(name, tags)
        return name, {"Arn": record["AlarmArn"]}
