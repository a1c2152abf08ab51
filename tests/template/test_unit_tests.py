"""Unit tests lie where the module lies that they test."""

from pathlib import Path

import pytest

from tests.support.project import PROJECT

MIRRORS = {
    "tests/unit/cutwatch": "functions/cutwatch",
    "tests/unit/cutwatch_cli": "cli/cutwatch_cli",
}


def mirrored(test: Path) -> bool:
    """Tell whether `test_<module>.py` or `test_<module>_<aspect>.py` names a module in the same place."""
    return any(
        test.stem == f"test_{module.stem}" or test.stem.startswith(f"test_{module.stem}_")
        for module in place(test).glob("*.py")
    )


def place(test: Path) -> Path:
    """Return the folder of sources that a test's folder mirrors."""
    [(tests, sources)] = [
        pair for pair in MIRRORS.items() if test.is_relative_to(PROJECT / pair[0])
    ]
    return PROJECT / sources / test.parent.relative_to(PROJECT / tests)


@pytest.mark.parametrize("folder", MIRRORS)
def test_every_unit_test_names_a_module_of_the_folder_it_mirrors(folder: str) -> None:
    tests = sorted((PROJECT / folder).rglob("test_*.py"))

    assert tests
    assert [str(test.relative_to(PROJECT)) for test in tests if not mirrored(test)] == []


def test_a_module_that_does_not_exist_is_noticed() -> None:
    assert not mirrored(PROJECT / "tests/unit/cutwatch/runs/test_nothing.py")
    assert not mirrored(PROJECT / "tests/unit/cutwatch/no_such_room/test_batch.py")
    assert mirrored(PROJECT / "tests/unit/cutwatch/runs/test_batch_limits.py")
