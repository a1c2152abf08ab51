"""The door to the local AWS: names each call, applies faults and limits, hands it to who serves it, records it."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from local.aws.api_request import ApiRequest
from local.aws.api_response import ApiError, ApiResponse, failure, success
from local.aws.calls import Call, CallLog
from local.aws.faults import Fault, Faults
from local.aws.http_server import AsgiApp

_XML_ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>")
_Message = dict[str, Any]


class Service(Protocol):
    """A service of ours: the operations it answers, everything else of its name goes to MiniStack."""

    def serves(self, operation: str) -> bool: ...

    def answer(self, request: ApiRequest) -> Mapping[str, Any]: ...


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
        caller_of: Callable[[str], str],
        hang_up: Callable[[tuple[str, int]], None],
    ) -> None:
        self._ministack = ministack
        self._services = services
        self._calls = calls
        self._faults = faults
        self._on_first_call = on_first_call
        self._called: set[str] = set()
        self._check_limits = check_limits
        self._caller_of = caller_of
        self._hang_up = hang_up

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _acknowledge_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._ministack(scope, receive, send)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        request = await _read(scope, receive)
        if not request.service:
            await self._ministack(scope, _replay(request.raw_body, receive), send)
            return
        if request.service not in self._called:
            self._called.add(request.service)
            self._on_first_call(request.service)
        caller = self._caller_of(request.access_key)
        try:
            parameters = request.parameters
            fault = self._faults.spend(request.service, request.operation, caller, parameters)
            code = await self._serve(request, fault, scope, receive, send)
        except ValueError as error:
            parameters, code = {}, "SerializationException"
            await _send(send, failure(request, ApiError(code, str(error))))
        call = Call(request.service, request.operation, caller, parameters, code)
        self._calls.record(call)

    async def _serve(
        self, request: ApiRequest, fault: Fault | None, scope: Any, receive: Any, send: Any
    ) -> str | None:
        """Answer the call and return the error code that the caller saw, if any."""
        if fault is not None:
            await asyncio.sleep(fault.delay_seconds)
            if fault.reset == "before":
                self._hang_up(scope["client"])
                return "ConnectionReset"
        try:
            if fault is not None:
                fault.raise_error()
            self._check_limits(request)
        except ApiError as error:
            await _send(send, failure(request, error))
            return error.code
        if fault is not None and fault.reset == "after":
            await self._work(request, scope, receive, _discard)
            self._hang_up(scope["client"])
            return "ConnectionReset"
        return await self._work(request, scope, receive, send)

    async def _work(self, request: ApiRequest, scope: Any, receive: Any, send: Any) -> str | None:
        service = self._services.get(request.service)
        if service is not None and service.serves(request.operation):
            response = await asyncio.to_thread(_answer_in_thread, service, request)
            await _send(send, response)
            return response.error_code
        watched = _WatchedSend(send)
        await self._ministack(scope, _replay(request.raw_body, receive), watched)
        return watched.error_code


def _answer_in_thread(service: Service, request: ApiRequest) -> ApiResponse:
    try:
        return success(request, service.answer(request))
    except ApiError as error:
        return failure(request, error)


class _WatchedSend:
    """Passes a response on and remembers the error in it."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._status = 0
        self._error_type = b""
        self._body = b""

    async def __call__(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._error_type = dict(message["headers"]).get(b"x-amzn-errortype", b"")
        elif self._status >= 400:
            self._body += message.get("body", b"")
        await self._send(message)

    @property
    def error_code(self) -> str | None:
        if self._status < 400:
            return None
        if self._error_type:
            return self._error_type.decode().partition(":")[0]
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
    """A `receive` that gives the body, read already, once more."""
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


async def _acknowledge_lifespan(receive: Any, send: Any) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
