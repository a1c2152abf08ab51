"""A job's script in PySpark, which sees S3 as the job's role does."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.sagemaker.objects import split

_URI = re.compile(r"s3://[^/]+/.*")
_EXCEPTION = re.compile(r"^[\w.]*(Error|Exception|Exit)\b.*")
_LONGEST_SECONDS = 540
_VIEW = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.hadoop.fs.s3.impl": _VIEW,
    "spark.hadoop.fs.viewfs.overload.scheme.target.s3.impl": "org.apache.hadoop.fs.LocalFileSystem",
}


class ScriptFailed(Exception):
    """The script did not end well; the message is the run's `ErrorMessage`."""


@dataclass
class Spark:
    """A Python with PySpark and AWSGlueDataplanePython; Java is that of the `PATH`."""

    python: Path | None
    memory: str = "2g"
    _processes: set["subprocess.Popen[str]"] = field(default_factory=set, repr=False)

    def missing(self) -> str:
        """Return in one line what is missing to run scripts, empty if nothing is."""
        if shutil.which("java") is None:
            return "Glue jobs run by PySpark, and there is no java on the PATH"
        if self.python is None or not self.python.exists():
            return f"Glue jobs run by PySpark, and there is no Python with PySpark at {self.python}"
        return ""

    def run(self, script: bytes, arguments: Mapping[str, str], s3: Any) -> dict[str, bytes | None]:
        """Run a script on a copy of the objects below its arguments' URIs; return its changes by URI, None for deleted objects.

        Raises `ScriptFailed`.
        """
        if problem := self.missing():
            raise ScriptFailed(problem)
        with tempfile.TemporaryDirectory(prefix="localaws-glue-") as folder:
            mirror = _Mirror(Path(folder) / "s3", s3)
            mirror.fill(arguments.values())
            (Path(folder) / "script.py").write_bytes(script)
            self._execute(Path(folder), arguments, mirror)
            return dict(mirror.changes())

    def stop(self) -> None:
        """End the scripts that still run."""
        for process in list(self._processes):
            process.kill()

    def _execute(self, folder: Path, arguments: Mapping[str, str], mirror: "_Mirror") -> None:
        command = [str(self.python), str(folder / "script.py")]
        command += [part for pair in arguments.items() for part in pair]
        process = subprocess.Popen(  # noqa: S603 - a test's own script
            command,
            cwd=folder,
            env=self._environment(mirror),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.add(process)
        try:
            _, errors = process.communicate(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ScriptFailed(f"the script was still running after {_LONGEST_SECONDS} s") from None
        finally:
            self._processes.discard(process)
        if process.returncode != 0:
            raise ScriptFailed(_reason(errors, process.returncode))

    def _environment(self, mirror: "_Mirror") -> dict[str, str]:
        settings = {**_SETTINGS, **mirror.mounts()}
        options = [f"--master local[2] --driver-memory {self.memory}"]
        options += [f"--conf {name}={value}" for name, value in settings.items()]
        kept = ("PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "PYSPARK_PYTHON": str(self.python),
            "PYSPARK_SUBMIT_ARGS": " ".join([*options, "pyspark-shell"]),
        }


class _Mirror:
    """A copy of parts of S3 on disk, one folder per bucket."""

    def __init__(self, root: Path, s3: Any) -> None:
        self._root = root
        self._s3 = s3
        self._uris: list[str] = []
        self._before: dict[str, str] = {}

    def fill(self, arguments: Any) -> None:
        """Copy all objects below the URIs among a script's arguments."""
        self._uris = [each for each in arguments if _URI.fullmatch(each)]
        for uri in self._uris:
            bucket, prefix = split(uri)
            (self._root / bucket).mkdir(parents=True, exist_ok=True)
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for key in [each["Key"] for page in pages for each in page.get("Contents", [])]:
                if not key.endswith("/"):
                    self._copy(bucket, key)

    def mounts(self) -> dict[str, str]:
        """Return Spark's settings that make the copy its S3."""
        buckets = {split(uri)[0] for uri in self._uris}
        return {
            f"spark.hadoop.fs.viewfs.mounttable.{each}.linkFallback": (self._root / each).as_uri()
            for each in sorted(buckets)
        }

    def changes(self) -> Iterator[tuple[str, bytes | None]]:
        """Yield the objects that were written or deleted since they were copied."""
        found = set()
        for path in sorted(self._root.rglob("*")):
            # Hadoop's local file system keeps checksums next to files; S3 has none.
            if path.is_file() and not path.name.endswith(".crc"):
                uri = f"s3://{path.relative_to(self._root).as_posix()}"
                found.add(uri)
                content = path.read_bytes()
                if self._before.get(uri) != _digest(content):
                    yield uri, content
        yield from ((uri, None) for uri in sorted(self._before.keys() - found))

    def _copy(self, bucket: str, key: str) -> None:
        content = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        path = self._root / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._before[f"s3://{bucket}/{key}"] = _digest(content)


def _reason(errors: str, code: int) -> str:
    """Return the exception that ended a script, as Glue puts it into a run's message."""
    lines = [line for line in errors.splitlines() if _EXCEPTION.match(line)]
    return lines[-1] if lines else f"Command failed with exit code {code}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
