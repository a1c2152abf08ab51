"""The methods of dataclasses, compiled once for all environments."""

import dataclasses
import os
from collections.abc import Iterator

import pytest

from localaws.lambda_runtime.generated_code import GeneratedCode


@pytest.fixture
def generated() -> Iterator[GeneratedCode]:
    """The code of a process that forks, in use by dataclasses."""
    code = GeneratedCode()
    code.install()
    yield code
    vars(dataclasses).pop("exec")


def test_dataclasses_are_what_they_are_without_it(generated: GeneratedCode) -> None:
    def made() -> type:
        return dataclasses.make_dataclass("Point", ["x", ("y", int, 2)], frozen=True, order=True)

    first, second = made(), made()
    assert repr(first(1)) == "Point(x=1, y=2)"
    assert first(1) == first(1, 2)
    assert first(1) < first(2)
    assert first is not second
    with pytest.raises(dataclasses.FrozenInstanceError):
        second(1).x = 3


def test_what_one_fork_compiles_no_later_fork_compiles(generated: GeneratedCode) -> None:
    compiled = []
    for _ in range(2):
        generated.learn()
        process = os.fork()
        if process == 0:
            generated.execute("answer = 42", {})
            fresh = len(generated._new)
            generated.share()
            os._exit(fresh)
        compiled.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    assert compiled == [1, 0]


def test_what_is_not_written_to_its_end_is_learned_later(generated: GeneratedCode) -> None:
    generated.execute("answer = 42", {})
    generated.share()
    generated._known.clear()
    whole = os.pread(generated._file.fileno(), 1 << 20, 0)
    for written in (4, len(whole) - 1):
        os.ftruncate(generated._file.fileno(), written)
        generated.learn()
        assert generated._known == {}
        os.ftruncate(generated._file.fileno(), 0)
        os.write(generated._file.fileno(), whole)
    generated.learn()
    found: dict[str, int] = {}
    generated.execute("answer = 42", found)
    assert found["answer"] == 42
    assert generated._new == {}
