"""Payloads read into dataclasses; errors name the field, its value and the expected value.

Fields are validated by their type hints, as in Pydantic, which functions do without: it takes longer to import than
most of them take to work.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from reprlib import Repr
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Len, Lt

from cutwatch.errors import InvalidInput

Kind = TypeVar("Kind")

_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
_shown = Repr()
_shown.maxstring = _shown.maxother = 60


def read(kind: type[Kind], value: Any, field: str) -> Kind:
    """Read `value` as a dataclass; unknown fields are ignored. Raises `InvalidInput`."""
    found: Kind = _read(kind, value, field)
    return found


def read_all(kind: type[Kind], values: Any, field: str) -> list[Kind]:
    """Read a list of values as dataclasses. Raises `InvalidInput`."""
    if not isinstance(values, list):
        raise _refusal(field, values, "a list")
    return [read(kind, value, f"{field}[{number}]") for number, value in enumerate(values)]


def _read(kind: Any, value: Any, field: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _read_dataclass(kind, value, field)
    if origin is Annotated:
        return _bounded(_read(arguments[0], value, field), value, kind, field)
    if origin in (Union, UnionType):
        return _read_any(kind, value, field)
    if origin is dict:
        return _read_mapping(kind, value, field)
    if origin is tuple:
        return _read_sequence(kind, value, field)
    return _read_scalar(kind, value, field)


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _read_dataclass(kind: Any, value: Any, field: str) -> Any:
    if not isinstance(value, Mapping):
        raise _refusal(field, value, "an object")
    known = {}
    for each in fields(kind):
        place = f"{field}.{each.name}"
        if each.name in value:
            known[each.name] = _read(_hints(kind)[each.name], value[each.name], place)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise InvalidInput(f"{place} is missing; expected {_words(_hints(kind)[each.name])}")
    try:
        return kind(**known)
    except ValueError as error:
        raise InvalidInput(
            "\n".join(f"{field}.{line}" for line in str(error).split("\n"))
        ) from None


def _read_any(kind: Any, value: Any, field: str) -> Any:
    """Read the value as the first kind that fits."""
    for option in get_args(kind):
        try:
            return _read(option, value, field)
        except InvalidInput:
            continue
    raise _refusal(field, value, _words(kind))


def _read_mapping(kind: Any, value: Any, field: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise _refusal(field, value, _words(kind))
    name, member = get_args(kind)
    return {
        _read(name, key, f"a name in {field}"): _read(member, each, f"{field}.{_shown.repr(key)}")
        for key, each in value.items()
    }


def _read_sequence(kind: Any, value: Any, field: str) -> tuple[Any, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise _refusal(field, value, _words(kind))
    (member, _) = get_args(kind)
    return tuple(_read(member, each, f"{field}[{number}]") for number, each in enumerate(value))


def _read_scalar(kind: Any, value: Any, field: str) -> Any:
    if not _fits(kind, value):
        raise _refusal(field, value, _words(kind))
    return value


def _fits(kind: Any, value: Any) -> bool:
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
    if kind is str:
        return isinstance(value, str) and _is_text(value)
    return type(value) is kind


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _is_text(value: str) -> bool:
    """Return False for unpaired surrogates, which JSON allows but requests to AWS cannot contain."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _bounded(found: Any, value: Any, kind: Any, field: str) -> Any:
    for bound in kind.__metadata__:
        if not _within(bound, found):
            raise _refusal(field, value, _words(kind))
    return found


def _within(bound: Any, found: Any) -> bool:
    match bound:
        case Ge():
            return bool(found >= bound.ge)
        case Gt():
            return bool(found > bound.gt)
        case Le():
            return bool(found <= bound.le)
        case Lt():
            return bool(found < bound.lt)
        case Len():
            most = math.inf if bound.max_length is None else bound.max_length
            return bool(bound.min_length <= len(found) <= most)
    raise TypeError(f"{bound!r} is not a supported bound")


def _words(kind: Any) -> str:
    """Describe the expected value."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return ", ".join([_words(arguments[0]), *filter(None, map(_bound_words, arguments[1:]))])
    if origin is Literal:
        return f"one of {', '.join(arguments)}" if len(arguments) > 1 else str(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join("null" if each is NoneType else _words(each) for each in arguments)
    if origin is tuple:
        return f"a list of: {_words(arguments[0])}"
    return _WORDS.get(kind, "an object")


def _bound_words(bound: Any) -> str:
    match bound:
        case Len():
            return f"of a length from {bound.min_length} to {bound.max_length}"
        case Ge():
            return f"{bound.ge} or more"
        case Gt():
            return f"more than {bound.gt}"
        case Le():
            return f"at most {bound.le}"
    return ""


def _refusal(field: str, value: Any, expected: str) -> InvalidInput:
    return InvalidInput(f"{field} is {_shown.repr(value)}; expected {expected}")
