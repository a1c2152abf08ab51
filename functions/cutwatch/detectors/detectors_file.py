"""Reading of `detectors.yaml`: all its errors are reported together, before anything starts."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag, TypeAdapter, ValidationError

from cutwatch.detectors.cold_start import cold_start_problems
from cutwatch.detectors.detector import Detector, Engine, Publish
from cutwatch.detectors.entry_forms import (
    entries_of,
    rename_methods,
    rewrite_dimensions,
    rewrite_values,
    with_defaults,
)
from cutwatch.detectors.plausibility import doubts, doubts_of_table, stream_doubts
from cutwatch.detectors.stream import Stream
from cutwatch.detectors.templates import Configuration, DetectorTemplate
from cutwatch.detectors.validation_errors import (
    TEMPLATE_FIELDS,
    Mistake,
    mistakes_of,
    sentence,
)
from cutwatch.detectors.validation_errors import Path as FieldPath
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.detectors.yaml_document import YamlDocument, parse_yaml
from cutwatch.errors import InvalidDetectors

# Errors hide others in the same detector; each pass finds those behind the errors of the one before.
_PASSES = 4
_ENTRY = ("detectors", 0)
_REQUIRED: dict[int | str, str] = {"name": "stand-in", "for_each": "StandIn"}
_METRIC = {"namespace": "StandIn", "metric": "StandIn", "statistic": "Sum"}


def _kind(entry: Any) -> str:
    """Return the kind of an entry, so that errors refer to the fields of that kind only."""
    is_template = isinstance(entry, dict) and any(name in entry for name in TEMPLATE_FIELDS)
    return "template" if is_template else "detector"


def _nested(entry: Any) -> Any:
    """Separate a template's own fields from those of its detectors."""
    own = {name: value for name, value in entry.items() if name in TEMPLATE_FIELDS}
    pattern = {name: value for name, value in entry.items() if name not in TEMPLATE_FIELDS}
    return own | {"pattern": pattern}


_Entry = Annotated[
    Annotated[Detector, Tag("detector")]
    | Annotated[DetectorTemplate, BeforeValidator(_nested), Tag("template")],
    Discriminator(_kind),
]


@dataclass(frozen=True)
class _DetectorsFile:
    """Content of the file; `engine`, `live` and `publish` are the defaults of every detector."""

    detectors: list[_Entry]
    engine: Engine = "sagemaker"
    live: bool = False
    publish: Publish = "events"
    streams: list[Stream] = field(default_factory=list)
    tables: list[WatchedTable] = field(default_factory=list)

    __pydantic_config__ = {"extra": "forbid"}


