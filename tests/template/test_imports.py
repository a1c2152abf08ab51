"""Which way imports go, and that every function finds the packages that it imports."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from localaws.template_file import read_template
from tests.support.project import PROJECT
from tests.support.stack import FUNCTION, Stack, snake

FUNCTIONS = PROJECT / "functions"
DOMAIN = sorted((FUNCTIONS / "cutwatch").rglob("*.py"))
HANDLERS = sorted(FUNCTIONS.glob("*.py"))
AWS_PACKAGES = {"boto3", "botocore"}
# From the ground up: what a package imports is on its own floor or below.
FLOORS = [
    ("errors", "metric_names"),
    ("aws", "timestamps", "payloads", "settings", "observability"),
    ("detectors", "sagemaker"),
    ("timeseries", "console_links"),
    ("features",),
    ("detection",),
    ("registry", "wording"),
    ("runs", "widget"),
    ("datasets", "notifications"),
    ("publishing", "models", "forests", "streams", "endpoints", "tables", "anomaly_models"),
    ("delivery", "live", "reports"),
]
# Functions that score any stream, and what takes them longest to import: trained models and logs need it.
STREAM_FUNCTIONS = {"score_kinesis", "score_kafka", "close_windows"}
# They have the layer with numpy, and import it when a trained model is loaded, if ever.
FITTING = {"train_log"}
NUMPY_LATER = STREAM_FUNCTIONS | {"score_dynamodb_stream", "close_table_incidents"}
HEAVY = {"numpy", "re2", "apachelogs", "scipy", "sklearn"}
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor}

# Imports every handler as if numpy were not there, and says which of them missed it. One process for all, so that
# what they share is imported once; our own modules are imported anew for each.
MISSING_NUMPY = """
import importlib, json, sys

class WithoutNumpy:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            raise ImportError(name)

sys.meta_path.insert(0, WithoutNumpy())
missing = []
for handler in sys.argv[1:]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cutwatch"]:
        del sys.modules[name]
    try:
        importlib.import_module(handler)
    except ImportError as error:
        if str(error) != "numpy":
            raise
        missing.append(handler)
print(json.dumps(missing))
"""


class Import(NamedTuple):
    """A package or module that is imported, and whether a function does it."""

    name: str
    in_function: bool


@cache
def imports(module: Path) -> frozenset[Import]:
    """The imports of a file, wherever they stand."""
    return frozenset(imports_of(ast.parse(module.read_text()), in_function=False))


def imports_of(node: ast.AST, *, in_function: bool) -> Iterator[Import]:
    """Statements are few next to the expressions in them, which import nothing."""
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, in_function) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield Import(node.module or "", in_function)
    within = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, part, ())
        # The branches of a conditional expression and the body of a lambda are no lists.
        for statement in inner if isinstance(inner, list) else ():
            yield from imports_of(statement, in_function=within)


def imported(module: Path) -> set[str]:
    return {each.name for each in imports(module)}


def packages(module: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(module)}


def test_one_module_talks_to_aws() -> None:
    talking = {module.name for module in [*DOMAIN, *HANDLERS] if packages(module) & AWS_PACKAGES}
    assert talking == {"clients.py"}


def module_name(path: Path) -> str:
    parts = path.relative_to(FUNCTIONS / "cutwatch").with_suffix("").parts
    return parts[0] if len(parts) > 1 or parts[0] in FLOOR else ""


def test_every_package_and_every_root_module_has_a_floor() -> None:
    assert {module_name(path) for path in DOMAIN if path.name != "__init__.py"} == set(FLOOR)


def test_packages_import_only_downward() -> None:
    """Packages on one floor may import each other in one direction only."""
    arrows = {
        (module_name(path), name.split(".")[1])
        for path in DOMAIN
        for name in imported(path)
        if name.startswith("cutwatch.") and path.name != "__init__.py"
    }
    arrows = {(above, below) for above, below in arrows if above != below}
    print("\n".join(f"{number}: {', '.join(floor)}" for number, floor in enumerate(FLOORS)))  # noqa: T201 - `pytest -s` shows the floors

    assert {arrow for arrow in arrows if FLOOR[arrow[0]] < FLOOR[arrow[1]]} == set()
    assert list(TopologicalSorter(predecessors(arrows)).static_order())


def predecessors(arrows: set[tuple[str, str]]) -> dict[str, set[str]]:
    return {name: {below for above, below in arrows if above == name} for name in FLOOR}


def test_modules_do_not_import_each_other_in_circles() -> None:
    arrows = {
        ".".join(path.relative_to(FUNCTIONS).with_suffix("").parts): {
            name for name in imported(path) if name.startswith("cutwatch.")
        }
        for path in DOMAIN
    }

    assert list(TopologicalSorter(arrows).static_order())


@pytest.mark.parametrize("module", DOMAIN, ids=lambda module: module.stem)
def test_the_domain_knows_no_handler_and_nothing_local(module: Path) -> None:
    assert packages(module).isdisjoint(
        {handler.stem for handler in HANDLERS} | {"cutwatch_cli", "localaws", "tests"}
    )


@pytest.mark.parametrize("module", HANDLERS, ids=lambda module: module.stem)
def test_a_handler_imports_the_domain_and_the_standard_library_only(module: Path) -> None:
    assert packages(module) - set(sys.stdlib_module_names) <= {"cutwatch"}


@pytest.mark.parametrize("module", DOMAIN, ids=lambda module: module.stem)
def test_imports_stand_at_the_top(module: Path) -> None:
    assert [each.name for each in imports(module) if each.in_function] == []


def test_imports_are_found_wherever_they_stand() -> None:
    text = """
