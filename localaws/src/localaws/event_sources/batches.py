"""Records on their way to a function: batches, what became of them, and the settings that decide it.

All times are epoch seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

FOREVER = -1


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record of any source. Its position names it within its lane; records of a key stay in order."""

    position: str
    key: str
    arrived: float
    size: int
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """Settings of a mapping; FOREVER lifts the limits on retries and age."""

    batch_size: int = 100
    batching_seconds: float = 0.0
    parallelization: int = 1
    bisect: bool = False
    retries: int = FOREVER
    record_age_seconds: float = FOREVER
    reports_failures: bool = False
    tumbling_seconds: int = 0


@dataclass(frozen=True)
class WindowTurn:
    """A tumbling window at one invocation: its state so far, and whether this is the last one with it."""

    start: float
    end: float
    state: Mapping[str, Any]
    final: bool = False
    early: bool = False


@dataclass(frozen=True)
class Batch:
    """Records for one invocation, the attempts of them that failed, and the invocations that there were."""

    records: tuple[SourceRecord, ...]
    failures: int = 0
    invocations: int = 0
    window: WindowTurn | None = None


class Result(Enum):
    DONE = "done"
    FAILED = "failed"
    NOT_INVOKED = "not invoked"


@dataclass(frozen=True)
class Outcome:
    """The outcome of an invocation; of a failure, the index of the first record to retry, if the function reported one."""

    result: Result
    first_failed: int | None = None
    state: Mapping[str, Any] | None = None


class Condition(Enum):
    RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
    TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True)
class Discard:
    """Records that the mapping gave up, and why."""

    records: tuple[SourceRecord, ...]
    condition: Condition
    invocations: int
