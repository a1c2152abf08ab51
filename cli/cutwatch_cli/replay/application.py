"""The application in this checkout, deployed to a local AWS with other detectors."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.stream import Stream
from cutwatch_cli.template_settings import with_settings
from localaws.template_file import read_template

if TYPE_CHECKING:
    from localaws import LocalAws, Stack

PROJECT = Path(__file__).resolve().parents[3]
TEMPLATE = "template.yaml"
LIVE_TEMPLATE = "stacks/live.yaml"
_SHIPPED = (TEMPLATE, "stacks", "statemachines", "functions", "glue", "layers")
_LEFT_OUT = shutil.ignore_patterns("__pycache__")


@contextmanager
def staged(
    detectors: Sequence[Detector],
    settings: Mapping[str, str] | None = None,
    streams: Sequence[Stream] = (),
    tables: Sequence[Mapping[str, Any]] = (),
) -> Iterator[Path]:
    """Copy what `sam deploy` would ship, with these detectors, settings, streams and tables; yield the template's path."""
    with TemporaryDirectory(prefix="cutwatch-") as folder:
        for name in _SHIPPED:
            source, target = PROJECT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=_LEFT_OUT)
            else:
                shutil.copy2(source, target)
        document = {
            "detectors": [detector.to_payload() for detector in detectors],
            "streams": [stream.to_payload() for stream in streams],
            "tables": [dict(table) for table in tables],
        }
        (Path(folder) / "functions" / "detectors.yaml").write_text(yaml.safe_dump(document))
        template = Path(folder) / TEMPLATE
        if settings:
            # JSON is YAML.
            template.write_text(json.dumps(with_settings(read_template(template), settings)))
        yield template


def deploy(
    aws: "LocalAws",
    detectors: Sequence[Detector],
    values: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> "Stack":
    """Deploy the application to a local AWS with these detectors, parameters and settings (`values`)."""
    declared = read_template(PROJECT / TEMPLATE)["Parameters"]
    parameters = {name: value for name, value in (values or {}).items() if name in declared}
    settings = {name: value for name, value in (values or {}).items() if name not in declared}
    with staged(detectors, settings) as template:
        return aws.deploy(template, stack_name="cutwatch", parameters=parameters, tags=tags or {})
