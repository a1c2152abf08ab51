"""Where the project and its packages lie."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

SEARCHED = [str(PROJECT / folder) for folder in ("functions", "cli", "localaws/src")]
"""Where the packages are, for processes that a test starts."""
