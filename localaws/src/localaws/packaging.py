"""Local artefacts of a SAM template, uploaded and referred to by their S3 location."""

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localaws.template_file import Template, read_template

_EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)
_REMOTE = ("s3://", "https://")
_NEVER_PACKAGED = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".DS_Store"}
_DIRECTORIES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
_FILES = {"AWS::Serverless::StateMachine": "DefinitionUri"}
# A property of a property.
_FILES_INSIDE = {"AWS::Glue::Job": ("Command", "ScriptLocation")}
_TEMPLATES = {
    "AWS::CloudFormation::Stack": "TemplateURL",
    "AWS::Serverless::Application": "Location",
}


class Packager:
    """Uploads what a template names by local path, each content once."""

    def __init__(self, s3: Any, bucket: str, root: Path) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._root = root
        self._uploaded: dict[str, str] = {}

    def package(self, template: Template) -> Template:
        """Return the template with S3 locations for local paths."""
        packaged = copy.deepcopy(template)
        shared = packaged.get("Globals", {}).get("Function", {})
        for resource in [
            {"Type": "AWS::Serverless::Function", "Properties": shared},
            *_resources(packaged),
        ]:
            properties = resource.get("Properties", {})
            if name := _DIRECTORIES.get(resource["Type"]):
                self._replace(properties, name, zip_directory)
            if name := _FILES.get(resource["Type"]):
                self._replace(properties, name, Path.read_bytes)
            if inside := _FILES_INSIDE.get(resource["Type"]):
                self._replace(properties.get(inside[0], {}), inside[1], Path.read_bytes)
            if name := _TEMPLATES.get(resource["Type"]):
                self._replace_template(properties, name)
        return packaged

    def upload_template(self, template: Template) -> str:
        """Upload a template and return the URL that CloudFormation reads it from."""
        uri = self.upload(json.dumps(template).encode(), ".template")
        return uri.replace("s3://", "https://s3.amazonaws.com/")

    def upload(self, content: bytes, suffix: str) -> str:
        """Store content under its own hash and return its URI."""
        key = f"{hashlib.sha256(content).hexdigest()}{suffix}"
        if key not in self._uploaded:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
            self._uploaded[key] = f"s3://{self._bucket}/{key}"
        return self._uploaded[key]

    def _replace(self, properties: dict[str, Any], name: str, read: Any) -> None:
        if path := self._local_path(properties, name):
            suffix = ".zip" if path.is_dir() else path.suffix
            properties[name] = self.upload(read(path), suffix)

    def _replace_template(self, properties: dict[str, Any], name: str) -> None:
        """Package a nested template, whose paths are relative to itself."""
        if path := self._local_path(properties, name):
            nested = Packager(self._s3, self._bucket, path.parent)
            properties[name] = self.upload_template(nested.package(read_template(path)))

    def _local_path(self, properties: dict[str, Any], name: str) -> Path | None:
        location = properties.get(name)
        if not isinstance(location, str) or location.startswith(_REMOTE):
            return None
        path = self._root / location
        if not path.exists():
            raise FileNotFoundError(f"{name} {location} does not exist in {self._root}")
        return path


def zip_directory(directory: Path) -> bytes:
    """Archive a directory without caches, the same bytes for the same content."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for path in sorted(directory.rglob("*")):
            name = path.relative_to(directory)
            if path.is_file() and not _NEVER_PACKAGED.intersection(name.parts):
                entry = zipfile.ZipInfo(name.as_posix(), _EPOCH_OF_ZIP)
                entry.external_attr = 0o644 << 16
                package.writestr(entry, path.read_bytes())
    return archive.getvalue()


def _resources(template: Template) -> Iterator[dict[str, Any]]:
    yield from template["Resources"].values()
