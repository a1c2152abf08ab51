"""The gateway: identify each call, apply faults, permissions and limits, pass it to its service and record it."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError, ApiResponse, failure, success
from localaws.callers import role_of
from localaws.calls import Call, CallLog
from localaws.faults import CallerEnd, Fault, Faults
from localaws.http_server import AsgiApp
from localaws.iam.entry import Entry
from localaws.iam.permissions import Permissions
from localaws.operator_requests import OperatorRequests

_log = logging.getLogger(__name__)

# What the record says of calls without an answer: before the service did anything, and after it did its work.
_CONNECTION_RESET, _ANSWER_LOST = "ConnectionReset", "AnswerLost"
_TRACE_HEADER = "x-amzn-trace-id"
_ERROR_CODE_HEADERS = {b"x-amzn-query-error": ";", b"x-amzn-errortype": ":"}
_XML_ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>")
_Message = dict[str, Any]


class Service(Protocol):
    """A service of localaws; operations that it does not serve go to MiniStack.

    It answers with the result's members, or with the whole response where the result has a body of its own.
    """

    def serves(self, operation: str) -> bool: ...

    def answer(self, request: ApiRequest) -> Mapping[str, Any] | ApiResponse: ...


class Gateway:
    """An ASGI application in front of MiniStack."""

    def __init__(
        self,
        ministack: AsgiApp,
        services: Mapping[str, Service],
        calls: CallLog,
        faults: Faults,
        *,
        on_first_call: Callable[[str], None],
        check_limits: Callable[[ApiRequest], None],
        operator: OperatorRequests,
        caller_of: Callable[[str], str],
        permissions: Permissions,
        hang_up: Callable[[tuple[str, int]], None],
        end_caller: Callable[[str, CallerEnd], None],
    ) -> None:
        self._ministack = ministack
        self._services = services
        self._calls = calls
        self._faults = faults
        self._on_first_call = on_first_call
        self._called: set[str] = set()
        self._check_limits = check_limits
        self._operator = operator
        self._caller_of = caller_of
        self._permissions = permissions
        self._hang_up = hang_up
        self._end_caller = end_caller

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = await _read(scope, receive)
        if self._operator.serves(request.path):
            await _send(send, await asyncio.to_thread(self._operator.answer, request))
            return
        if not request.service:
            await self._ministack(scope, _replay(request.raw_body, receive), send)
            return
        self._meet(request.service)
        try:
            parameters = request.parameters
        except ValueError as error:
            await _send(send, failure(request, ApiError("SerializationException", str(error))))
            return
        caller = self._caller_of(request.access_key)
        recorded = _RecordingSend(send, self._recorder(request, caller))
        fault = self._faults.spend(request.service, request.operation, caller, parameters)
        entry = Entry(self._permissions, request, role_of(caller))
        if fault is None:
            await self._serve(entry, scope, receive, recorded)
        else:
            await self._serve_with(fault, entry, scope, receive, recorded)

    def _meet(self, service: str) -> None:
        if service not in self._called:
            self._called.add(service)
            self._on_first_call(service)

    def _recorder(self, request: ApiRequest, caller: str) -> Callable[[str | None], None]:
        remembered = request.without_payload()

        def record(error_code: str | None) -> None:
            call = Call(
                request.service,
                request.operation,
                caller,
                lambda: replace(remembered).parameters,
                error_code,
                role_of(caller),
            )
            self._calls.record(call)

        return record

    async def _serve_with(
        self, fault: Fault, entry: Entry, scope: Any, receive: Any, send: "_RecordingSend"
    ) -> None:
        request = entry.request
        await asyncio.sleep(fault.delay_seconds)
        if fault.error is not None:
            await _send(send, failure(request, ApiError(fault.error, fault.message, fault.status)))
        elif fault.reset is None and fault.ends is None:
            await self._serve(entry, scope, receive, send)
        else:
            undone = fault.reset == "before"
            if not undone:
                await self._serve(entry, scope, receive, _discard)
            send.record(_CONNECTION_RESET if undone else _ANSWER_LOST)
            if fault.ends is not None:
                self._end_caller(request.headers.get(_TRACE_HEADER, ""), fault.ends)
            self._hang_up(scope["client"])

    async def _serve(self, entry: Entry, scope: Any, receive: Any, send: Any) -> None:
        request = entry.request
        try:
            entry.check()
            self._check_limits(request)
        except ApiError as error:
            await _send(send, failure(request, error))
            return
        service = self._services.get(request.service)
        if service is not None and service.serves(request.operation):
            await _send(send, await asyncio.to_thread(_answer_in_thread, service, request))
        else:
            guarded = entry.guard(send, partial(_send, send))
            await self._ministack(scope, _replay(request.raw_body, receive), guarded)


def _answer_in_thread(service: Service, request: ApiRequest) -> ApiResponse:
    try:
        answer = service.answer(request)
        return answer if isinstance(answer, ApiResponse) else success(request, answer)
    except ApiError as error:
        return failure(request, error)
    except Exception as error:  # noqa: BLE001 - ours to answer for, as AWS would
        _log.exception("%s of %s", request.operation, request.service)
        message = f"{type(error).__name__}: {error}"
        return failure(request, ApiError("InternalFailure", message, 500))


class _RecordingSend:
    """Passes a response on, and records its outcome before the caller can have seen the end of it."""

    def __init__(self, send: Any, record: Callable[[str | None], None]) -> None:
        self.record = record
        self._send = send
        self._start: _Message | None = None
        self._status = 0
        self._headers: Mapping[bytes, bytes] = {}
        self._body = b""

    async def __call__(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.lower(): value for name, value in message["headers"]}
            self._start = message
            return
        if self._status >= HTTPStatus.BAD_REQUEST:
            self._body += message.get("body", b"")
        if not message.get("more_body", False):
            self.record(self._error_code())
        if self._start is not None:
            await self._send(self._start)
            self._start = None
        await self._send(message)

    def _error_code(self) -> str | None:
        if self._status < HTTPStatus.BAD_REQUEST:
            return None
        for header, separator in _ERROR_CODE_HEADERS.items():
            if header in self._headers:
                return self._headers[header].decode().partition(separator)[0]
        match = _XML_ERROR_CODE.search(self._body)
        return match[1].decode() if match else str(self._status)


async def _read(scope: Any, receive: Any) -> ApiRequest:
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return ApiRequest(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        headers={name.decode().lower(): value.decode() for name, value in scope["headers"]},
        raw_body=b"".join(chunks),
    )


def _replay(body: bytes, receive: Any) -> Callable[[], Any]:
    """Return a `receive` that gives the body, read already, once more."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Any:
        return pending.pop() if pending else await receive()

    return replayed


async def _send(send: Any, response: ApiResponse) -> None:
    start = {
        "type": "http.response.start",
        "status": response.status,
        "headers": response.wire_headers(),
    }
    await send(start)
    await send({"type": "http.response.body", "body": response.body})


async def _discard(_: _Message) -> None:
    """Swallow a response whose caller has lost the connection."""
