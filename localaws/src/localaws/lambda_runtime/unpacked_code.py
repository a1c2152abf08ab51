"""Lambda's deployment packages on disk."""

import hashlib
import io
import os
import shutil
import tempfile
import threading
import zipfile
from collections import defaultdict
from pathlib import Path


class UnpackedCode:
    """Deployment packages, unpacked once each, for all local AWSs of this process.

    A package that differs from an earlier one in a few files shares its other folders by hard links. Python finds
    their modules compiled, which takes longer than most invocations.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: tempfile.TemporaryDirectory[str] | None = None
        self._folders: dict[str, Path] = {}

    def directory(self, digest: str, archive: bytes) -> str:
        """Return the directory of a package, named by its digest."""
        with self._lock:
            if self._root is None:
                self._root = tempfile.TemporaryDirectory(
                    prefix="local-lambda-", ignore_cleanup_errors=True
                )
            directory = Path(self._root.name) / digest.replace("/", "_")
            if not directory.exists():
                with zipfile.ZipFile(io.BytesIO(archive)) as package:
                    self._unpack(package, directory)
            return str(directory)

    def _unpack(self, package: zipfile.ZipFile, directory: Path) -> None:
        directory.mkdir()
        folders: dict[str, list[str]] = defaultdict(list)
        for name in package.namelist():
            folders[name.partition("/")[0] if "/" in name else ""].append(name)
        for folder, members in folders.items():
            content = _digest(package, members)
            if folder and content in self._folders:
                _link(self._folders[content], directory / folder)
            else:
                package.extractall(directory, members)
                self._folders[content] = directory / folder


def _digest(package: zipfile.ZipFile, members: list[str]) -> str:
    digest = hashlib.sha256()
    for name in members:
        digest.update(f"{len(name)} {name} {package.getinfo(name).file_size} ".encode())
        digest.update(package.read(name))
    return digest.hexdigest()


def _link(folder: Path, target: Path) -> None:
    # Compiled modules that an environment is just writing are called .pyc.<number> until they are whole.
    shutil.copytree(
        folder, target, ignore=shutil.ignore_patterns("*.pyc.*"), copy_function=_link_or_copy
    )


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)
