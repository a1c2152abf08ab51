"""events/: the one library of sample payloads."""

import json
from typing import Any

from tests.support.project import PROJECT

EVENTS = PROJECT / "events"


def sample(name: str) -> dict[str, Any]:
    """A fresh copy of `events/<name>.json`."""
    payload: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return payload
