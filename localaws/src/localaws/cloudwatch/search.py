"""SEARCH: metrics found by their namespaces, names and dimensions, as "CloudWatch search expression syntax" says.

Where that page is silent: AND binds before OR; a schema with dimensions finds the metrics that have these and no others; a
schema that is a namespace alone finds all metrics of it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.time_series import WrongExpression
from localaws.limits import SEARCH_MAX_LENGTH

Condition = Callable[[MetricKey], bool]

_SCHEMA = re.compile(r"\s*\{([^}]*)\}\s*,?")
_NAME = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",{}]+))\s*')
_TERM = re.compile(
    r'\s*(?:(?P<bracket>[()])|(?P<equals>=)|"(?P<exact>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()"=]+))\s*'
)
_ESCAPE = re.compile(r"\\(.)")
_TOKEN = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_WORD = re.compile(r"[A-Za-z0-9]+")
_DEEPEST = 50


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str

    def is_operator(self, *names: str) -> bool:
        return self.kind == "word" and self.text in names


def found(search: str, metrics: list[MetricKey]) -> list[MetricKey]:
    """Those of the metrics that the text in a SEARCH's first quotes finds; raises `WrongExpression`."""
    if len(search) > SEARCH_MAX_LENGTH:
        raise WrongExpression(f"A search has at most {SEARCH_MAX_LENGTH} characters")
    conditions = []
    schema = _SCHEMA.match(search)
    if schema:
        conditions.append(_in_schema(schema[1]))
    term = search[schema.end() if schema else 0 :]
    if term.strip():
        conditions.append(_Parser(list(_tokens(term))).condition())
    if not conditions:
        raise WrongExpression("A search has a schema, a search term or both")
    return [key for key in metrics if all(holds(key) for holds in conditions)]


def words_of(text: str) -> list[str]:
    """`CustomCount1` is `Custom`, `Count`, `1`; whatever is no letter or digit stands between words."""
    return _TOKEN.findall(text)


def _in_schema(schema: str) -> Condition:
    names = []
    for part in _split(schema):
        name = _NAME.fullmatch(part)
        if name is None:
            raise WrongExpression(f"Invalid metric schema {{{schema}}}")
        names.append(_unescaped(name[1]) if name[1] is not None else name[2])
    namespace, *dimensions = names
    wanted = set(dimensions)

    def holds(key: MetricKey) -> bool:
        own = {name for name, _ in key.dimensions}
        return key.namespace == namespace and (not wanted or own == wanted)

    return holds


def _split(schema: str) -> list[str]:
    """At commas outside of quotes."""
    parts = re.findall(r'((?:"(?:[^"\\]|\\.)*"|[^,"])*)(?:,|$)', schema)
    return parts if schema.endswith(",") else parts[:-1] or [""]


def _tokens(term: str) -> Iterator[_Token]:
    end = 0
    while end < len(term):
        token = _TERM.match(term, end)
        if token is None:
            raise WrongExpression(f"Invalid search term at position {end}: {term[end:][:20]!r}")
        end = token.end()
        kind = str(token.lastgroup)
        yield _Token(kind, _unescaped(token[kind]) if kind == "exact" else token[kind])


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


class _Parser:
    """OR of ANDs of terms; two terms without an operator between them are an AND."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._open = 0

    def condition(self) -> Condition:
        holds = self._any()
        if self._peek():
            raise WrongExpression(f"Invalid search term near {self._tokens[self._at].text!r}")
        return holds

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> _Token:
        token = self._peek()
        if token is None:
            raise WrongExpression("The search term ends where something is still to come")
        self._at += 1
        return token

    def _takes(self, *operators: str) -> bool:
        token = self._peek()
        taken = token is not None and token.is_operator(*operators)
        self._at += taken
        return taken

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._takes("OR"):
            parts.append(self._all())
        return lambda key: any(holds(key) for holds in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._continues():
            self._takes("AND")
            parts.append(self._one())
        return lambda key: all(holds(key) for holds in parts)

    def _continues(self) -> bool:
        token = self._peek()
        return token is not None and token.text != ")" and not token.is_operator("OR")

    def _one(self) -> Condition:
        if self._takes("NOT"):
            inner = self._one()
            return lambda key: not inner(key)
        token = self._next()
        if token.kind == "bracket":
            return self._group(token)
        if token.kind == "equals" or token.is_operator("AND", "OR"):
            raise WrongExpression(f"Invalid search term near {token.text!r}")
        following = self._peek()
        if following and following.kind == "equals":
            self._at += 1
            return _with_property(token.text, _matches(self._next()))
        matches = _matches(token)
        return lambda key: any(map(matches, _texts(key)))

    def _group(self, bracket: _Token) -> Condition:
        self._open += 1
        if bracket.text == ")" or self._open > _DEEPEST:
            raise WrongExpression("Invalid brackets in the search term")
        holds = self._any()
        if self._next().text != ")":
            raise WrongExpression("A bracket of the search term is not closed")
        self._open -= 1
        return holds


def _with_property(name: str, matches: Callable[[str], bool]) -> Condition:
    if name.startswith(":"):
        raise WrongExpression(f"The local CloudWatch does not implement {name} of a search")

    def holds(key: MetricKey) -> bool:
        values = {"MetricName": key.name, "Namespace": key.namespace, **dict(key.dimensions)}
        return name in values and matches(values[name])

    return holds


def _texts(key: MetricKey) -> Iterator[str]:
    yield from (key.namespace, key.name)
    for pair in key.dimensions:
        yield from pair


def _matches(token: _Token) -> Callable[[str], bool]:
    if token.kind == "exact":
        return lambda text: text == token.text
    if token.kind != "word" or not _WORD.search(token.text):
        raise WrongExpression(f"Invalid search term near {token.text!r}")
    return lambda text: _is_part(token.text, text)


def _is_part(term: str, text: str) -> bool:
    """Whether the words of the term stand next to each other in the text.

    Case does not matter to one word alone, nor to words that are parted by other characters; to words that are told apart
    by their case it does.
    """
    parts = _WORD.findall(term)
    words, own = words_of(term), words_of(text)
    if len(parts) == 1 and term.lower() == "".join(own).lower() and term in (term.lower(), text):
        return True
    if len(words) == 1 or len(parts) > 1:
        words, own = [w.lower() for w in words], [w.lower() for w in own]
    size = len(words)
    return any(own[at : at + size] == words for at in range(len(own) - size + 1))
