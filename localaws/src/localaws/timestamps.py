"""Timestamps of JSON requests, for which JSON itself has no type."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from botocore.utils import parse_timestamp


def with_datetimes(value: Any, shape: Shape) -> Any:
    """Return a request's parameters with datetimes where its shape has timestamps."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {
            name: with_datetimes(item, shape.members[name]) if name in shape.members else item
            for name, item in value.items()
        }
    if isinstance(shape, ListShape):
        return [with_datetimes(item, shape.member) for item in value]
    if shape.type_name == "timestamp":
        return _datetime(value)
    return value


def _datetime(value: Any) -> datetime:
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    parsed: datetime = parse_timestamp(value)
    return parsed
