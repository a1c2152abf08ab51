"""CloudFormation: every property of a resource has an effect, or fails the deployment by name.

MiniStack's provisioners ignore what they do not know. Here a property that none of its code has looked at is
applied by the extras below, which MiniStack has the operations for, or refused.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localaws.embedded_ministack import service
from localaws.ministack_patches import resource_extras
from localaws.ministack_patches.patching import Patches

_WITHOUT_EFFECT_HERE = {
    ("AWS::StepFunctions::StateMachine", "TracingConfiguration"): "there is no X-Ray",
}


class WatchedProperties(dict[Any, Any]):
    """A resource's properties that remember who has been looked at."""

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
        self._known_types = provisioners._RESOURCE_HANDLERS
        self._create = patches.replace(stacks, "_provision_resource", self.create)
        self._update = patches.replace(stacks, "_update_resource", self.update)
        taggable = {**provisioners._STACK_TAG_PROPERTY, "AWS::S3::Bucket": ("Tags", "list")}
        patches.set(provisioners, "_STACK_TAG_PROPERTY", taggable)

    def create(
        self, kind: str, logical_id: str, properties: Mapping[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        if kind not in self._known_types and not kind.startswith("Custom::"):
            raise ValueError(f"The local AWS does not implement resource type {kind}")
        watched = WatchedProperties(properties)
        physical_id, attributes = self._create(kind, logical_id, watched, stack)
        for name in watched.ignored:
            self._apply(kind, name, physical_id, properties[name])
        return physical_id, attributes

    def update(
        self,
        kind: str,
        physical_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        stack: str,
        *rest: Any,
    ) -> tuple[str, dict[str, Any]]:
        updated_id, attributes = self._update(kind, physical_id, old, new, stack, *rest)
        for name, value in new.items():
            if old.get(name) != value and (kind, name) in resource_extras.EXTRAS:
                self._apply(kind, name, updated_id, value)
        return updated_id, attributes

    def _apply(self, kind: str, name: str, physical_id: str, value: Any) -> None:
        if (kind, name) in _WITHOUT_EFFECT_HERE:
            return
        extra: Callable[[str, Any], None] | None = resource_extras.EXTRAS.get((kind, name))
        if extra is None:
            raise ValueError(f"The local AWS does not implement property {name} of {kind}")
        extra(physical_id, value)
