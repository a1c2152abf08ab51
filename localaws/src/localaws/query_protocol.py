"""AWS's query protocol, from the server's side: form fields in, XML out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import parse_timestamp


def parse(form: Mapping[str, str], shape: StructureShape) -> dict[str, Any]:
    """Parse flat form fields such as `MetricData.member.1.Value` into parameters."""
    parsed = _parse(form, "", shape)
    return parsed if isinstance(parsed, dict) else {}


def _parse(form: Mapping[str, str], prefix: str, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        members = {
            name: _parse(form, _join(prefix, member.serialization.get("name", name)), member)
            for name, member in shape.members.items()
        }
        found = {name: value for name, value in members.items() if value is not None}
        return found or None
    if isinstance(shape, ListShape):
        return _parse_list(form, prefix, shape)
    if isinstance(shape, MapShape):
        return _parse_map(form, prefix, shape)
    text = form.get(prefix)
    return None if text is None else _scalar(text, shape)


def _parse_list(form: Mapping[str, str], prefix: str, shape: ListShape) -> list[Any] | None:
    if not shape.serialization.get("flattened"):
        prefix = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
    items: list[Any] = []
    while (item := _parse(form, f"{prefix}.{len(items) + 1}", shape.member)) is not None:
        items.append(item)
    return items or None


def _parse_map(form: Mapping[str, str], prefix: str, shape: MapShape) -> dict[str, Any] | None:
    entries: dict[str, Any] = {}
    while (key := form.get(f"{prefix}.entry.{len(entries) + 1}.key")) is not None:
        entries[key] = _parse(form, f"{prefix}.entry.{len(entries) + 1}.value", shape.value)
    return entries or None


def _scalar(text: str, shape: Shape) -> Any:
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "float" | "double":
            return float(text)
        case "boolean":
            return text == "true"
        case "timestamp":
            return parse_timestamp(text)
        case _:
            return text


def serialize(result: Mapping[str, Any], operation: OperationModel, request_id: str) -> bytes:
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    root = ET.Element(f"{operation.name}Response", xmlns=namespace)
    if operation.output_shape is not None:
        wrapper = operation.output_shape.serialization.get("resultWrapper")
        parent = ET.SubElement(root, wrapper or f"{operation.name}Result")
        _append_members(parent, result, operation.output_shape)
    _append_metadata(root, request_id)
    return _bytes(root)


def serialize_error(code: str, message: str, status: int, request_id: str) -> bytes:
    root = ET.Element("ErrorResponse")
    error = ET.SubElement(root, "Error")
    ET.SubElement(error, "Type").text = "Sender" if status < 500 else "Receiver"
    ET.SubElement(error, "Code").text = code
    ET.SubElement(error, "Message").text = message
    ET.SubElement(root, "RequestId").text = request_id
    return _bytes(root)


def _append_metadata(root: ET.Element, request_id: str) -> None:
    metadata = ET.SubElement(root, "ResponseMetadata")
    ET.SubElement(metadata, "RequestId").text = request_id


def _append_members(parent: ET.Element, value: Mapping[str, Any], shape: StructureShape) -> None:
    for name, member in shape.members.items():
        if value.get(name) is not None:
            tag = member.serialization.get("name", name)
            _append(ET.SubElement(parent, tag), value[name], member)


def _append(element: ET.Element, value: Any, shape: Shape) -> None:
    if isinstance(shape, StructureShape):
        _append_members(element, value, shape)
    elif isinstance(shape, ListShape):
        _append_items(element, value, shape)
    elif isinstance(shape, MapShape):
        _append_entries(element, value, shape)
    else:
        element.text = _text(value)


def _append_items(element: ET.Element, items: Sequence[Any], shape: ListShape) -> None:
    tag = shape.member.serialization.get("name", "member")
    for item in items:
        _append(ET.SubElement(element, tag), item, shape.member)


def _append_entries(element: ET.Element, entries: Mapping[str, Any], shape: MapShape) -> None:
    for key, value in entries.items():
        entry = ET.SubElement(element, "entry")
        _append(ET.SubElement(entry, "key"), key, shape.key)
        _append(ET.SubElement(entry, "value"), value, shape.value)


def _bytes(root: ET.Element) -> bytes:
    document: bytes = ET.tostring(root, encoding="utf-8")
    return document


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
