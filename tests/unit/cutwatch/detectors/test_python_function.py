from pathlib import Path

import pytest

from cutwatch.detectors.python_function import load_function
from cutwatch.errors import InvalidDetectors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cleaning.py").write_text("import json\nLIMIT = 3\ndef clean(data): return json.loads(data)\n")  # fmt: skip
    (tmp_path / "json.py").write_text("def clean(data): return 1\n")
    (tmp_path / "broken.py").write_text("import no_such_package\n")
    return tmp_path


def test_a_function_is_imported_from_the_file_of_its_module(folder: Path) -> None:
    assert load_function(folder, "cleaning:clean")(b"[1]") == [1]


def test_a_file_does_not_replace_the_package_of_its_name(folder: Path) -> None:
    assert load_function(folder, "json:clean")(b"[2]") == 1
    assert load_function(folder, "cleaning:clean")(b"[1]") == [1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cleaning", "'cleaning' is not a name such as cleaning:clean"),
        ("other:clean", "'other:clean': there is no file other.py next to detectors.yaml"),
        ("cleaning:cleen", r"'cleaning:cleen': cleaning.py has no function cleen"),
        ("cleaning:LIMIT", r"'cleaning:LIMIT': cleaning.py has no function LIMIT"),
        ("broken:clean", r"broken.py cannot be imported: ModuleNotFoundError: No module named 'no_such"),
    ],
)  # fmt: skip
def test_a_function_that_cannot_be_imported_is_refused(
    folder: Path, name: str, message: str
) -> None:
    with pytest.raises(InvalidDetectors, match=message):
        load_function(folder, name)
