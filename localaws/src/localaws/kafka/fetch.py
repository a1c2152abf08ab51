"""Fetch Apache Kafka's files with Maven, and check each against its pinned checksum: `python -m localaws.kafka.fetch DIRECTORY`."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_PINNED = _HERE / "jars.sha256"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class KafkaUnavailable(Exception):
    """Apache Kafka cannot be fetched or started; the message says what is missing."""


def fetch(directory: Path) -> Path:
    """Return the directory with Kafka's files, fetched unless they are there. Raises `KafkaUnavailable`."""
    if any(_mistakes(directory)):
        _run_maven(directory)
        if mistakes := _mistakes(directory):
            raise KafkaUnavailable(f"the files of Apache Kafka are not as pinned: {mistakes[0]}")
    return directory


def _run_maven(directory: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable("Apache Kafka needs Maven to be fetched; there is no mvn in PATH")
    shutil.rmtree(directory, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", str(_HERE / "pom.xml"), _COPY]
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={directory.absolute()}"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        lines = done.stdout.strip().splitlines() or ["no output"]
        raise KafkaUnavailable(f"Maven cannot fetch Apache Kafka: {lines[0]}")


def _mistakes(directory: Path) -> list[str]:
    """Return a line for each file that is missing, altered or not pinned."""
    pinned = dict(line.split()[::-1] for line in _PINNED.read_text().splitlines())
    found = {path.name: path for path in directory.glob("*.jar")}
    wrong = [
        f"{name} is missing or altered"
        for name, checksum in pinned.items()
        if name not in found or hashlib.sha256(found[name].read_bytes()).hexdigest() != checksum
    ]
    return [*wrong, *(f"{name} is not pinned" for name in found.keys() - pinned.keys())]


if __name__ == "__main__":
    try:
        fetch(Path(sys.argv[1]))
    except KafkaUnavailable as error:
        sys.exit(str(error))
