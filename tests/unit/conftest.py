"""Unit tests are pure: no AWS, no server, no process. What needs them is an integration test.

An import of one of IMPURE, a socket that connects or listens, and a process that starts are errors here, at
collection as well as in tests. A module that a test elsewhere has imported before in the same process is not seen;
`make unit` runs nothing else, so it sees all.
"""

import socket
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

IMPURE = ("moto", "localaws", "ministack", "cfnlint", "samcli", "selenium")
# Only tests may take the time: every worker collects all modules.
SLOW = ("sklearn",)


class _ImpureImports:
    """An import finder that refuses some packages and leaves everything else to the others."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        self._refused = refused

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> None:
        if advice := self._refused.get(name.partition(".")[0]):
            raise ImportError(f"a unit test imports {name}: {advice}")


@contextmanager
def _pure_imports(*slow: str) -> Iterator[None]:
    refused = dict.fromkeys(IMPURE, "make it an integration test")
    finder: Any = _ImpureImports(refused | dict.fromkeys(slow, "let the test import or train it"))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _refuse(what: str) -> Any:
    def refused(*arguments: Any, **_: Any) -> None:
        raise AssertionError(f"a unit test {what}: make it an integration test {arguments[1:2]}")

    return refused


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Let no module of unit tests import what is impure, or takes seconds to import."""
    with _pure_imports(*SLOW):
        return (yield)


@pytest.fixture(autouse=True)
def pure(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse impure imports, connections, servers and processes for as long as a test runs."""
    monkeypatch.setattr(socket.socket, "connect", _refuse("connects to a server"))
    monkeypatch.setattr(socket.socket, "bind", _refuse("opens a server"))
    monkeypatch.setattr(subprocess.Popen, "__init__", _refuse("starts a process"))
    with _pure_imports():
        yield
