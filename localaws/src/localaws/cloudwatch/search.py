"""SEARCH in the form that dashboards use: the metrics of one name, one series for each value of their dimension."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.time_series import WrongExpression

_FORM = re.compile(
    r"""SEARCH\('\{"(?P<namespace>[^"]+)",(?P<dimension>\w+)\} MetricName="(?P<name>[^"]+)"', """
    r"""'(?P<statistic>\w+)', (?P<period>\d+)\)"""
)
_WORD = re.compile(r"\bSEARCH\s*\(")


@dataclass(frozen=True)
class Search:
    """Metrics of a namespace and name with this dimension alone, and how each is read; the period is in seconds."""

    namespace: str
    name: str
    dimension: str
    statistic: str
    period: int

    def found(self, metrics: Iterable[MetricKey]) -> list[MetricKey]:
        """Return those of the metrics that the search finds."""
        return [
            key
            for key in metrics
            if (key.namespace, key.name) == (self.namespace, self.name)
            and [name for name, _ in key.dimensions] == [self.dimension]
        ]

    def check_label(self, label: str | None) -> None:
        """Raise WrongExpression for a label that does not distinguish the found metrics by their dimension."""
        if label is None:
            return
        if self._property not in label or "${" in label.replace(self._property, ""):
            raise WrongExpression(
                f"The local CloudWatch implements a search's labels with {self._property} only, not {label}"
            )

    def label(self, key: MetricKey, label: str | None) -> str:
        """Return the label of a found metric: the value of its dimension, or the query's own label with it."""
        ((_, value),) = key.dimensions
        return value if label is None else label.replace(self._property, value)

    @property
    def _property(self) -> str:
        return f"${{PROP('Dim.{self.dimension}')}}"


def has_search(expression: str) -> bool:
    """Return whether an expression searches for metrics."""
    return _WORD.search(expression) is not None


def parse(expression: str) -> Search:
    """Parse an expression that is one search; raise WrongExpression for every other form."""
    form = _FORM.fullmatch(expression.strip())
    if form is None:
        raise WrongExpression(
            """The local CloudWatch implements SEARCH('{"NAMESPACE",DIMENSION} MetricName="NAME"', """
            f"'STATISTIC', PERIOD) only, not {expression}"
        )
    return Search(
        form["namespace"], form["name"], form["dimension"], form["statistic"], int(form["period"])
    )
