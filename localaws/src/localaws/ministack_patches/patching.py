"""Replacing a function of MiniStack's, and putting it back."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

PATCHED_VERSION = "1.5.33"


def check_version() -> None:
    installed = version("ministack")
    if installed != PATCHED_VERSION:
        raise RuntimeError(
            f"ministack {installed} is installed; the local AWS mends ministack {PATCHED_VERSION}"
        )


class Mending:
    """What has been replaced so far."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    def replace(self, module: Any, name: str, replacement: Callable[..., Any]) -> Any:
        """Put `replacement` in the place of a module's function and return the original."""
        original = getattr(module, name)
        self._originals.append((module, name, original))
        setattr(module, name, replacement)
        return original

    def set(self, module: Any, name: str, value: Any) -> None:
        self._originals.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def undo(self) -> None:
        while self._originals:
            module, name, original = self._originals.pop()
            setattr(module, name, original)
