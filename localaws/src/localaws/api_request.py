"""An HTTP request read as a call of AWS's API: service, operation, parameters, caller."""

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

import botocore.session
import cbor2
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

from localaws import query_protocol

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/[^/]+/(?P<region>[^/]*)/(?P<service>[^/]+)/")
_RPC_V2_PATH = re.compile(r"^/service/[^/]+/operation/(?P<operation>\w+)$")
_CLIENT_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions"}
_ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class ApiRequest:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_body: bytes

    @cached_property
    def body(self) -> bytes:
        """Return the body as the service reads it; S3 alone stores an encoding instead of undoing it."""
        if self.service != "s3" and self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.raw_body)
        return self.raw_body

    def without_payload(self) -> Self:
        """Return the request with no more of its body than its parameters need."""
        return replace(self, raw_body=b"" if self.protocol == "rest" else self.raw_body)

    @cached_property
    def access_key(self) -> str:
        return self._credential.get("key", _ANONYMOUS)

    @cached_property
    def region(self) -> str:
        return self._credential.get("region", "")

    @cached_property
    def service(self) -> str:
        """Return the service's name as boto3 spells it, empty if the request is not a call of AWS's."""
        signed_for = self._credential.get("service", "")
        # Both of SageMaker's services sign as one; calls of the runtime are the only ones with a path.
        if signed_for == "sagemaker" and self.path.startswith("/endpoints/"):
            return "sagemaker-runtime"
        name = _CLIENT_NAMES.get(signed_for, signed_for)
        return name if name in _known_services() else ""

    @cached_property
    def protocol(self) -> str:
        """`json`, `smithy-rpc-v2-cbor`, `query`, or `rest`."""
        if self.headers.get("smithy-protocol") == "rpc-v2-cbor":
            return "smithy-rpc-v2-cbor"
        if "x-amz-target" in self.headers:
            return "json"
        return "query" if "Action" in self.form else "rest"

    @cached_property
    def operation(self) -> str:
        if self.protocol == "json":
            return self.headers["x-amz-target"].rpartition(".")[2]
        if self.protocol == "query":
            return self.form["Action"]
        if match := _RPC_V2_PATH.match(self.path):
            return match["operation"]
        return self._rest[0]

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        if self.protocol == "json":
            return _mapping(json.loads(self.body or b"{}"))
        if self.protocol == "smithy-rpc-v2-cbor":
            return _mapping(cbor2.loads(self.body)) if self.body else {}
        if self.protocol == "query":
            return self._query_parameters
        return {**self._rest[1], **self.query}

    @cached_property
    def _query_parameters(self) -> Mapping[str, Any]:
        """Read the form by the operation's model, or leave it as it is if there is no such operation."""
        try:
            shape = operation_model(self.service, self.operation).input_shape
        except OperationNotFoundError:
            return self.form
        return query_protocol.parse(self.form, shape) if shape else {}

    @cached_property
    def _credential(self) -> Mapping[str, str]:
        signed = self.headers.get("authorization") or (
            f"Credential={self.query.get('X-Amz-Credential', '')}/"
        )
        match = _CREDENTIAL.search(signed)
        return match.groupdict() if match else {}

    @cached_property
    def form(self) -> Mapping[str, str]:
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return self.query
        form = parse_qsl(self.body.decode(), keep_blank_values=True)
        return {**dict(form), **self.query}

    @cached_property
    def _rest(self) -> tuple[str, Mapping[str, str]]:
        """Return the most specific REST operation of the service that this path and query address."""
        for operation in _rest_operations(self.service):
            match = operation.path.fullmatch(self.path)
            if (
                match
                and operation.method == self.method
                and operation.literals.items() <= self.query.items()
                and operation.required_query <= self.query.keys()
                and operation.required_headers <= self.headers.keys()
            ):
                names = {name: unquote(value) for name, value in match.groupdict().items()}
                return operation.name, names
        return f"{self.method} {self.path}", {}


@dataclass(frozen=True)
class _RestOperation:
    name: str
    method: str
    path: re.Pattern[str]
    literals: Mapping[str, str]
    required_query: frozenset[str]
    required_headers: frozenset[str]


@cache
def _known_services() -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_available_services())


@cache
def service_model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    return service_model(service).operation_model(operation)


@cache
def _rest_operations(service: str) -> tuple[_RestOperation, ...]:
    if not service:
        return ()
    model = service_model(service)
    if not model.metadata["protocol"].startswith("rest"):
        return ()
    operations = [
        _rest_operation(service, model.operation_model(name)) for name in model.operation_names
    ]
    return tuple(sorted(operations, key=_specificity, reverse=True))


def _rest_operation(service: str, model: OperationModel) -> _RestOperation:
    path, _, query = model.http["requestUri"].partition("?")
    if service == "s3" and "Bucket" in (model.input_shape.members if model.input_shape else {}):
        path = "/{Bucket}" + path.removeprefix("/{Bucket}").rstrip("/")
    return _RestOperation(
        name=model.name,
        method=model.http["method"],
        path=_path_pattern(path),
        literals=dict(parse_qsl(query, keep_blank_values=True)),
        required_query=_required(model, "querystring"),
        required_headers=_required(model, "header"),
    )


def _required(model: OperationModel, location: str) -> frozenset[str]:
    shape = model.input_shape
    if shape is None:
        return frozenset()
    members = (shape.members[name].serialization for name in shape.required_members)
    return frozenset(
        member["name"].lower() if location == "header" else member["name"]
        for member in members
        if member.get("location") == location
    )


def _path_pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"(\{\w+\+?\})", path)
    pattern = "".join(_piece_pattern(piece) for piece in pieces)
    return re.compile(pattern + "/?")


def _piece_pattern(piece: str) -> str:
    if not piece.startswith("{"):
        return re.escape(piece)
    name = piece.strip("{}+")
    return f"(?P<{name}>.+)" if piece.endswith("+}") else f"(?P<{name}>[^/]+)"


def _specificity(operation: _RestOperation) -> tuple[int, int]:
    conditions = operation.literals.keys() | operation.required_query | operation.required_headers
    return len(conditions), len(operation.path.pattern)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
