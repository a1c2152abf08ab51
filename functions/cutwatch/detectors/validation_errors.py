"""Sentences for the errors of `detectors.yaml`: field, value, and what would be right."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, get_args, get_type_hints

from pydantic_core import ErrorDetails

from cutwatch.detectors.detector import Detector, Feature
from cutwatch.detectors.stream import Stream
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.detectors.yaml_document import YamlDocument
from cutwatch.errors import legible

TEMPLATE_FIELDS = ("for_each", "limit")
# The lists of the file: how errors name an entry, and its kind.
_SECTIONS = {
    "detectors": ("detector", Detector),
    "streams": ("stream", Stream),
    "tables": ("table", WatchedTable),
}
_WITH_FEATURES = ("detectors", "streams")
Path = tuple[int | str, ...]

_FEATURES = ", ".join(get_args(Feature))
_OTHER_NAMES = {
    "metricname": "metric",
    "stat": "statistic",
    "extendedstatistic": "statistic",
    "interval": "period",
    "timezone": "time_zone",
    "threshold": "cutoff",
    "id": "name",
    "title": "name",
    "math": "expression",
}
# Encodings of records that need a schema from elsewhere.
_OF_REGISTRIES = ("avro", "protobuf")
_QUOTED = re.compile(r"'([^']*)'")
_YAML_KINDS = {bool: "a truth value", int: "a number", float: "a number"}


class Mistake(NamedTuple):
    """A problem with the value at a path of the file."""

    path: Path
    problem: str


def mistakes_of(
    detail: ErrorDetails, document: YamlDocument, file_fields: Collection[str]
) -> Iterator[Mistake]:
    """Yield the mistakes of one validation error; a detector reports all its own errors together."""
    path = path_in_file(detail["loc"])
    if path[0] in _WITH_FEATURES and path[2:3] == ("features",):
        given = document.content[path[0]][path[1]]["features"]
        yield Mistake(
            path[:3], f"{given!r} is not allowed; expected auto, or a list of {_FEATURES}"
        )
    elif detail["type"] == "value_error":
        for line in str(detail["ctx"]["error"]).split("\n"):
            field, separator, problem = line.partition(": ")
            # Errors of nested objects begin with the value instead of a field.
            is_field = bool(separator) and all(part.isidentifier() for part in field.split("."))
            inside = tuple(field.split(".")) if is_field else ()
            yield Mistake((*path, *inside), problem if is_field else line)
    else:
        yield Mistake(path, _problem(detail, document, path, file_fields))


def path_in_file(location: tuple[int | str, ...]) -> Path:
    """Return Pydantic's location as a path in the file: without the entry's kind and the level of a template's pattern."""
    if location[:1] != ("detectors",) or len(location) < 3:  # noqa: PLR2004 - file, index, kind
        return location
    kind, inside = location[2], location[3:]
    inside = inside[1:] if kind == "template" and inside[:1] == ("pattern",) else inside
    return (*location[:2], *inside)


def designation(content: Mapping[str, Any], section: int | str, index: int | str) -> str:
    """Return the name of an entry in quotes, or its number in its list."""
    entry = content[str(section)][index]
    name = entry.get("name") if isinstance(entry, dict) else None
    return repr(name) if isinstance(name, str) else f"number {int(index) + 1}"


def sentence(mistake: Mistake, document: YamlDocument) -> str:
    """Return the line of a mistake: where it stands, the detector, the field and the problem."""
    path, subject = mistake.path, ""
    line = document.place(path).line
    if path[:1] and path[0] in _SECTIONS and len(path) > 1:
        kind, _ = _SECTIONS[str(path[0])]
        subject, path = f"{kind} {designation(document.content, *path[:2])}: ", path[2:]
    field = ".".join(map(legible, path))
    return f"line {line}: {subject}{field}{': ' if field else ''}{mistake.problem}"


def _problem(
    detail: ErrorDetails, document: YamlDocument, path: Path, file_fields: Collection[str]
) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "unexpected_keyword_argument":
            fields = _sibling_fields(path, file_fields)
            return f"is not a field; the fields are {', '.join(fields)}{_hint(path[-1], fields)}"
        case "string_type":
            return _not_text(detail["input"], document.place(path).text)
        case "dict_type" if path[-1] == "dimensions":
            return (
                f"{detail['input']!r} is not a mapping such as {{InstanceId: i-0123}}, "
                "or AWS's list of Name and Value with each name once"
            )
        case _:
            return _wrong_value(detail)


def _wrong_value(detail: ErrorDetails) -> str:
    given = detail["input"]
    match detail["type"]:
        case "literal_error":
            expected = detail["ctx"]["expected"]
            if str(given).lower() in _OF_REGISTRIES:
                return f"{given!r} is not read, nor are schema registries; have records written as JSON or as lines of text"
            return f"{given!r} is not allowed; expected {expected}{_hint(given, _QUOTED.findall(expected))}"
        case "dataclass_type":
            return f"must be a mapping of fields, not {given!r}"
        case _:
            message = detail["msg"].replace("tuple", "list")
            return f"{given!r}: {message[0].lower()}{message[1:]}"


def _not_text(given: Any, text: str | None) -> str:
    if given is None:
        return "has no value; expected text"
    kind = _YAML_KINDS.get(type(given))
    if kind is None:
        return f"{given!r}: input should be a valid string"
    shown = legible(given if text is None else text)
    return f'{shown} is {kind} in YAML; put it in quotes: "{shown}"'


def _hint(given: Any, valid: Collection[str]) -> str:
    """Return a question that names the valid word nearest to the given one; empty if none is near."""
    plain = {name.replace("_", "").lower(): name for name in valid}
    word = "".join(character for character in str(given).lower() if character.isalnum())
    other = _OTHER_NAMES.get(word)
    near = (
        [other] if other in valid else [plain[each] for each in get_close_matches(word, plain, n=1)]
    )
    return f"; did you mean {near[0]!r}?" if near else ""


def _sibling_fields(path: Path, file_fields: Collection[str]) -> list[str]:
    """Return the fields that are valid at the path of an unknown one."""
    if path[0] not in _SECTIONS:
        return list(file_fields)
    owner: Any = _SECTIONS[str(path[0])][1]
    for step in path[2:-1]:
        arguments = [each for each in get_args(owner) if each is not ...]
        owner = arguments[-1] if arguments else _present(get_type_hints(owner)[str(step)])
    names = list(owner.__dataclass_fields__)
    return [*names, *TEMPLATE_FIELDS] if owner is Detector else names


def _present(kind: Any) -> Any:
    """Return the type of an optional field's value."""
    kinds = [each for each in get_args(kind) if each is not type(None)]
    return kinds[0] if len(kinds) == 1 and len(get_args(kind)) > 1 else kind
