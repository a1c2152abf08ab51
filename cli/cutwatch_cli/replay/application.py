"""The application in this checkout, deployed to a local AWS with other detectors."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import yaml

from cutwatch.detectors.detector import Detector

if TYPE_CHECKING:
    from localaws import LocalAws, Stack

PROJECT = Path(__file__).resolve().parents[3]
TEMPLATE = "template.yaml"
_SHIPPED = (TEMPLATE, "statemachines", "functions", "layers")
_LEFT_OUT = shutil.ignore_patterns("__pycache__")


@contextmanager
def staged(detectors: Sequence[Detector]) -> Iterator[Path]:
    """Copy the files that `sam deploy` ships, with these detectors in `detectors.yaml`; yield the template's path."""
    with TemporaryDirectory(prefix="cutwatch-") as folder:
        for name in _SHIPPED:
            source, target = PROJECT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=_LEFT_OUT)
            else:
                shutil.copy2(source, target)
        document = {"detectors": [detector.to_payload() for detector in detectors]}
        (Path(folder) / "functions" / "detectors.yaml").write_text(yaml.safe_dump(document))
        yield Path(folder) / TEMPLATE


def deploy(
    aws: "LocalAws",
    detectors: Sequence[Detector],
    parameters: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> "Stack":
    """Deploy the application to a local AWS with these detectors."""
    with staged(detectors) as template:
        return aws.deploy(
            template, stack_name="cutwatch", parameters=parameters or {}, tags=tags or {}
        )
