"""Short functions, small modules. ruff holds complexity."""

import ast
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.support.project import PROJECT

MODULE_LINES = 300
MEDIAN_LINES = 8
NINTH_DECILE_LINES = 20
HANDLER_LINES = 15

PACKAGES = ["functions", "cli", "localaws/src"]


def modules(package: str) -> list[Path]:
    return sorted((PROJECT / package).rglob("*.py"))


def function_lengths(package: str) -> list[int]:
    """Lines of every function's body, its docstring left out."""
    return [
        length(node)
        for module in modules(package)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - statements[0].lineno + 1 if statements else 0


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_are_short(package: str) -> None:
    lengths = function_lengths(package)

    assert median(lengths) <= MEDIAN_LINES
    assert quantiles(lengths, n=10)[-1] <= NINTH_DECILE_LINES


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_have_one_subject(package: str) -> None:
    sizes = {str(m.relative_to(PROJECT)): len(m.read_text().splitlines()) for m in modules(package)}
    assert {name: size for name, size in sizes.items() if size > MODULE_LINES} == {}


HANDLERS = sorted((PROJECT / "functions").glob("*.py"))


@pytest.mark.parametrize("module", HANDLERS, ids=lambda module: module.stem)
def test_a_handler_reads_settings_and_payload_and_calls_the_domain(module: Path) -> None:
    """One short function, which handles no exceptions: what is to be done about them is the domain's."""
    tree = ast.parse(module.read_text())
    definitions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    assert [definition.name for definition in definitions] == ["handler"]
    assert length(definitions[0]) <= HANDLER_LINES
    assert {type(node) for node in ast.walk(tree)}.isdisjoint({ast.ClassDef, ast.Try})
