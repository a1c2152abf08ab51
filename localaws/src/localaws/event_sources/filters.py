"""Filter criteria: patterns that a record's event has to match to reach the function."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localaws.api_response import ApiError
from localaws.limits import LAMBDA_MAPPING_MAX_FILTERS

Predicate = Callable[[Mapping[str, Any]], bool]
_PATTERN_MAX_LENGTH = 4_096
_MISSING = object()


def predicate(criteria: Mapping[str, Any] | None) -> Predicate:
    """Return whether an event passes: any of the patterns, or all events without one. Refuse what is not a pattern."""
    filters = (criteria or {}).get("Filters") or []
    if len(filters) > LAMBDA_MAPPING_MAX_FILTERS:
        raise ApiError(
            "InvalidParameterValueException",
            f"FilterCriteria has {len(filters)} filters; at most {LAMBDA_MAPPING_MAX_FILTERS} "
            "are allowed.",
        )
    patterns = [_parse(each.get("Pattern", "")) for each in filters]
    if not patterns:
        return lambda _: True
    return lambda event: any(_matches(event, pattern) for pattern in patterns)


def kinesis_view(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a pattern sees of a record of Kinesis: its metadata, and its data as JSON, or as text."""
    record = event["kinesis"]
    content = base64.b64decode(record["data"])
    view = {**event, **record}
    del view["data"]
    try:
        return view | {"data": json.loads(content)}
    except ValueError:
        return view | {"data": content.decode(errors="replace")}


def _parse(text: str) -> Mapping[str, Any]:
    try:
        pattern = json.loads(text)
    except ValueError:
        pattern = None
    if len(text) > _PATTERN_MAX_LENGTH or not _is_pattern(pattern):
        raise ApiError("InvalidParameterValueException", "Invalid filter pattern definition.")
    return pattern  # type: ignore[no-any-return]


def _is_pattern(pattern: Any) -> bool:
    """Return whether a value consists of objects, whose leaves are lists of rules that are known."""
    if not isinstance(pattern, Mapping) or not pattern:
        return False
    return all(_is_field(name, rules) for name, rules in pattern.items())


def _is_field(name: str, rules: Any) -> bool:
    if name == "$or":
        return isinstance(rules, list) and all(_is_pattern(each) for each in rules)
    if isinstance(rules, list):
        return bool(rules) and all(_is_rule(rule) for rule in rules)
    return _is_pattern(rules)


def _is_rule(rule: Any) -> bool:
    if isinstance(rule, Mapping):
        return len(rule) == 1 and next(iter(rule)) in _RULES
    return rule is None or isinstance(rule, (str, int, float))


def _matches(value: Any, pattern: Mapping[str, Any]) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(_field_matches(value, name, rules) for name, rules in pattern.items())


def _field_matches(value: Mapping[str, Any], name: str, rules: Any) -> bool:
    if name == "$or":
        return any(_matches(value, each) for each in rules)
    found = value.get(name, _MISSING)
    if isinstance(rules, Mapping):
        return _matches(found, rules)
    candidates = found if isinstance(found, list) else [found]
    return any(_rule_matches(each, rule) for each in candidates for rule in rules)


def _rule_matches(value: Any, rule: Any) -> bool:
    if isinstance(rule, Mapping):
        ((kind, argument),) = rule.items()
        return _RULES[kind](value, argument)
    if _is_number(value) and _is_number(rule):
        return bool(value == rule)
    return type(value) is type(rule) and bool(value == rule)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numeric(value: Any, comparisons: Sequence[Any]) -> bool:
    if not _is_number(value):
        return False
    pairs = zip(comparisons[::2], comparisons[1::2], strict=True)
    return all(_COMPARE[operator](value, bound) for operator, bound in pairs)


def _anything_but(value: Any, refused: Any) -> bool:
    if value is _MISSING:
        return False
    if isinstance(refused, Mapping):
        return not _rule_matches(value, refused)
    return value not in (refused if isinstance(refused, list) else [refused])


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "exists": lambda value, wanted: (value is not _MISSING) == wanted,
    "prefix": lambda value, start: isinstance(value, str) and value.startswith(start),
    "suffix": lambda value, end: isinstance(value, str) and value.endswith(end),
    "equals-ignore-case": lambda value, text: (
        isinstance(value, str) and value.lower() == text.lower()
    ),
    "numeric": _numeric,
    "anything-but": _anything_but,
}
