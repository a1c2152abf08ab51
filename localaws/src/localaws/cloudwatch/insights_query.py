"""The query language of CloudWatch Metrics Insights, as AWS's "Query components and syntax" describes it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyparsing as pp

from localaws.cloudwatch.time_series import WrongExpression

INSIGHTS_MAX_SERIES = 500
_FUNCTIONS = {
    "AVG": "Average",
    "COUNT": "SampleCount",
    "MAX": "Maximum",
    "MIN": "Minimum",
    "SUM": "Sum",
}
_KEYWORDS = (
    "SELECT",
    "FROM",
    "SCHEMA",
    "WHERE",
    "AND",
    "GROUP",
    "BY",
    "ORDER",
    "ASC",
    "DESC",
    "LIMIT",
)
_SELECT = re.compile(r"\s*SELECT\s+(?!(?:AND|OR)\b)\w", re.IGNORECASE)
_RESERVED = frozenset([*_KEYWORDS, *_FUNCTIONS])


@dataclass(frozen=True)
class Condition:
    """`key = 'value'`, or `key != 'value'`."""

    key: str
    equal: bool
    value: str


@dataclass(frozen=True)
class InsightsQuery:
    """One query; `schema` is the exact set of dimensions that metrics must have, None for any.

    Statistics are named as GetMetricStatistics names them. `order_by` is None without an ORDER BY.
    """

    statistic: str
    metric: str
    namespace: str
    schema: frozenset[str] | None = None
    conditions: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    order_by: str | None = None
    descending: bool = False
    limit: int = INSIGHTS_MAX_SERIES


def is_insights_query(expression: str) -> bool:
    """Whether an expression is no metric math; there, `select` can be the Id of a query."""
    return _SELECT.match(expression) is not None


@lru_cache(maxsize=256)
def parse(text: str) -> InsightsQuery:
    """The query that a text spells; raises `WrongExpression`."""
    try:
        parsed = _GRAMMAR.parse_string(text, parse_all=True).as_dict()
    except pp.ParseException as error:
        near = text[error.loc :][:20]
        raise WrongExpression(f"Invalid query at position {error.loc}: {near!r}") from None
    return _query(parsed)


def _query(parsed: dict[str, Any]) -> InsightsQuery:
    limit = int(parsed.get("limit", INSIGHTS_MAX_SERIES))
    if not 1 <= limit <= INSIGHTS_MAX_SERIES:
        raise WrongExpression(f"LIMIT must be between 1 and {INSIGHTS_MAX_SERIES}, not {limit}")
    schema = parsed.get("schema")
    return InsightsQuery(
        statistic=_FUNCTIONS[parsed["function"]],
        metric=parsed["metric"],
        namespace=schema[0] if schema else parsed["namespace"],
        schema=frozenset(schema[1:]) if schema else None,
        conditions=tuple(
            Condition(key, operator == "=", value)
            for key, operator, value in parsed.get("conditions", ())
        ),
        group_by=tuple(parsed.get("group_by", ())),
        order_by=_FUNCTIONS[parsed["order_by"]] if "order_by" in parsed else None,
        descending="descending" in parsed,
        limit=limit,
    )


def _unescaped(tokens: pp.ParseResults) -> str:
    """What stands between quotation marks; a backslash escapes a mark."""
    quoted: str = tokens[0][1:-1]
    return quoted.replace('\\"', '"').replace("\\'", "'")


def _grammar() -> pp.ParserElement:
    keyword = {word: pp.CaselessKeyword(word) for word in _KEYWORDS}
    function = pp.one_of(list(_FUNCTIONS), caseless=True, as_keyword=True)
    opened, closed = map(pp.Suppress, "()")
    bare = pp.Regex(r"[A-Za-z0-9_]+").add_condition(lambda found: found[0].upper() not in _RESERVED)
    name = bare | pp.Regex(r'"(?:\\["\']|[^"\\]|\\(?!["\']))+"').set_parse_action(_unescaped)
    value = pp.Regex(r"'(?:\\[\"']|[^'\\]|\\(?![\"']))*'").set_parse_action(_unescaped)
    schema = keyword["SCHEMA"].suppress() + opened + pp.DelimitedList(name)("schema") + closed
    condition = pp.Group(name + pp.one_of("= !=") + value)
    direction = keyword["ASC"] | keyword["DESC"]("descending")
    return (
        keyword["SELECT"]
        + function("function")
        + opened
        + name("metric")
        + closed
        + keyword["FROM"]
        + (schema | name("namespace"))
        + pp.Optional(
            keyword["WHERE"] + pp.DelimitedList(condition, delim=keyword["AND"])("conditions")
        )
        + pp.Optional(keyword["GROUP"] + keyword["BY"] + pp.DelimitedList(name)("group_by"))
        + pp.Optional(
            keyword["ORDER"]
            + keyword["BY"]
            + function("order_by")
            + opened
            + closed
            + pp.Optional(direction)
        )
        + pp.Optional(keyword["LIMIT"] + pp.Word(pp.nums)("limit"))
        + pp.Optional(pp.Suppress(";"))
    )


# Without it, tabs in names and values would turn into spaces.
_GRAMMAR = _grammar().parse_with_tabs()
