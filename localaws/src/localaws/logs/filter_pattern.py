"""Filter patterns of CloudWatch Logs: JSON patterns, and terms in text.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
Regular expressions and space-delimited patterns are refused by name.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<selector>\$(?:\.[A-Za-z0-9_-]+|\[\d+\]|\['[^']*'\])+)|(?P<operator>&&|\|\||!=|<=|>=|[=<>()])"
    r'|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()=<>!&|"]+))'
)
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']*)'\]")
_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_NUMERIC: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KEYWORDS: Mapping[str, Any] = {"TRUE": True, "FALSE": False, "NULL": None}

Test = Callable[[Any], bool]
Tokens = list[tuple[str, str]]


class FilterPattern:
    """A pattern. Raises `ValueError` if it is not valid, or of a kind that is not implemented."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern.strip()
        self.selectors: list[str] = []
        if self._text.startswith("[") or "%" in self._text:
            raise ValueError(
                "space-delimited patterns and regular expressions are not implemented by the local AWS"
            )
        self._is_json = self._text.startswith("{")
        self._test = self._parsed() if self._is_json else _terms(self._text)

    def matches(self, message: str) -> bool:
        """Return True if a message matches."""
        return self._test(document_of(message) if self._is_json else message)

    def extracted(self, message: str) -> dict[str, str]:
        """Return the values of the pattern's selectors in a message."""
        document = document_of(message)
        found = {each: select(document, each) for each in self.selectors}
        return {name: _text(value) for name, value in found.items() if value is not None}

    def _parsed(self) -> Test:
        if not self._text.endswith("}"):
            raise ValueError(f"{self._text!r} has no closing brace")
        tokens = _tokens(self._text[1:-1])
        self.selectors = list(dict.fromkeys(text for kind, text in tokens if kind == "selector"))
        test = _any(tokens)
        if tokens:
            raise ValueError(f"unexpected {tokens[0][1]!r}")
        return test


def document_of(message: str) -> Any:
    """Return a message's JSON; None if it is not JSON."""
    try:
        return json.loads(message)
    except ValueError:
        return None


def select(document: Any, selector: str) -> Any:
    """Return the value at a selector such as `$.request.items[0]`; None if there is none."""
    for name, index, quoted in _STEP.findall(selector):
        if index:
            document = document[int(index)] if isinstance(document, list) and int(index) < len(document) else None  # fmt: skip
        else:
            document = document.get(name or quoted) if isinstance(document, dict) else None
    return document


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _tokens(text: str) -> Tokens:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"unexpected {text[position:].strip()[:20]!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


def _any(tokens: Tokens) -> Test:
    tests = [_all(tokens)]
    while tokens and tokens[0] == ("operator", "||"):
        del tokens[0]
        tests.append(_all(tokens))
    return lambda document: any(test(document) for test in tests)


def _all(tokens: Tokens) -> Test:
    tests = [_one(tokens)]
    while tokens and tokens[0] == ("operator", "&&"):
        del tokens[0]
        tests.append(_one(tokens))
    return lambda document: all(test(document) for test in tests)


def _one(tokens: Tokens) -> Test:
    if not tokens:
        raise ValueError("the pattern ends where a condition is expected")
    if tokens[0] == ("operator", "("):
        del tokens[0]
        test = _any(tokens)
        if not tokens or tokens.pop(0) != ("operator", ")"):
            raise ValueError("a parenthesis is not closed")
        return test
    return _comparison(tokens)


def _comparison(tokens: Tokens) -> Test:
    (kind, selector), *_ = tokens
    if kind != "selector" or len(tokens) < 3:
        raise ValueError(f"expected a condition such as $.field = value at {tokens[0][1]!r}")
    (_, sign), (value_kind, value) = tokens[1:3]
    del tokens[:3]
    if (sign, value) == ("NOT", "EXISTS"):
        return lambda document: select(document, selector) is None
    if sign == "IS" and value in _KEYWORDS:
        return lambda document: _is(document, selector, _KEYWORDS[value])
    if sign in _NUMERIC:
        return _numeric(selector, sign, value)
    if sign in ("=", "!="):
        equal = _equal(selector, value, is_text=value_kind == "quoted")
        return equal if sign == "=" else lambda document: not equal(document)
    raise ValueError(f"{sign!r} is not an operator")


def _is(document: Any, selector: str, expected: Any) -> bool:
    parent = select(document, selector)
    return parent is expected


def _numeric(selector: str, sign: str, value: str) -> Test:
    try:
        limit = float(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a number") from None
    return lambda document: _is_number(found := select(document, selector)) and _NUMERIC[sign](found, limit)  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(selector: str, value: str, *, is_text: bool) -> Test:
    def equal(document: Any) -> bool:
        found = select(document, selector)
        if _is_number(found):
            return not is_text and _as_number(value) == found
        return isinstance(found, str) and fnmatchcase(found, value.replace("[", "[[]"))

    return equal


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _terms(text: str) -> Test:
    """Return the test of a pattern of terms: all of them, any of those with `?`, none of those with `-`."""
    terms = [(sign, quoted or word) for sign, quoted, word in _TERM.findall(text)]
    any_of = [term for sign, term in terms if sign == "?"]
    none_of = [term for sign, term in terms if sign == "-"]
    all_of = [term for sign, term in terms if not sign]

    def test(message: str) -> bool:
        return (
            all(term in message for term in all_of)
            and not any(term in message for term in none_of)
            and (not any_of or any(term in message for term in any_of))
        )

    return test
