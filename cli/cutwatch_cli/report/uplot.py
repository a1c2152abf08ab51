"""uPlot, the library of the page's charts (Leon Sorokin, MIT licence), as the package youplot distributes it.

No code of youplot is imported. Hashes from the package uplot 1.6.31 at npm verify the files.
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
    """A file differs from uPlot's release."""


def script() -> str:
    """Return the library, which defines one global name, `uPlot`."""
    return _released(*_SCRIPT)


def style() -> str:
    """Return the style sheet of the library."""
    return _released(*_STYLE)


def _released(name: str, digest: str) -> str:
    content = Path(str(distribution("youplot").locate_file(name))).read_bytes()
    found = sha256(content).hexdigest()
    if found != digest:
        raise ForeignFile(f"{name} has the SHA-256 {found}, uPlot {VERSION} has {digest}")
    return content.decode()
