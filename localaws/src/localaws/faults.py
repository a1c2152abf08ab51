"""Faults on demand: make the calls that a test names fail as calls to AWS sometimes do."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, Self

Parameters = Mapping[str, Any]
CallerEnd = Literal["killed", "timed out"]


@dataclass(frozen=True)
class Fault:
    """A fault of matching calls: any mixture of slowness and one way to fail.

    `error` answers with that AWS error code instead of doing the work. `reset` cuts the connection, `before`
    the work is done or `after` it. `ends` is what becomes of the calling function once the work is done and before
    it can know: its process is killed, or the answer comes later than its timeout allows. `skip` calls pass first,
    then `times` calls are hit; None is all of them.
    """

    service: str
    operation: str = "*"
    error: str | None = None
    message: str = "Injected fault"
    status: int = 400
    reset: Literal["before", "after"] | None = None
    ends: CallerEnd | None = None
    delay_seconds: float = 0.0
    skip: int = 0
    times: int | None = None
    when: Callable[[Parameters], bool] = lambda _: True
    caller: str = "*"

    @classmethod
    def throttling(cls, service: str, operation: str = "*", **details: Any) -> Self:
        return cls(service, operation, **{"error": "ThrottlingException", **details})

    def hits(self, service: str, operation: str, caller: str, parameters: Parameters) -> bool:
        return (
            self.times != 0
            and self.service == service
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(caller, self.caller)
            and self.when(parameters)
        )

    def after_a_hit(self) -> Self:
        """Return what is left of the fault once one more call has met it."""
        if self.skip:
            return replace(self, skip=self.skip - 1)
        return self if self.times is None else replace(self, times=self.times - 1)


class Faults:
    """The faults in force; the first that hits a call is spent on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[object, Fault] = {}

    def add(self, fault: Fault) -> None:
        self._add(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    @contextmanager
    def during(self, fault: Fault) -> Iterator[None]:
        """Have the fault in force inside a `with` block only; other faults stay."""
        key = self._add(fault)
        try:
            yield
        finally:
            with self._lock:
                self._faults.pop(key, None)

    def spend(
        self, service: str, operation: str, caller: str, parameters: Parameters
    ) -> Fault | None:
        """Return the fault that hits this call, if there is one, and count the call against it."""
        if not self._faults:
            return None
        with self._lock:
            for key, fault in self._faults.items():
                if not fault.hits(service, operation, caller, parameters):
                    continue
                self._faults[key] = fault.after_a_hit()
                if fault.skip == 0:
                    return fault
        return None

    def _add(self, fault: Fault) -> object:
        """Put a fault in force and return what it is found by, however much of it is spent."""
        key = object()
        with self._lock:
            self._faults[key] = fault
        return key
