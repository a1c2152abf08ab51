"""What the processes of the local Lambda use, by function, read from /proc while they live."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

_LOOK_EVERY_SECONDS = 1.0
_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/<id>/stat after the name in brackets.
_PARENT, _USER, _SYSTEM = 1, 11, 12


class _Use(NamedTuple):
    function: str
    seconds: float
    peak_mb: float


class FunctionProcesses:
    """Looks at them again and again, because one may end at any time."""

    def __init__(self) -> None:
        self._uses: dict[str, _Use] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def processor_seconds(self) -> dict[str, float]:
        """By function, of all its processes so far."""
        self._look()
        seconds: dict[str, float] = defaultdict(float)
        for use in list(self._uses.values()):
            seconds[use.function] += use.seconds
        return dict(seconds)

    @property
    def peak_mb(self) -> dict[str, float]:
        """The most that any process of each function has held."""
        peaks: dict[str, float] = {}
        for use in self._uses.values():
            peaks[use.function] = max(use.peak_mb, peaks.get(use.function, 0))
        return peaks

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_SECONDS):
            self._look()

    def _look(self) -> None:
        with self._lock:
            self._uses |= dict(_function_processes())


def _function_processes() -> Iterator[tuple[str, _Use]]:
    """Children of this process's child, which forks them, each by the name of its handler's module."""
    stats = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            _, _, stat = (process / "stat").read_text().partition("(")
            name, _, fields = stat.rpartition(")")
            stats[process.name] = name, fields.split()
    own = {number for number, (_, rest) in stats.items() if rest[_PARENT] == str(os.getpid())}
    for number, (name, rest) in stats.items():
        if rest[_PARENT] in own:
            with suppress(OSError, StopIteration):
                seconds = (int(rest[_USER]) + int(rest[_SYSTEM])) / _TICKS
                yield number, _Use(name, seconds, _peak_mb(number))


def _peak_mb(number: str) -> float:
    lines = Path("/proc", number, "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
