"""Reading of `detectors.yaml`: all its errors are reported together, before anything starts."""

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import yaml
from pydantic import BeforeValidator, Discriminator, Tag, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from cutwatch.detectors.detector import Detector, Engine, Feature
from cutwatch.detectors.templates import Configuration, DetectorTemplate
from cutwatch.errors import InvalidDetectors, legible

_FEATURES = ", ".join(get_args(Feature))


_OF_TEMPLATES = ("for_each", "limit")
_RENAMED_METHODS = {"likelihood": "adaptive"}


def _kind(entry: Any) -> str:
    """Return the kind of an entry, so that errors refer to the fields of that kind only."""
    is_template = isinstance(entry, dict) and any(name in entry for name in _OF_TEMPLATES)
    return "template" if is_template else "detector"


def _nested(entry: Any) -> Any:
    """Separate a template's own fields from those of its detectors."""
    own = {name: value for name, value in entry.items() if name in _OF_TEMPLATES}
    pattern = {name: value for name, value in entry.items() if name not in _OF_TEMPLATES}
    return own | {"pattern": pattern}


_Entry = Annotated[
    Annotated[Detector, Tag("detector")]
    | Annotated[DetectorTemplate, BeforeValidator(_nested), Tag("template")],
    Discriminator(_kind),
]


@dataclass(frozen=True)
class _DetectorsFile:
    """Content of the file; `engine` is the default of every entry."""

    detectors: list[_Entry]
    engine: Engine = "sagemaker"

    __pydantic_config__ = {"extra": "forbid"}


class _StrictLoader(yaml.SafeLoader):
    """Loader that rejects repeated keys, which YAML would silently overwrite."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, count in Counter(map(str, keys)).items():
            if count > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} appears {count} times", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _as_written(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    """Keep times and dates as text: YAML 1.1 reads `22:00` as the number 1320 and `2026-12-24` as a date."""
    is_time = node.tag.endswith("timestamp") or ":" in node.value
    return node.value if is_time else yaml.SafeLoader.yaml_constructors[node.tag](loader, node)


for _tag in ("timestamp", "int", "float"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _as_written)


def load_configuration(path: Path) -> Configuration:
    """Load the detectors and templates of a file, in its order.

    Raises `InvalidDetectors` with one line per error: detector, field, value and the allowed values.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDetectors(f"{path.name}: cannot be read: {error}") from None
    return parse_configuration(text, path.name)


def parse_configuration(text: str, source: str = "detectors.yaml") -> Configuration:
    """Parse the content of a detectors file. Raises `InvalidDetectors` like `load_configuration`."""
    document = _with_defaults(_parse_yaml(text, source))
    warnings = tuple(_rename_methods(document, source))
    try:
        entries = TypeAdapter(_DetectorsFile).validate_python(document).detectors
    except ValidationError as error:
        lines = [
            f"{source}: {sentence}"
            for detail in error.errors()
            for sentence in _sentences(detail, document)
        ]
        raise InvalidDetectors("\n".join(dict.fromkeys(lines))) from None
    if not entries:
        raise InvalidDetectors(f"{source}: detectors: is empty; add at least one detector")
    repeated = [name for name, n in Counter(entry.name for entry in entries).items() if n > 1]
    if repeated:
        lines = [f"{source}: detector {name!r}: name: is used more than once" for name in repeated]
        raise InvalidDetectors("\n".join(lines))
    return Configuration(
        tuple(entry for entry in entries if isinstance(entry, Detector)),
        tuple(entry for entry in entries if isinstance(entry, DetectorTemplate)),
        warnings,
    )


def _rename_methods(document: dict[str, Any], source: str) -> Iterator[str]:
    """Replace former names of cutoff methods; yield a warning for each."""
    entries = document.get("detectors")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        rule = entry.get("cutoff") if isinstance(entry, dict) else None
        if not isinstance(rule, dict):
            continue
        former = rule.get("method")
        if isinstance(former, str) and former in _RENAMED_METHODS:
            entry["cutoff"] = rule | {"method": _RENAMED_METHODS[former]}
            yield (
                f"{source}: detector {_designation(document, index)}: cutoff.method: {former!r} was renamed; "
                f"use {_RENAMED_METHODS[former]!r}"
            )


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    entries = document.get("detectors")
    if document.get("engine") not in get_args(Engine) or not isinstance(entries, list):
        return document
    default = {"engine": document["engine"]}
    filled = [default | entry if isinstance(entry, dict) else entry for entry in entries]
    return document | {"detectors": filled}


def _parse_yaml(text: str, source: str) -> Any:
    try:
        document = yaml.load(text, _StrictLoader)  # noqa: S506 - derives from SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        problem = getattr(error, "problem", None) or str(error) or type(error).__name__
        sentence = " ".join(problem.split())
        raise InvalidDetectors(f"{source}:{where} is not valid YAML: {sentence}") from None
    if not isinstance(document, dict):
        raise InvalidDetectors(f"{source}: expected 'detectors:' with a list")
    return document


def _sentences(detail: ErrorDetails, document: dict[str, Any]) -> list[str]:
    """Return the lines of one validation error; a detector reports all its own errors together."""
    location = list(detail["loc"])
    subject = ""
    if location[:1] == ["detectors"] and len(location) > 1 and isinstance(location[1], int):
        subject = f"detector {_designation(document, location[1])}: "
        location = _as_in_the_file(location)
    if subject and location[:1] == ["features"]:
        given = document["detectors"][detail["loc"][1]]["features"]
        return [
            f"{subject}features: {given!r} is not allowed; expected auto, or a list of {_FEATURES}"
        ]
    field = ".".join(map(legible, location))
    prefix = f"{subject}{field}{': ' if field else ''}"
    return [f"{prefix}{problem}" for problem in _problem(detail).split("\n")]


def _as_in_the_file(location: list[int | str]) -> list[int | str]:
    """Return the location in the file: without the entry's index and kind, and without `_nested`'s level."""
    kind, inside = location[2], location[3:]
    return inside[1:] if kind == "template" and inside[:1] == ["pattern"] else inside


def _designation(document: dict[str, Any], index: int) -> str:
    entry = document["detectors"][index]
    name = entry.get("name") if isinstance(entry, dict) else None
    return repr(name) if isinstance(name, str) else f"number {index + 1}"


def _sibling_fields(location: tuple[int | str, ...]) -> list[str]:
    """Return the fields that are valid at the location of an unknown one."""
    if location[:1] != ("detectors",):
        return list(_DetectorsFile.__dataclass_fields__)
    inside = _as_in_the_file(list(location))
    owner: Any = Detector
    for step in inside[:-1]:
        arguments = [each for each in get_args(owner) if each is not ...]
        owner = arguments[-1] if arguments else get_type_hints(owner)[str(step)]
    names = list(owner.__dataclass_fields__)
    return [*names, *_OF_TEMPLATES] if owner is Detector else names


def _problem(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "unexpected_keyword_argument":
            return f"is not a field; the fields are {', '.join(_sibling_fields(detail['loc']))}"
        case "literal_error":
            return f"{detail['input']!r} is not allowed; expected {detail['ctx']['expected']}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "dataclass_type":
            return f"must be a mapping of fields, not {detail['input']!r}"
        case _:
            message = detail["msg"].replace("tuple", "list")
            return f"{detail['input']!r}: {message[0].lower()}{message[1:]}"
