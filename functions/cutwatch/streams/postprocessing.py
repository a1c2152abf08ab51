"""Fields that a function of the stream's owner adds to an event before it is sent."""

import json
from collections.abc import Callable, Mapping
from typing import Any

# EventBridge and SNS take 256 KiB with everything else.
_MOST_BYTES = 16 * 1024
ADDED = "added"


class Postprocessor:
    """A function from an event, as JSON values, to the fields that it adds; None adds none."""

    def __init__(self, function: Callable[[dict[str, Any]], Any]) -> None:
        self._function = function

    def extended(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event with the function's fields in `added`. A failure is named there: it never stops an event."""
        return {**event, ADDED: self._fields(event)}

    def _fields(self, event: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = self._function(json.loads(json.dumps(event)))
            fields = {} if answer is None else answer
            if not isinstance(fields, dict):
                return _failure(f"returned {type(answer).__name__}; expected a dict or None")
            text = json.dumps(fields, allow_nan=False)
        except Exception as error:  # noqa: BLE001 - a defect of the function must not stop an event
            return _failure(f"{type(error).__name__}: {error}"[:300])
        if len(text) > _MOST_BYTES:
            return _failure(f"returned {len(text):,} bytes; at most {_MOST_BYTES:,} are added")
        read: dict[str, Any] = json.loads(text)
        return read


def _failure(reason: str) -> dict[str, Any]:
    return {"error": f"postprocess: {reason}"}