def load_configuration(path: Path) -> Configuration:
    """Load the detectors, templates, streams and tables of a file, in its order.

    Raises `InvalidDetectors` with one line per error: line, detector, field, value and the allowed values.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidDetectors(f"{path.name}: cannot be read: {error}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidDetectors(
            f"{path.name}: cannot be read: line {line} is not UTF-8 text; save the file as UTF-8"
        ) from None
    return parse_configuration(text, path.name)


def parse_configuration(text: str, source: str = "detectors.yaml") -> Configuration:
    """Parse the content of a detectors file. Raises `InvalidDetectors` like `load_configuration`."""
    document = parse_yaml(text, source)
    if not isinstance(document.content, dict):
        raise InvalidDetectors(f"{source}: expected 'detectors:' with a list")
    for name in document.anchors - set(_DetectorsFile.__dataclass_fields__):
        # A place for anchors, whatever its name.
        document.content.pop(name, None)
    given = with_defaults(_with_detectors(document.content))
    warnings = [*rename_methods(given)]
    rewrite_dimensions(given)
    rewrite_values(given)
    content, mistakes = _validated(given, document)
    lines = [f"line {line}: {problem}" for line, problem in document.problems]
    mistakes += _cold_start_mistakes(content)
    lines += [sentence(each, document) for each in (*mistakes, *_repeated_names(given))]
    if lines:
        raise InvalidDetectors("\n".join(f"{source}: {line}" for line in dict.fromkeys(lines)))
    entries = content.detectors
    if not (entries or content.streams or content.tables):
        raise InvalidDetectors(f"{source}: detectors: is empty; add at least one detector")
    warnings += _doubts(content)
    return Configuration(
        tuple(entry for entry in entries if isinstance(entry, Detector)),
        tuple(entry for entry in entries if isinstance(entry, DetectorTemplate)),
        tuple(f"{source}: {sentence(each, document)}" for each in warnings),
        tuple(content.streams),
        tuple(content.tables),
    )


def _cold_start_mistakes(content: _DetectorsFile) -> Iterator[Mistake]:
    """Yield why streams cannot begin with the forests of the detectors that they name."""
    entries = {each.name: each for each in content.detectors}
    for number, stream in enumerate(content.streams):
        for problem in cold_start_problems(stream, entries):
            yield Mistake(("streams", number, "cold_start"), problem)


def _doubts(content: _DetectorsFile) -> Iterator[Mistake]:
    """Yield the warnings about all entries."""
    for number, entry in enumerate(content.detectors):
        detector = entry if isinstance(entry, Detector) else entry.pattern
        yield from doubts(detector, ("detectors", number))
    for number, stream in enumerate(content.streams):
        yield from stream_doubts(stream, ("streams", number))
    for number, table in enumerate(content.tables):
        yield from doubts_of_table(table, ("tables", number))


def _with_detectors(content: dict[str, Any]) -> dict[str, Any]:
    """Return the document with an empty list of detectors if it has streams or tables only."""
    return {"detectors": []} | content if {"streams", "tables"} & content.keys() else content


def _validated(
    given: dict[str, Any], document: YamlDocument
) -> tuple[_DetectorsFile, list[Mistake]]:
    """Return the content, without entries if there are mistakes, and the mistakes of all entries."""
    mistakes: list[Mistake] = []
    pending = given
    for _ in range(_PASSES):
        content, found = _one_pass(pending, document)
        known = {each.path for each in mistakes}
        new = [each for each in found if each.path not in known]
        mistakes += new
        if not new:
            return (_DetectorsFile([]) if mistakes else content), mistakes
        pending = copy.deepcopy(pending)
        for each in new:
            _stand_in(pending, each.path)
    return _DetectorsFile([]), mistakes


def _one_pass(
    content: dict[str, Any], document: YamlDocument
) -> tuple[_DetectorsFile, list[Mistake]]:
    fields = _DetectorsFile.__dataclass_fields__
    try:
        return _adapter().validate_python(content), []
    except ValidationError as error:
        details = error.errors()
        found = [each for detail in details for each in mistakes_of(detail, document, fields)]
        return _DetectorsFile([]), found


@cache
def _adapter() -> TypeAdapter[_DetectorsFile]:
    """Return the validator of detectors files; building it takes longer than most validations."""
    return TypeAdapter(_DetectorsFile)


def _stand_in(content: dict[str, Any], path: FieldPath) -> None:
    """Remove an invalid value of an entry, or replace it where one is required."""
    steps = (*path[:2], *_up_to_list(path[2:]))
    owner = _value_at(content, steps[:-1])
    if not isinstance(owner, dict) or len(steps) <= len(_ENTRY):
        return
    field, last = steps[len(_ENTRY)], steps[-1]
    if field != last and field == "metrics":
        is_metric = steps[-2] == "metrics"
        owner[last] = _METRIC if is_metric else _METRIC.get(str(last), {})
    elif last in _REQUIRED:
        owner[last] = _REQUIRED[last]
    else:
        owner.pop(last, None)


def _value_at(content: Any, steps: FieldPath) -> Any:
    for step in steps:
        known = step in content if isinstance(content, dict) else isinstance(content, list)
        if not known:
            return None
        content = content[step]
    return content


def _up_to_list(steps: FieldPath) -> FieldPath:
    first = next((n for n, step in enumerate(steps) if isinstance(step, int)), len(steps))
    return steps[:first]


def _repeated_names(content: dict[str, Any]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for path, entry in (
        each
        for section in ("detectors", "streams", "tables")
        for each in entries_of(content, section)
    ):
        name = entry.get("name")
        if isinstance(name, str) and name in seen:
            yield Mistake((*path, "name"), "is used more than once")
        elif isinstance(name, str):
            seen.add(name)
