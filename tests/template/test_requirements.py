"""What ships is what was tested: the functions' requirements are the lock's."""

import re
from pathlib import Path

import pytest

from tests.support.project import PROJECT

LINE = re.compile(r"(?P<name>[\w.-]+)(\[[\w,]+\])?==(?P<version>[\w.]+)(?: ; (?P<marker>.+))?")
SHIPPED = [
    "functions/requirements.txt",
    "layers/numerics/requirements.txt",
    "layers/training/requirements.txt",
]
RUNTIME = "python_full_version >= '3.12'"


def pins(path: Path) -> dict[str, str]:
    """Name to version, as far as Lambda's Python 3.13 is concerned."""
    matches = [LINE.fullmatch(line.strip()) for line in path.read_text().splitlines()]
    return {
        match["name"]: match["version"]
        for match in matches
        if match and match["marker"] in (None, RUNTIME)
    }


@pytest.mark.parametrize("shipped", SHIPPED)
def test_every_shipped_package_has_the_version_of_the_lock(shipped: str) -> None:
    locked = pins(PROJECT / "requirements.lock")
    for name, version in pins(PROJECT / shipped).items():
        assert (name, locked.get(name)) == (name, version)


@pytest.mark.parametrize("shipped", SHIPPED)
def test_every_line_of_what_ships_is_pinned(shipped: str) -> None:
    lines = [line.strip() for line in (PROJECT / shipped).read_text().splitlines()]
    loose = [line for line in lines if line and line[0] != "#" and not LINE.fullmatch(line)]
    assert loose == []


def test_what_is_in_the_layer_is_not_shipped_twice() -> None:
    shipped = [set(pins(PROJECT / each)) for each in SHIPPED]
    assert len(set().union(*shipped)) == sum(map(len, shipped))
