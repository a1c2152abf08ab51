"""Reading a place of a JSON record: JMESPath, without its interpreter where the place is a plain chain of names."""

from collections.abc import Callable, Sequence
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

Place = Callable[[Any], Any]


def compile_place(expression: str) -> Place:
    """Return a function that reads the place in a record, and returns None where the record has nothing there."""
    compiled = jmespath.compile(expression)  # type: ignore[no-untyped-call]
    names = _chain(compiled.parsed)
    if names is None:
        return _interpreted(compiled)
    return _field(names[0]) if len(names) == 1 else _nested(names)


def _chain(node: Any) -> list[str] | None:
    """Return the names of a chain such as `a.b.c`; None for any other expression."""
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] != "subexpression":
        return None
    parts = [_chain(child) for child in node["children"]]
    return None if None in parts else [name for part in parts for name in part or ()]


def _field(name: str) -> Place:
    def read(record: Any) -> Any:
        return record.get(name) if isinstance(record, dict) else None

    return read


def _nested(names: Sequence[str]) -> Place:
    def read(record: Any) -> Any:
        for name in names:
            if not isinstance(record, dict):
                return None
            record = record.get(name)
        return record

    return read


def _interpreted(compiled: Any) -> Place:
    def read(record: Any) -> Any:
        try:
            return compiled.search(record)
        except (JMESPathError, TypeError, ValueError, AttributeError):
            # A preprocessor may return values that JSON does not have.
            return None

    return read
