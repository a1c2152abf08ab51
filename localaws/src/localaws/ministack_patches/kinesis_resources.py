"""CloudFormation: streams of a template, made by the local Kinesis."""

from collections.abc import Mapping
from typing import Any

from localaws.api_request import operation_model
from localaws.api_response import ApiError
from localaws.embedded_ministack import service
from localaws.kinesis.service import Kinesis
from localaws.ministack_patches.own_resources import Created, Properties, Provisioner, ResourceType
from localaws.ministack_patches.property_types import typed

_NAME_MAX_LENGTH = 128
_CREATED_WITH = ("MaxRecordSizeInKiB", "ShardCount", "StreamModeDetails")
_PROPERTIES = frozenset(
    {"Name", "RetentionPeriodHours", "StreamEncryption", "Tags", *_CREATED_WITH}
)


class KinesisResources:
    def __init__(self, kinesis: Kinesis) -> None:
        self._kinesis = kinesis
        self.type = ResourceType(Provisioner(_PROPERTIES, self.create), self.update, self.delete)

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("Name") or service("cloudformation.provisioners")._physical_name(
            stack, logical_id, max_len=_NAME_MAX_LENGTH
        )
        request = {key: properties[key] for key in _CREATED_WITH if key in properties}
        tags = _tags(properties)
        self._call("CreateStream", StreamName=name, **request, **({"Tags": tags} if tags else {}))
        try:
            self._set(name, {}, properties)
        except ValueError:
            self.delete(name, properties)
            raise
        return name, self._attributes(name)

    def update(self, name: str, old: Properties, new: Properties, stack: str) -> Created:
        """Change a stream in place, or replace it where it gets another name."""
        if new.get("Name", name) != name:
            created = self.create(name, new, stack)
            provisioners = service("cloudformation.provisioners")
            provisioners._delete_predecessor(self.delete, name, old)
            return created
        if new.get("StreamModeDetails") != old.get("StreamModeDetails"):
            mode = new.get("StreamModeDetails", {"StreamMode": "PROVISIONED"})
            self._call("UpdateStreamMode", StreamARN=self._arn(name), StreamModeDetails=mode)
        self._change(name, old, new, "ShardCount", self._resize)
        self._change(name, old, new, "MaxRecordSizeInKiB", self._limit_records)
        self._set(name, old, new)
        self._tag(name, old, new)
        return name, self._attributes(name)

    def delete(self, name: str, _: Properties) -> None:
        """Delete a stream; one that is gone already is not a failure."""
        try:
            self._kinesis.call("DeleteStream", {"StreamName": name})
        except ApiError as error:
            if error.code != "ResourceNotFoundException":
                raise ValueError(error.message) from None

    def _set(self, name: str, old: Properties, new: Properties) -> None:
        hours = int(new.get("RetentionPeriodHours", 24))
        before = int(old.get("RetentionPeriodHours", 24))
        if hours != before:
            verb = "Increase" if hours > before else "Decrease"
            operation = f"{verb}StreamRetentionPeriod"
            self._call(operation, StreamName=name, RetentionPeriodHours=hours)
        if new.get("StreamEncryption") != old.get("StreamEncryption"):
            self._encrypt(name, old.get("StreamEncryption"), new.get("StreamEncryption"))

    def _encrypt(self, name: str, old: Any, new: Any) -> None:
        operation = "StartStreamEncryption" if new else "StopStreamEncryption"
        self._call(operation, StreamName=name, **(new or old))

    def _change(self, name: str, old: Properties, new: Properties, key: str, change: Any) -> None:
        if key in new and new[key] != old.get(key):
            change(name, int(new[key]))

    def _resize(self, name: str, count: int) -> None:
        self._call(
            "UpdateShardCount",
            StreamName=name,
            TargetShardCount=count,
            ScalingType="UNIFORM_SCALING",
        )

    def _limit_records(self, name: str, kib: int) -> None:
        self._call("UpdateMaxRecordSize", StreamARN=self._arn(name), MaxRecordSizeInKiB=kib)

    def _tag(self, name: str, old: Properties, new: Properties) -> None:
        before, after = _tags(old), _tags(new)
        if gone := sorted(before.keys() - after.keys()):
            self._call("RemoveTagsFromStream", StreamName=name, TagKeys=gone)
        if after and after != before:
            self._call("AddTagsToStream", StreamName=name, Tags=after)

    def _arn(self, name: str) -> str:
        return self._kinesis.streams.arn(name)

    def _attributes(self, name: str) -> dict[str, Any]:
        return {"Arn": self._arn(name)}

    def _call(self, operation: str, **parameters: Any) -> None:
        shape = operation_model("kinesis", operation).input_shape
        try:
            self._kinesis.call(operation, typed(parameters, shape))
        except ApiError as error:
            raise ValueError(error.message) from None


def _tags(properties: Properties) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
