"""Seeded mutations of functions/cutwatch, and how many of them the tests notice.

    python benchmarks/mutations.py --seed 1 --count 50

Each mutant changes one comparison, arithmetic or boolean operator, constant or returned value. It is killed if a test
fails that imports the mutated module, or mirrors its path below tests/unit: first the unit tests, then, if it survives
them, the integration tests. Everything happens in a temporary copy of the project.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = Path("functions")
STAGES = ("tests/unit", "tests/integration")
NOT_COPIED = (".git", ".venv", "build", ".aws-sam", "*_cache", ".hypothesis", "__pycache__")
SECONDS_PER_MUTANT = 300

SWAPPED: dict[type[ast.AST], type[Any]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Mutant:
    """One change in one module."""

    module: Path
    line: int
    before: str
    after: str
    source: str


def mutate(node: ast.AST) -> bool:
    """Change a node in place, if it is one that can be."""
    return mutate_operator(node) or mutate_value(node)


def mutate_operator(node: ast.AST) -> bool:
    match node:
        case ast.Compare(ops=[operator, *_]) if type(operator) in SWAPPED:
            node.ops[0] = SWAPPED[type(operator)]()
        case ast.BinOp(op=operator) | ast.BoolOp(op=operator) if type(operator) in SWAPPED:
            node.op = SWAPPED[type(operator)]()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            node.operand = ast.UnaryOp(ast.Not(), operand)
        case _:
            return False
    return True


def mutate_value(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=(int() | float()) as value):
            node.value = value + 1
        case ast.Return(value=ast.expr() as value) if not is_none(value):
            node.value = ast.Constant(None)
        case _:
            return False
    return True


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def positions(module: Path) -> Iterator[int]:
    """The positions in `ast.walk` of all nodes that can be mutated."""
    for position, node in enumerate(ast.walk(parsed(module))):
        if mutate(deepcopy(node)):
            yield position


def mutant(module: Path, position: int) -> Mutant:
    """The mutant of a module at one position."""
    tree = parsed(module)
    node = list(ast.walk(tree))[position]
    before = ast.unparse(node)
    mutate(node)
    return Mutant(module, getattr(node, "lineno", 0), before, ast.unparse(node), ast.unparse(tree))


def parsed(module: Path) -> ast.Module:
    return ast.parse((PROJECT / module).read_text())


def sample(seed: int, count: int) -> list[Mutant]:
    """Some of all mutants, the same for the same sources and seed."""
    modules = sorted(
        path.relative_to(PROJECT) for path in (PROJECT / SOURCES / "cutwatch").rglob("*.py")
    )
    found = [(module, position) for module in modules for position in positions(module)]
    chosen = random.Random(seed).sample(found, min(count, len(found)))
    return [mutant(module, position) for module, position in chosen]


def imported(test: Path) -> set[str]:
    """The modules that a test's file imports, as `a.b` for each of `from a import b` too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(test.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
    return names


def tests_of(module: Path, stage: str) -> list[str]:
    """The tests of one stage that import a module or mirror its path; if there is none, those of its room."""
    name = ".".join(module.relative_to(SOURCES).with_suffix("").parts)
    mirror = PROJECT / stage / module.parent.relative_to(SOURCES) / f"test_{module.name}"
    files = sorted((PROJECT / stage).rglob("test_*.py"))
    found = [each for each in files if each == mirror or name in imported(each)]
    if not found and mirror.parent.is_dir():
        found = sorted(mirror.parent.glob("test_*.py"))
    return [str(each.relative_to(PROJECT)) for each in found]


def survives(tests: list[str], copy: Path) -> bool:
    """Tell whether all tests pass in the copy; a run without end is a failure."""
    if not tests:
        return True
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            [*command, "--hypothesis-seed=1", *tests],
            cwd=copy,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_PER_MUTANT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def verdict(changed: Mutant, copy: Path) -> str:
    """The stage that kills a mutant, or `survived`."""
    path = copy / changed.module
    original = path.read_text()
    path.write_text(changed.source)
    try:
        for stage in STAGES:
            if not survives(tests_of(changed.module, stage), copy):
                return f"killed by {stage}"
    finally:
        path.write_text(original)
    return "survived"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    arguments = parser.parse_args()
    verdicts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        for each in sample(arguments.seed, arguments.count):
            said = verdict(each, copy)
            verdicts[said] += 1
            place = f"{each.module}:{each.line}"
            print(f"{said:28} {place:60} {each.before} -> {each.after}", flush=True)
    for said, number in sorted(verdicts.items()):
        print(f"{number:4} {said}")


if __name__ == "__main__":
    main()
