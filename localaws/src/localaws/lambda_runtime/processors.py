"""Processor of a deployment package, by the compiled modules in it.

AWS accepts any package: a module for another processor fails at its import. The local AWS refuses it when it is
deployed, and also refuses what this machine cannot run.
"""

import hashlib
import io
import platform
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localaws.embedded_ministack import service

# ELF's e_machine.
_PROCESSORS = {0xB7: "arm64", 0x3E: "x86_64"}
_MACHINE_OFFSET = 18
_ELF = b"\x7fELF"
_THIS_MACHINE = {"aarch64": "arm64", "amd64": "x86_64"}
_LAMBDA_DEFAULT = ("x86_64",)
# By the digest of a package: all functions of an application have the same.
_known_packages: dict[str, Sequence[tuple[str, str]]] = {}


def check_processor(kind: str, properties: Mapping[str, Any]) -> None:
    """Raise ValueError for the first compiled module of a function or layer that cannot run."""
    if kind == "AWS::Lambda::Function":
        declared = properties.get("Architectures", _LAMBDA_DEFAULT)
        _check(properties.get("Code", {}), "Architectures", declared)
    elif kind == "AWS::Lambda::LayerVersion":
        declared = properties.get("CompatibleArchitectures", ())
        _check(properties.get("Content", {}), "CompatibleArchitectures", declared)


def this_machine() -> str:
    """Return Lambda's name of this machine's processor."""
    machine = platform.machine().lower()
    return _THIS_MACHINE.get(machine, machine)


def _check(location: Mapping[str, Any], named: str, declared: Sequence[str]) -> None:
    for module, processor in _compiled_modules(location):
        if declared and processor not in declared:
            raise ValueError(
                f"{module} was built for {processor}, but {named} is {', '.join(declared)}: build it for that processor"
            )
        if processor != this_machine():
            raise ValueError(
                f"{module} was built for {processor}, but the local AWS runs functions on this machine, which is "
                f"{this_machine()}: build it for {this_machine()}, or deploy the sources without a build"
            )


def _compiled_modules(location: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return the name and the processor of each shared library for Linux."""
    if "S3Bucket" not in location or "S3Key" not in location:
        return ()
    archive = service("s3")._get_object_data(location["S3Bucket"], location["S3Key"])
    if not archive:
        return ()
    digest = hashlib.sha256(archive).hexdigest()
    if digest not in _known_packages:
        _known_packages[digest] = tuple(_libraries_in(archive))
    return _known_packages[digest]


def _libraries_in(archive: bytes) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        for name in package.namelist():
            if name.endswith(".so") or ".so." in name:
                with package.open(name) as library:
                    header = library.read(_MACHINE_OFFSET + 2)
                if header.startswith(_ELF):
                    machine = int.from_bytes(header[_MACHINE_OFFSET:], "little")
                    yield name, _PROCESSORS.get(machine, f"ELF machine {machine}")
