"""A call at the gateway and the permissions that it needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from localaws.api_request import ApiRequest
from localaws.api_response import ApiResponse, failure
from localaws.iam.needs import need_to_list, needs_of
from localaws.iam.permissions import AccessDenied, Permissions

_CHANGE_POLICIES = frozenset({"cloudformation", "iam"})
_READ_OBJECTS = frozenset({"GetObject", "HeadObject"})
_Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Entry:
    """A request and its role; without a role it is the operator's, who may do everything."""

    permissions: Permissions
    request: ApiRequest
    role: str | None

    def check(self) -> None:
        if self.request.service in _CHANGE_POLICIES:
            self.permissions.forget()
        if self.role is None:
            return
        try:
            for need in needs_of(self.request):
                self.permissions.demand(self.role, need)
        except AccessDenied as denied:
            raise denied.as_answer_of(self.request.service) from denied

    def guard(self, send: _Send, answer: Callable[[ApiResponse], Awaitable[None]]) -> _Send:
        """Return what the response is sent through."""
        reads = self.request.service == "s3" and self.request.operation in _READ_OBJECTS
        return _MissingObjects(self, send, answer) if self.role and reads else send

    def refusal_to_list(self) -> ApiResponse | None:
        try:
            self.permissions.demand(str(self.role), need_to_list(self.request))
        except AccessDenied as denied:
            return failure(self.request, denied.as_answer_of("s3"))
        return None


class _MissingObjects:
    """Passes a response on, but forbids a missing object to those who may not list its bucket, as S3 does."""

    def __init__(
        self, entry: Entry, send: _Send, answer: Callable[[ApiResponse], Awaitable[None]]
    ) -> None:
        self._entry = entry
        self._send = send
        self._answer = answer
        self._refused = False

    async def __call__(self, message: dict[str, Any]) -> None:
        if message.get("status") == HTTPStatus.NOT_FOUND:
            refusal = self._entry.refusal_to_list()
            if refusal is not None:
                self._refused = True
                await self._answer(refusal)
        if not self._refused:
            await self._send(message)
