"""Metric math: arithmetic, comparisons and functions over the metrics of a request.

Semantics are those of AWS's "Using metric math"; where it is silent, `^` binds as in mathematics: before a minus in
front of it, and from the right.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Protocol

import numpy as np

from localaws.cloudwatch.math_functions import KEYWORDS, Argument, Keyword, call
from localaws.cloudwatch.reading import Window
from localaws.cloudwatch.time_series import Array, TimeSeries, Value, WrongExpression, combine

# Each gives many series, or is known to the account only.
_NOT_IMPLEMENTED = ("METRICS", "SEARCH", "SELECT", "ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC")
_INVALID = "Invalid syntax"
# Deeper expressions are refused by their depth, for how deep Python itself can go depends on who calls.
_DEEPEST = 100
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z]\w*)|(?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/^<>(),\[\]]))\s*",
    re.ASCII,
)
_AS_PYTHON = {"^": "**", "&&": "and", "||": "or", "AND": "and", "OR": "or"}

_ARITHMETIC: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_LOGICAL: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
}


class Scope(Protocol):
    """The other queries of a request."""

    window: Window

    def value(self, query: str) -> TimeSeries | None:
        """Return the series of the query of this Id, None if there is no such query."""

    def is_metric(self, query: str) -> bool:
        """Return whether the query of this Id is a metric, not an expression."""


def evaluate(expression: str, scope: Scope) -> TimeSeries:
    """Evaluate an expression; raise WrongExpression if it does not result in one series."""
    tokens = list(_python(expression))
    if _depth(tokens) > _DEEPEST:
        raise WrongExpression(_INVALID)
    try:
        tree = ast.parse(" ".join(tokens), mode="eval").body
        value = _Evaluation(scope).value(tree)
    except (SyntaxError, RecursionError, MemoryError):
        raise WrongExpression(_INVALID) from None
    if isinstance(value, float):
        raise WrongExpression("The result of an expression must be a time series, not a scalar")
    if isinstance(value, list):
        raise WrongExpression("The local CloudWatch does not implement several series as a result")
    return value


def _depth(words: Iterable[str]) -> int:
    """Count the brackets that are open at once at most, signs one behind the other counted like brackets."""
    brackets = signs = deepest = 0
    for word in words:
        signs = signs + 1 if word == "-" else 0
        brackets += (word == "(") - (word == ")")
        deepest = max(deepest, brackets + signs)
    return deepest


def _python(expression: str) -> Iterator[str]:
    """Yield the tokens as Python's; words get an underscore, so that none is one of Python's keywords."""
    end = 0
    while end < len(expression):
        token = _TOKEN.match(expression, end)
        if token is None:
            _refuse_unimplemented(expression)
            raise WrongExpression(f"{_INVALID} at position {end}: {expression[end:][:20]!r}")
        end = token.end()
        yield _python_token(token)


def _python_token(token: re.Match[str]) -> str:
    if token["number"]:
        number = float(token["number"])
        if math.isinf(number):
            raise WrongExpression(f"{token['number']} is too large")
        return repr(number)
    if token["symbol"]:
        return _AS_PYTHON.get(token["symbol"], token["symbol"])
    _refuse_unimplemented(token["word"])
    return _AS_PYTHON.get(token["word"], f"_{token['word']}")


def _refuse_unimplemented(text: str) -> None:
    for name in _NOT_IMPLEMENTED:
        if re.search(rf"\b{name}\b", text):
            raise WrongExpression(f"The local CloudWatch does not implement {name}")


class _Evaluation:
    """One walk over an expression's tree; whatever metric math does not have is invalid syntax."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._kinds: Mapping[type[ast.AST], Callable[[Any], Argument]] = {
            ast.Constant: self._number,
            ast.Name: self._name,
            ast.UnaryOp: self._negated,
            ast.BinOp: self._arithmetic,
            ast.Compare: self._comparison,
            ast.BoolOp: self._logical,
            ast.List: self._array,
            ast.Call: self._call,
        }

    def value(self, node: ast.AST) -> Value:
        argument = self._argument(node)
        if isinstance(argument, Keyword):
            raise WrongExpression(f"Unknown identifier {argument.word}")
        return argument

    def _argument(self, node: ast.AST) -> Argument:
        if type(node) not in self._kinds:
            raise WrongExpression(_INVALID)
        return self._kinds[type(node)](node)

    def _number(self, node: ast.Constant) -> float:
        return float(node.value)  # type: ignore[arg-type]  # the tokens hold no other constants

    def _name(self, node: ast.Name) -> Argument:
        word = node.id.removeprefix("_")
        found = self._scope.value(word)
        if found is not None:
            return found
        if word in KEYWORDS:
            return Keyword(word)
        raise WrongExpression(f"Unknown identifier {word}")

    def _negated(self, node: ast.UnaryOp) -> Value:
        if not isinstance(node.op, ast.USub):
            raise WrongExpression(_INVALID)
        return combine(-1.0, self.value(node.operand), operator.mul, "arithmetic")

    def _arithmetic(self, node: ast.BinOp) -> Value:
        operation = _ARITHMETIC[type(node.op)]
        left, right = self.value(node.left), self.value(node.right)
        return combine(left, right, operation, "arithmetic")

    def _comparison(self, node: ast.Compare) -> Value:
        if len(node.ops) > 1:
            raise WrongExpression(_INVALID)
        left, right = self.value(node.left), self.value(node.comparators[0])
        return _as_numbers(left, right, _COMPARISONS[type(node.ops[0])], "comparison")

    def _logical(self, node: ast.BoolOp) -> Value:
        operation = _LOGICAL[type(node.op)]
        values = [self.value(each) for each in node.values]
        return reduce(lambda a, b: _as_numbers(a, b, operation, "logic"), values)

    def _array(self, node: ast.List) -> Array:
        found: Array = []
        for value in map(self.value, node.elts):
            if isinstance(value, float):
                raise WrongExpression("An array holds time series, not scalars")
            found += value if isinstance(value, list) else [value]
        return found

    def _call(self, node: ast.Call) -> Value:
        if not isinstance(node.func, ast.Name):
            raise WrongExpression(_INVALID)
        name = node.func.id.removeprefix("_")
        if name == "PERIOD":
            return self._period(node)
        arguments = [self._argument(each) for each in node.args]
        return call(name, arguments, self._scope.window)

    def _period(self, node: ast.Call) -> float:
        named = [each.id.removeprefix("_") for each in node.args if isinstance(each, ast.Name)]
        if len(node.args) != 1 or len(named) != 1 or not self._scope.is_metric(named[0]):
            raise WrongExpression("Function PERIOD takes a metric, not the result of an expression")
        series = self.value(node.args[0])
        return float(series.period) if isinstance(series, TimeSeries) else math.nan


def _as_numbers(left: Value, right: Value, operation: Callable[..., Any], kind: str) -> Value:
    """Convert True to 1 and False to 0."""
    return combine(left, right, lambda a, b: np.float64(1.0) * operation(a, b), kind)
