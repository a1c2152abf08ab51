"""Forms of entries that are rewritten before validation: the file's defaults, former names, AWS's lists of dimensions."""

from collections.abc import Iterator
from typing import Any, get_args

from cutwatch.detectors.detector import Engine, Publish
from cutwatch.detectors.validation_errors import Mistake, Path

_RENAMED_METHODS = {"likelihood": "adaptive"}
# Fields that the file may set for every entry, with what each allows.
_DEFAULTS = {"engine": get_args(Engine), "live": (True, False), "publish": get_args(Publish)}
_AWS_PAIR = {"Name", "Value"}


def with_defaults(content: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the file's defaults in each entry; entries are copies, for aliases share them."""
    entries = content.get("detectors")
    if not isinstance(entries, list):
        return content
    # A value that is not allowed is a mistake of the file, not of every entry.
    default = {
        name: content[name]
        for name, allowed in _DEFAULTS.items()
        if isinstance(content.get(name), type(allowed[0])) and content[name] in allowed
    }
    filled = [_with(default, entry) if isinstance(entry, dict) else entry for entry in entries]
    return content | {"detectors": filled}


def _with(default: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with the file's defaults; `publish` is for live entries only."""
    if not (default | entry).get("live"):
        default = {name: value for name, value in default.items() if name != "publish"}
    return default | entry


def entries_of(
    content: dict[str, Any], section: str = "detectors"
) -> list[tuple[Path, dict[str, Any]]]:
    """Return the entries of a list that are mappings, each with its path in the file."""
    entries = content.get(section)
    return [
        ((section, index), entry)
        for index, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    ]


def rename_methods(content: dict[str, Any]) -> Iterator[Mistake]:
    """Replace former names of cutoff methods; yield a warning for each."""
    for path, entry in entries_of(content):
        rule = entry.get("cutoff")
        former = rule.get("method") if isinstance(rule, dict) else None
        if isinstance(former, str) and former in _RENAMED_METHODS:
            method = _RENAMED_METHODS[former]
            entry["cutoff"] = {**rule, "method": method}  # type: ignore[dict-item]
            yield Mistake((*path, "cutoff", "method"), f"{former!r} was renamed; use {method!r}")


def rewrite_dimensions(content: dict[str, Any]) -> None:
    """Replace AWS's lists of Name and Value by mappings."""
    for _, entry in entries_of(content):
        metrics = entry.get("metrics")
        if isinstance(metrics, dict):
            entry["metrics"] = {name: _with_mapping(metric) for name, metric in metrics.items()}
        entry.update(_with_mapping(entry))


def rewrite_values(content: dict[str, Any]) -> None:
    """Replace a list of values by a mapping: the names are the places."""
    for _, entry in entries_of(content, "streams"):
        record = entry.get("record")
        if isinstance(record, dict):
            entry["record"] = _with_named_values(record)
    for _, entry in entries_of(content, "tables"):
        entry.update(_with_named_values(entry))


def _with_named_values(owner: dict[str, Any]) -> dict[str, Any]:
    names = owner.get("values")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return owner
    if len(set(names)) < len(names):
        return owner
    return owner | {"values": dict(zip(names, names, strict=True))}


def _with_mapping(owner: Any) -> Any:
    listed = owner.get("dimensions") if isinstance(owner, dict) else None
    if not isinstance(listed, list) or not all(_is_pair(each) for each in listed):
        return owner
    mapping = {each["Name"]: each["Value"] for each in listed}
    return owner | {"dimensions": mapping} if len(mapping) == len(listed) else owner


def _is_pair(item: Any) -> bool:
    return isinstance(item, dict) and set(item) == _AWS_PAIR and isinstance(item["Name"], str)
