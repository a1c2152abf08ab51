"""A pytest plugin: the processor time of each test, and the tests that take long but lack the mark `slow`.

Wall time says more about the other processes of a machine than about a test. A test's time covers set-up, call and
tear-down, all threads of the process, and its child processes: on Linux also those that still run, such as the local
AWS's functions. Imports happen during collection and are not part of it.

`python -m tests.support.processor_time` lists the slow tests of the newest run.
"""

import json
import os
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, TypedDict

import pytest

SECONDS_WITHOUT_MARK = 2.0
"""Processor seconds that a test may take before it needs the mark `slow`."""

CACHE_KEY = "cutwatch/processor_time"
_PROPERTY = "processor_seconds"
_STARTED = pytest.StashKey[float]()
# utime, stime, cutime and cstime in /proc/*/stat, counted from the field after the name: see proc(5).
_TIMES_OF_STAT = slice(11, 15)
_TICKS = os.sysconf("SC_CLK_TCK")


class Measured(TypedDict):
    """The newest time of one test."""

    seconds: float
    slow: bool


def processor_seconds() -> float:
    """Return the processor seconds of this process and its descendants."""
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(map(_with_descendants, _children("self")))


def _children(process: str) -> list[str]:
    """Return the ids of a process's children that still run; none where there is no /proc."""
    return [
        child
        for task in Path(f"/proc/{process}/task").glob("*/children")
        for child in _read(task).split()
    ]


def _with_descendants(process: str) -> float:
    fields = _read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    seconds = sum(map(int, fields[_TIMES_OF_STAT])) / _TICKS
    return seconds + sum(map(_with_descendants, _children(process)))


def _read(file: Path) -> str:
    """Return the content of a file of /proc, or nothing if its process has just ended."""
    try:
        return file.read_text()
    except OSError:
        return ""


def lacking_mark(measured: Mapping[str, Measured]) -> list[tuple[float, str]]:
    """Return the tests above SECONDS_WITHOUT_MARK that lack the mark, the longest first."""
    found = [
        (each["seconds"], test)
        for test, each in measured.items()
        if each["seconds"] > SECONDS_WITHOUT_MARK and not each["slow"]
    ]
    return sorted(found, reverse=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Start a test's clock before its fixtures."""
    item.stash[_STARTED] = processor_seconds()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the time to the report of the tear-down, the last of a test; xdist sends it along."""
    report = yield
    if call.when == "teardown":
        seconds = round(processor_seconds() - item.stash[_STARTED], 3)
        slow = item.get_closest_marker("slow") is not None
        report.user_properties.append((_PROPERTY, Measured(seconds=seconds, slow=slow)))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the slow tests that lack the mark, and keep all times for `make slow-tests`."""
    new = _measured(terminalreporter.stats)
    if not new:
        return
    if getattr(config, "cache", None) is not None:
        config.cache.set(CACHE_KEY, new)
    total = sum(each["seconds"] for each in new.values())
    terminalreporter.section("processor time")
    terminalreporter.line(f"{total:.0f} s in {len(new)} tests, their imports not counted")
    for line in slow_test_lines(new):
        terminalreporter.line(line)


def slow_test_lines(measured: Mapping[str, Measured]) -> list[str]:
    """Describe the tests that lack the mark, one a line."""
    found = lacking_mark(measured)
    title = f"{len(found)} tests over {SECONDS_WITHOUT_MARK:g} s of processor time without the mark slow"
    return [title, *(f"{seconds:6.2f} s  {test}" for seconds, test in found)]


def _measured(stats: Mapping[str, list[Any]]) -> dict[str, Measured]:
    """Return the times that the reports of a run carry."""
    return {
        report.nodeid: value
        for reports in stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _PROPERTY
    }


def main() -> int:
    """Print the slow tests of the newest run; 1 if there is no record."""
    record = Path(".pytest_cache/v") / CACHE_KEY
    if not record.exists():
        print("no times are recorded yet: run make test", file=sys.stderr)
        return 1
    print(*slow_test_lines(json.loads(record.read_text())), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
