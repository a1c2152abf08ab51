"""The log of every API call: caller, operation, parameters, error."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call. Its parameters are read again whenever they are asked for, because most never are and some are large.

    `role` is the role whose permissions made it possible, None for the operator's own calls.
    """

    service: str
    operation: str
    caller: str
    read_parameters: Callable[[], Mapping[str, Any]] = field(repr=False, compare=False)
    error_code: str | None = None
    role: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC), repr=False)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.read_parameters()

    @property
    def succeeded(self) -> bool:
        return self.error_code is None


class CallLog(Sequence[Call]):
    """Every call so far, oldest first, or the last `most` of them."""

    def __init__(self, most: int | None = None) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=most)

    def record(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def of(
        self,
        service: str,
        operation: str | None = None,
        *,
        where: Callable[[Call], bool] = lambda _: True,
    ) -> list[Call]:
        return [
            call
            for call in self
            if call.service == service and operation in (None, call.operation) and where(call)
        ]

    def count(self, value: Any) -> int:
        """Count the calls of an operation such as `cloudwatch.GetMetricData`."""
        service, _, operation = str(value).partition(".")
        return len(self.of(service, operation or None))

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        with self._lock:
            return iter(list(self._calls))

    def __getitem__(self, index: Any) -> Any:
        with self._lock:
            return list(self._calls)[index]
