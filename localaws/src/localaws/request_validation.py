"""Requests checked against botocore's service models, refused in AWS's words."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localaws.api_request import operation_model
from localaws.api_response import ApiError

_SIZED = ("string", "list", "map")
# All characters beyond 16 bits, as models that were written for Java spell them.
_SURROGATE_PAIRS = r"\uD800\uDC00-\uDBFF\uDFFF"


def validate(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Refuse a request that the service's model does not allow."""
    shape = operation_model(service, operation).input_shape
    if shape is None:
        return
    found = problems(parameters, shape)
    if found:
        plural = "error" if len(found) == 1 else "errors"
        raise ApiError(
            "ValidationException", f"{len(found)} validation {plural} detected: {'; '.join(found)}"
        )


def problems(parameters: Mapping[str, Any], shape: Shape) -> list[str]:
    """Return each violation of a shape's constraints, in AWS's words."""
    return list(_problems(parameters, shape, ""))


def _problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    yield from _violations(value, shape, path)
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        yield from _structure_problems(value, shape, path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value, 1):
            yield from _problems(item, shape.member, f"{path}.{index}.member")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _problems(key, shape.key, f"{path}.key")
            yield from _problems(item, shape.value, f"{path}.{key}.value")


def _structure_problems(
    value: Mapping[str, Any], shape: StructureShape, path: str
) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            at = _join(path, name)
            yield f"Value null at '{at}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name in shape.members and item is not None:
            yield from _problems(item, shape.members[name], _join(path, name))


def _violations(value: Any, shape: Shape, path: str) -> Iterator[str]:
    for constraint in _broken(value, shape):
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _broken(value: Any, shape: Shape) -> Iterator[str]:
    rules = shape.metadata
    size = len(value) if shape.type_name in _SIZED and hasattr(value, "__len__") else value
    measure = "have length" if shape.type_name in _SIZED else "have value"
    if "min" in rules and _is_number(size) and size < rules["min"]:
        yield f"{measure} greater than or equal to {rules['min']}"
    if "max" in rules and _is_number(size) and size > rules["max"]:
        yield f"{measure} less than or equal to {rules['max']}"
    if isinstance(value, str):
        if rules.get("enum") and value not in rules["enum"]:
            yield f"satisfy enum value set: [{', '.join(rules['enum'])}]"
        if "pattern" in rules and not _pattern(rules["pattern"]).fullmatch(value):
            yield f"satisfy regular expression pattern: {rules['pattern']}"


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Java's regular expression as Python's; the classes that Python lacks do not occur in what we serve."""
    beyond_16_bits = pattern.replace(_SURROGATE_PAIRS, r"\U00010000-\U0010FFFF")
    return re.compile(re.sub(r"\\p\{\w+\}", r"\\w", beyond_16_bits))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _join(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member
