"""Requests that AWS has no API for: fire a scheduled rule now, list the mails that were sent.

On AWS only EventBridge can: it accepts no events of the source `aws.events` from anyone else.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from localaws.api_request import ApiRequest
from localaws.api_response import ApiResponse
from localaws.ministack_patches.mails import Mail

FIRE_PATH = "/_localaws/fire"
MAILS_PATH = "/_localaws/mails"
_METHODS = {FIRE_PATH: "POST", MAILS_PATH: "GET"}
_OWN_PATHS = "/_localaws/"


class OperatorRequests:
    """Answers `POST /_localaws/fire?rule=NAME&at=TIME` and `GET /_localaws/mails`."""

    def __init__(
        self, fire: Callable[[str, datetime | None], list[str]], mails: Callable[[], list[Mail]]
    ) -> None:
        self._fire = fire
        self._mails = mails

    def serves(self, path: str) -> bool:
        return path.startswith(_OWN_PATHS)

    def answer(self, request: ApiRequest) -> ApiResponse:
        method = _METHODS.get(request.path)
        if method is None:
            return _json(404, {"error": f"there is nothing at {request.path}"})
        if request.method != method:
            return _json(405, {"error": f"{request.path} takes {method}, not {request.method}"})
        if request.path == MAILS_PATH:
            return _json(200, {"mails": [mail.to_payload() for mail in self._mails()]})
        return self._fire_rule(request)

    def _fire_rule(self, request: ApiRequest) -> ApiResponse:
        try:
            at = _moment(request.query["at"]) if request.query.get("at") else None
            started = self._fire(request.query.get("rule", ""), at)
        except ValueError as error:
            return _json(400, {"error": str(error)})
        except LookupError as error:
            return _json(404, {"error": str(error)})
        return _json(200, {"executions": started})


def _moment(text: str) -> datetime:
    """Parse ISO 8601; without a zone it is UTC, as EventBridge's times are."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is not a time such as 2026-11-02T04:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(status: int, content: Mapping[str, Any]) -> ApiResponse:
    return ApiResponse(status, {"content-type": "application/json"}, json.dumps(content).encode())