if a:
    import b
else:
    import c, d
try:
    from e import f
except g:
    import h
finally:
    import i
match j:
    case k:
        import l
class M:
    def n():
        with o:
            import p
        async def q():
            import r
"""
    found = list(imports_of(ast.parse(text), in_function=False))
    assert "".join(sorted(each.name for each in found)) == "bcdehilpr"
    assert [each.name for each in found if each.in_function] == ["p", "r"]


@pytest.mark.slow
def test_exactly_the_functions_with_the_layer_need_numpy(stack: Stack) -> None:
    joined = {
        name: each["Properties"]
        for template in ("live.yaml", "table.yaml")
        for name, each in read_template(PROJECT / "stacks" / template)["Resources"].items()
        if each["Type"] == FUNCTION
    }
    layered = {
        snake(logical_id)
        for logical_id, function in (*stack.resources(FUNCTION).items(), *joined.items())
        if {"Ref": "NumericsLayer"} in function.get("Layers", [])
    }
    finished = subprocess.run(
        [sys.executable, "-c", MISSING_NUMPY, *(handler.stem for handler in HANDLERS)],
        cwd=FUNCTIONS,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(finished.stdout)) == layered - NUMPY_LATER | FITTING


def stream_functions() -> set[str]:
    names = set()
    for path in (PROJECT / "stacks").glob("*stream*.yaml"):
        template = read_template(path)
        assert {"Ref": "NumericsLayer"} in template["Globals"]["Function"]["Layers"]
        names |= {
            snake(logical_id)
            for logical_id, resource in template["Resources"].items()
            if resource["Type"] == FUNCTION
        }
    return names


def test_functions_of_streams_start_without_what_only_some_streams_need() -> None:
    program = f"import sys; {'; '.join(f'import {each}' for each in STREAM_FUNCTIONS)}; print(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=FUNCTIONS, capture_output=True, text=True, check=True
    )

    started = set(finished.stdout.split())
    assert "krcf" in started
    assert started & HEAVY == set()
    assert stream_functions() >= STREAM_FUNCTIONS | FITTING


def test_the_local_aws_knows_nothing_of_the_application() -> None:
    modules = sorted((PROJECT / "localaws").rglob("*.py"))
    known = {
        str(module)
        for module in modules
        if packages(module) & {"cutwatch", "cutwatch_cli", "tests"}
    }
    assert modules
    assert known == set()


def test_array_types_are_defined_once() -> None:
    defined = [
        str(module.relative_to(PROJECT))
        for package in (FUNCTIONS, PROJECT / "cli")
        for module in sorted(package.rglob("*.py"))
        for _ in re.finditer(r"^\s*(?:Floats|Epochs) = ", module.read_text(), re.MULTILINE)
    ]
    assert set(defined) == {"functions/cutwatch/timeseries/arrays.py"}
