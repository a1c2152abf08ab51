"""CloudFormation: every property of a resource has an effect, or fails the deployment by name.

MiniStack's provisioners ignore what they do not know. Here a property that none of its code has looked at is
applied by the extras, which MiniStack has the operations for, or refused. Most are refused before anything is created
(`unsupported_properties`); this catches what a provisioner mentions and does not read. Nested stacks are watched alike.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.embedded_ministack import service
from localaws.lambda_runtime.processors import check_processor
from localaws.ministack_patches import resource_extras
from localaws.ministack_patches.patching import Patches
from localaws.ministack_patches.unsupported_properties import NESTED_STACK


class WatchedProperties(dict[Any, Any]):
    """A resource's properties that remember which of them have been looked at."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        super().__init__(properties)
        self._looked_at: set[object] = set()

    @property
    def ignored(self) -> list[str]:
        return sorted(set(dict.keys(self)) - self._looked_at)

    def __getitem__(self, name: object) -> Any:
        self._looked_at.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._looked_at.add(name)
        return super().__contains__(name)

    def get(self, name: object, default: Any = None) -> Any:
        self._looked_at.add(name)
        return super().get(name, default)

    def pop(self, name: object, *default: Any) -> Any:
        self._looked_at.add(name)
        return super().pop(name, *default)

    def __iter__(self) -> Iterator[Any]:
        self._looked_at.update(dict.keys(self))
        return super().__iter__()

    def keys(self) -> Any:
        self._looked_at.update(dict.keys(self))
        return super().keys()

    def items(self) -> Any:
        self._looked_at.update(dict.keys(self))
        return super().items()


class StackResources:
    def __init__(self, patches: Patches) -> None:
        stacks = service("cloudformation.stacks")
        provisioners = service("cloudformation.provisioners")
        # The provisioners' own copies of the names are those that nested stacks use.
        self._create = patches.replace(provisioners, "_provision_resource", self.create)
        patches.set(stacks, "_provision_resource", self.create)
        self._update = patches.replace(provisioners, "_update_resource", self.update)
        patches.set(stacks, "_update_resource", self.update)
        self._delete_nested = provisioners._cfn_nested_stack_delete
        taggable = {**provisioners._STACK_TAG_PROPERTY, "AWS::S3::Bucket": ("Tags", "list")}
        patches.set(provisioners, "_STACK_TAG_PROPERTY", taggable)

    def create(
        self, kind: str, logical_id: str, properties: Mapping[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        check_processor(kind, properties)
        watched = WatchedProperties(properties)
        try:
            physical_id, attributes = self._create(kind, logical_id, watched, stack)
        except Exception:
            if kind == NESTED_STACK:
                self._delete_failed_nested(stack)
            raise
        try:
            for name in watched.ignored:
                self._apply(kind, name, physical_id, properties[name])
        except (
            Exception
        ):  # a resource that CloudFormation has not heard of would outlive its rollback
            provisioners = service("cloudformation.provisioners")
            provisioners._delete_resource(kind, physical_id, properties, stack, logical_id)
            raise
        return physical_id, attributes

    def update(
        self,
        kind: str,
        physical_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        stack: str,
        logical_id: str | None = None,
        old_attributes: dict[str, Any] | None = None,
    ) -> tuple[str, dict[str, Any]]:
        check_processor(kind, new)
        if old_attributes is None:  # upstream, a nested stack's unchanged resources lose them
            old_attributes = _attributes(stack, logical_id)
        updated_id, attributes = self._update(
            kind, physical_id, old, new, stack, logical_id, old_attributes
        )
        for name, value in new.items():
            if old.get(name) != value and (kind, name) in resource_extras.EXTRAS:
                self._apply(kind, name, updated_id, value)
        return updated_id, attributes

    def _apply(self, kind: str, name: str, physical_id: str, value: Any) -> None:
        if not resource_extras.is_applied_here(kind, name):
            raise ValueError(f"The local AWS does not implement property {name} of {kind}")
        if (kind, name) in resource_extras.EXTRAS:
            resource_extras.EXTRAS[kind, name](physical_id, value)

    def _delete_failed_nested(self, parent: str) -> None:
        """Delete what a nested stack made before it failed, as AWS's rollback does; upstream leaves it."""
        for name, nested in list(service("cloudformation")._stacks.items()):
            failed = nested["StackStatus"] == "CREATE_FAILED"
            if failed and nested.get("_parent_stack_name") == parent:
                self._delete_nested(name, {})


def _attributes(stack: str, logical_id: str | None) -> dict[str, Any]:
    resource = service("cloudformation")._stacks[stack]["_resources"].get(logical_id, {})
    attributes: dict[str, Any] = resource.get("Attributes", {})
    return attributes
