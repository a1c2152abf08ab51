"""uPlot, which draws the page's charts (Leon Sorokin, MIT licence): its own distribution, as the package youplot ships it.

Of youplot nothing is imported. That the files are the ones that uPlot's author released is known by their hashes, from
the package uplot 1.6.31 at npm.
"""

from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

VERSION = "1.6.31"
LICENCE = f"uPlot {VERSION}, copyright (c) 2024 Leon Sorokin, MIT licence"
_SCRIPT = (
    "youplot/vendor/uplot.iife.min.js",
    "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
)
_STYLE = (
    "youplot/vendor/uplot.min.css",
    "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
)


class ForeignFile(Exception):
    """A file is not what uPlot's author released."""


def script() -> str:
    """The library: one global name, `uPlot`."""
    return _released(*_SCRIPT)


def style() -> str:
    """What its elements need."""
    return _released(*_STYLE)


def _released(name: str, digest: str) -> str:
    content = Path(str(distribution("youplot").locate_file(name))).read_bytes()
    found = sha256(content).hexdigest()
    if found != digest:
        raise ForeignFile(f"{name} has the SHA-256 {found}, uPlot {VERSION} has {digest}")
    return content.decode()
