"""Changes of an alarm's state, or of one of its contributors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class State:
    value: str
    reason: str
    since: datetime
    reason_data: str | None = None


@dataclass(frozen=True)
class Contributor:
    """One of an alarm's time series while it is in ALARM."""

    id: str
    attributes: Mapping[str, str]
    reason: str
    since: datetime


@dataclass(frozen=True)
class Change:
    """An alarm as it was when it changed, or its contributor did."""

    alarm: Mapping[str, Any]
    old: State
    new: State
    contributor: Contributor | None = None
