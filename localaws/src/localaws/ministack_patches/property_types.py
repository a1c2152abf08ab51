"""CloudFormation: a template's properties as the types that the service's API has."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

_NUMBERS: Mapping[str, Callable[[str], Any]] = {"integer": int, "long": int, "double": float}


def typed(value: Any, shape: Shape | None) -> Any:
    """Undo that CloudFormation's parameters make strings of numbers and booleans."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: typed(item, shape.members.get(name)) for name, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [typed(item, shape.member) for item in value]
    if not isinstance(value, str) or shape is None:
        return value
    if shape.type_name == "boolean":
        return value == "true"
    return _NUMBERS.get(shape.type_name, str)(value)
