"""CloudFormation: resource types that localaws provides itself, in the place of MiniStack's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

Properties = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Provisioner:
    """A function that creates a resource, and the only properties that it takes."""

    properties: frozenset[str]
    function: Callable[[str, Properties, str], Created]

    def __call__(self, logical_id: str, properties: Properties, stack: str) -> Created:
        return self.function(logical_id, properties, stack)


@dataclass(frozen=True)
class ResourceType:
    """Creating, updating and deleting; an update may return the id of a replacement."""

    create: Provisioner
    update: Callable[[str, Properties, Properties, str], Created]
    delete: Callable[[str, Properties], None]


def provide(patches: Patches, types: Mapping[str, ResourceType]) -> None:
    provisioners = service("cloudformation.provisioners")
    ours = {
        name: {"create": each.create, "update": each.update, "delete": each.delete}
        for name, each in types.items()
    }
    patches.set(provisioners, "_RESOURCE_HANDLERS", {**provisioners._RESOURCE_HANDLERS, **ours})
