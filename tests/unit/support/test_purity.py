"""conftest.py of the unit tests refuses what would make them slow or depend on their surroundings."""

import socket
import subprocess
import sys
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["moto", "localaws", "localaws.clock", "cfnlint"])
def test_a_unit_test_cannot_import_a_server_or_an_account(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for imported in [name, name.partition(".")[0]]:
        monkeypatch.delitem(sys.modules, imported, raising=False)

    with pytest.raises(ImportError, match="make it an integration test"):
        import_module(name)


def test_a_unit_test_cannot_connect_or_listen() -> None:
    with pytest.raises(AssertionError, match="connects to a server"):
        socket.create_connection(("127.0.0.1", 9))
    with pytest.raises(AssertionError, match="opens a server"):
        socket.create_server(("127.0.0.1", 0))


def test_a_unit_test_cannot_start_a_process() -> None:
    with pytest.raises(AssertionError, match="starts a process"):
        subprocess.run([sys.executable, "-c", ""], check=True)
