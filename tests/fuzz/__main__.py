"""`make fuzz`: each harness, or the one that is named, for so many seconds, guided by what code an input reaches.

PYTHONPATH=functions:. .venv/bin/python -m tests.fuzz [SECONDS [HARNESS]]

What fails is written to build/fuzz/<harness>/; its bytes belong into the harness's regressions.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import atheris

from tests.support.project import PROJECT

# Two values that differ in one bit of a comparison are alike to nobody but a fuzzer that sees them compared.
with atheris.instrument_imports(include=["cutwatch", "cutwatch_cli", "yaml"]):
    from tests.fuzz.harnesses import HARNESSES
    from tests.fuzz.mutations import Mutation

_SECONDS = "60"
_LONGEST_INPUT = 4_096
_SLOWEST_SECONDS = 25
_BY_THE_FORM = 0.5


def main() -> int:
    """In a process each, for libFuzzer ends its own; 1 if one found something."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else _SECONDS
    wanted = sys.argv[2:] or list(HARNESSES)
    ends = [
        subprocess.run([sys.executable, "-m", "tests.fuzz", seconds, name, "--here"], check=False)
        for name in wanted
    ]
    found = [name for name, end in zip(wanted, ends, strict=True) if end.returncode]
    print(f"{len(wanted)} harnesses, {seconds} s each; found something: {', '.join(found) or 'no'}")
    return int(bool(found))


def fuzz(name: str, seconds: str) -> None:
    """Does not return."""
    harness = HARNESSES[name]
    folder = PROJECT / "build" / "fuzz" / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate((*harness.seeds, *harness.regressions)):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST_INPUT}",
        f"-timeout={_SLOWEST_SECONDS}",
        f"-artifact_prefix={folder}/",
        f"-dict={_dictionary(folder, harness.words)}",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    own = {"custom_mutator": _mutator(harness.mutation)} if harness.mutation else {}
    atheris.Setup([name, *options, str(corpus)], harness.check, **own)
    atheris.Fuzz()


def _mutator(mutation: Mutation) -> Callable[[bytes, int, int], bytes]:
    """Half of the time by the form, half of the time as libFuzzer likes."""

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        chance = Random(seed)
        mutated = mutation(data, chance) if chance.random() < _BY_THE_FORM else None
        return (mutated or bytes(atheris.Mutate(data, longest)))[:longest]

    return mutate


def _dictionary(folder: Path, words: tuple[str, ...]) -> Path:
    path = folder / "words"
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    path.write_text("".join(f'"{word}"\n' for word in quoted))
    return path


if __name__ == "__main__":
    if "--here" in sys.argv:
        fuzz(sys.argv[2], sys.argv[1])
    sys.exit(main())
