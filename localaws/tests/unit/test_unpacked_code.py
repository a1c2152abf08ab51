"""Deployment packages on disk."""

import io
import zipfile
from pathlib import Path

import pytest

from localaws.lambda_runtime.unpacked_code import UnpackedCode

MODULES = {"shop/__init__.py": "", "shop/orders.py": "NUMBER = 1\n"}


def package(**files: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, content in (MODULES | {"app.py": ""} | files).items():
            opened.writestr(name, content)
    return archive.getvalue()


def files_below(directory: Path) -> dict[str, str]:
    return {
        each.relative_to(directory).as_posix(): each.read_text()
        for each in directory.rglob("*.*")
        if each.is_file()
    }


def unpack(code: UnpackedCode, digest: str, archive: bytes) -> Path:
    return Path(code.directory(digest, archive))


def compile_in(directory: Path, name: str) -> Path:
    compiled = directory / "shop" / "__pycache__" / name
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_text("compiled")
    return compiled


def test_a_package_is_unpacked_once_whoever_deploys_it() -> None:
    code = UnpackedCode()
    first = unpack(code, "a/b=", package())
    compiled = compile_in(first, "orders.cpython-311.pyc")
    assert unpack(code, "a/b=", package()) == first
    assert compiled.exists()


def test_a_package_with_other_files_shares_compiled_folders() -> None:
    code = UnpackedCode()
    compiled = compile_in(unpack(code, "a", package()), "orders.cpython-311.pyc")
    second = unpack(code, "b", package(**{"app.py": "other = True", "detectors.yaml": "{}"}))
    assert files_below(second) == {
        **MODULES,
        "shop/__pycache__/orders.cpython-311.pyc": "compiled",
        "app.py": "other = True",
        "detectors.yaml": "{}",
    }
    again = second / "shop" / "__pycache__" / compiled.name
    # Python compares a module's time with that in its compiled file.
    module, original = second / "shop/orders.py", compiled.parent.parent / "orders.py"
    assert module.stat().st_mtime == original.stat().st_mtime
    again.unlink()
    assert compiled.exists()


def test_a_folder_with_another_module_shares_nothing() -> None:
    code = UnpackedCode()
    compile_in(unpack(code, "a", package()), "orders.cpython-311.pyc")
    changed = unpack(code, "b", package(**{"shop/orders.py": "NUMBER = 2\n"}))
    assert files_below(changed) == {**MODULES, "shop/orders.py": "NUMBER = 2\n", "app.py": ""}


def test_a_module_that_is_just_being_compiled_is_not_shared() -> None:
    code = UnpackedCode()
    compile_in(unpack(code, "a", package()), "orders.cpython-311.pyc.139872")
    assert "orders.cpython-311.pyc.139872" not in str(files_below(unpack(code, "b", package())))


def test_files_are_copied_where_there_are_no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    code = UnpackedCode()
    first = unpack(code, "a", package())
    monkeypatch.setattr("localaws.lambda_runtime.unpacked_code.os.link", refuse)
    second = unpack(code, "b", package())
    module, original = second / "shop/orders.py", first / "shop/orders.py"
    assert not module.samefile(original)
    assert (module.read_text(), module.stat().st_mtime) == (
        original.read_text(),
        original.stat().st_mtime,
    )
