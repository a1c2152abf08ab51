"""Replace functions of MiniStack, and put them back."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

PATCHED_VERSION = "1.5.33"
_SERVICES = "ministack.services."


def check_version() -> None:
    """Raise a RuntimeError if another MiniStack is installed than the patches were written for."""
    installed = version("ministack")
    if installed != PATCHED_VERSION:
        raise RuntimeError(
            f"ministack {installed} is installed, but localaws patches ministack {PATCHED_VERSION}: run "
            f"`pip install ministack=={PATCHED_VERSION}`, or go through localaws.ministack_patches.upstream, "
            "adapt each patch to the new code and then change PATCHED_VERSION."
        )


class Patches:
    """Attributes of MiniStack's modules that are replaced now."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    @property
    def names(self) -> frozenset[str]:
        """The replaced attributes, such as `stepfunctions._add_event`."""
        return frozenset(
            f"{module.__name__.removeprefix(_SERVICES)}.{name}"
            for module, name, _ in self._originals
        )

    def replace(self, module: Any, name: str, replacement: Callable[..., Any]) -> Any:
        """Replace a module's function and return the original."""
        return self.set(module, name, replacement)

    def set(self, module: Any, name: str, value: Any) -> Any:
        """Set an attribute of a module and return the original."""
        original = getattr(module, name)
        self._originals.append((module, name, original))
        setattr(module, name, value)
        return original

    def undo(self) -> None:
        """Put every original back, the last replaced first."""
        while self._originals:
            module, name, original = self._originals.pop()
            setattr(module, name, original)
