"""Faults on demand: what AWS sometimes does to a call, done to the calls that a test names."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, Self

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """What happens to matching calls: any mixture of slowness and one way to fail.

    `error` answers with that AWS error code instead of doing the work. `reset` cuts the connection, `before`
    the work is done or `after` it. `times` is how many calls are hit; None is all of them.
    """

    service: str
    operation: str = "*"
    error: str | None = None
    message: str = "Injected fault"
    status: int = 400
    reset: Literal["before", "after"] | None = None
    delay_seconds: float = 0.0
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


class Faults:
    """The faults in force; the first that hits a call is spent on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    @contextmanager
    def during(self, fault: Fault) -> Iterator[None]:
        """Have the fault in force inside a `with` block only."""
        self.add(fault)
        try:
            yield
        finally:
            self.clear()

    def spend(
        self, service: str, operation: str, caller: str, parameters: Parameters
    ) -> Fault | None:
        if not self._faults:
            return None
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.hits(service, operation, caller, parameters):
                    if fault.times is not None:
                        self._faults[index] = replace(fault, times=fault.times - 1)
                    return fault
        return None
