"""Responses in the protocol of the request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import cbor2

from localaws import query_protocol
from localaws.api_request import ApiRequest, operation_model

_RPC_V2_HEADERS = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


class ApiError(Exception):
    """An error as an AWS service reports it; `members` are those that its shape has in addition to the message."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        members: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


@dataclass(frozen=True)
class ApiResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes
    error_code: str | None = None
    request_id: str = field(default_factory=lambda: str(uuid4()))

    def wire_headers(self) -> list[tuple[bytes, bytes]]:
        headers = {
            **self.headers,
            "content-length": str(len(self.body)),
            "x-amzn-requestid": self.request_id,
        }
        return [(name.encode(), value.encode()) for name, value in headers.items()]


def success(request: ApiRequest, result: Mapping[str, Any]) -> ApiResponse:
    request_id = str(uuid4())
    if request.protocol == "smithy-rpc-v2-cbor":
        body, headers = cbor2.dumps(result, datetime_as_timestamp=True), _RPC_V2_HEADERS
    elif request.protocol == "query":
        model = operation_model(request.service, request.operation)
        body = query_protocol.serialize(result, model, request_id)
        headers = {"content-type": "text/xml"}
    else:
        body, headers = _json(result), {"content-type": _json_type(request)}
    return ApiResponse(200, headers, body, request_id=request_id)


def failure(request: ApiRequest, error: ApiError) -> ApiResponse:
    request_id = str(uuid4())
    body, headers = _failure_body(request, error, request_id)
    return ApiResponse(error.status, headers, body, error.code, request_id)


def _failure_body(
    request: ApiRequest, error: ApiError, request_id: str
) -> tuple[bytes, Mapping[str, str]]:
    described = {"__type": error.code, "message": error.message, **error.members}
    if request.protocol == "smithy-rpc-v2-cbor":
        query_error = {"x-amzn-query-error": f"{error.code};Sender"}
        return cbor2.dumps(described), _RPC_V2_HEADERS | query_error
    if request.service == "s3":
        return _s3_error(error, request_id), {"content-type": "application/xml"}
    if request.protocol == "query":
        xml = query_protocol.serialize_error(error.code, error.message, error.status, request_id)
        return xml, {"content-type": "text/xml"}
    return _json(described), {
        "content-type": _json_type(request),
        "x-amzn-errortype": error.code,
    }


def _s3_error(error: ApiError, request_id: str) -> bytes:
    root = ET.Element("Error")
    ET.SubElement(root, "Code").text = error.code
    ET.SubElement(root, "Message").text = error.message
    ET.SubElement(root, "RequestId").text = request_id
    document: bytes = ET.tostring(root, encoding="utf-8")
    return document


def _json_type(request: ApiRequest) -> str:
    asked = request.headers.get("content-type", "")
    return asked if "amz-json" in asked else "application/json"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, default=_epoch_seconds).encode()


def _epoch_seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no JSON form in AWS's protocols")
