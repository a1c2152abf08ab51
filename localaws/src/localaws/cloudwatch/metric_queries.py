"""The queries of a GetMetricData request, by their Ids: metrics, searches, and expressions over other queries."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from localaws.api_response import ApiError
from localaws.cloudwatch import metrics_insights, search
from localaws.cloudwatch.metric_math import evaluate
from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.metrics_insights import INSIGHTS_MAX_AGE, Found, is_insights_query
from localaws.cloudwatch.reading import Reader, Window
from localaws.cloudwatch.search import has_search
from localaws.cloudwatch.statistics import check_statistic
from localaws.cloudwatch.time_series import TimeSeries, WrongExpression
from localaws.limits import (
    GET_METRIC_DATA_MAX_QUERIES,
    METRIC_EXPRESSION_MAX_LENGTH,
    METRIC_QUERY_ID_MAX_LENGTH,
    SEARCH_MAX_SERIES,
)

_ID = re.compile(rf"[a-z][a-zA-Z0-9_]{{0,{METRIC_QUERY_ID_MAX_LENGTH - 1}}}")
_HIGH_RESOLUTION_PERIODS = (1, 5, 10, 20, 30)
_OF_METRICS = {"Id", "MetricStat", "Label", "ReturnData"}
_OF_EXPRESSIONS = {"Id", "Expression", "Period", "Label", "ReturnData"}

_Query = Mapping[str, Any]


class Queries:
    """Each is evaluated once, when it or an expression over it is asked for."""

    def __init__(self, queries: Sequence[_Query], window: Window, reader: Reader) -> None:
        check_queries(queries)
        self.window = window
        self._reader = reader
        self._queries = {query["Id"]: query for query in queries}
        self._found: dict[str, TimeSeries] = {}
        self._insights: dict[str, Found] = {}
        self._open: list[str] = []
        self.messages: list[dict[str, str]] = []

    def value(self, query: str) -> TimeSeries | None:
        """Return the query's series, None if there is no such query."""
        return self.series(query) if query in self._queries else None

    def results(self, query: str) -> list[tuple[str, TimeSeries]]:
        """Return each series of a query with its label; raise CloudWatch's ValidationError for a wrong one."""
        if self.is_insights(query):
            return self._groups(query)
        if has_search(self._expression(query)):
            return self._searched(query)
        return [(self._label(query), self.series(query))]

    def series(self, query: str) -> TimeSeries:
        """Return the series, oldest first, of a query that has one; raise ValidationError for a wrong query."""
        if query not in self._found:
            self._found[query] = self._evaluated(self._queries[query])
        return self._found[query]

    def is_metric(self, query: str) -> bool:
        return "MetricStat" in self._queries.get(query, {})

    def is_insights(self, query: str) -> bool:
        return is_insights_query(self._expression(query))

    def insights(self, query: str) -> Found:
        """Return what a Metrics Insights query finds."""
        if query not in self._insights:
            asked = self._queries[query]
            start = max(self.window.start, self._reader.ago(INSIGHTS_MAX_AGE))
            self._insights[query] = metrics_insights.find(
                metrics_insights.parse(asked["Expression"]),
                asked["Period"],
                Window(start, self.window.end),
                self._reader,
            )
        return self._insights[query]

    def _searched(self, query: str) -> list[tuple[str, TimeSeries]]:
        """Read the metrics that were reported lately and that a search finds, by name."""
        searched = search.parse(self._expression(query))
        label = self._queries[query].get("Label")
        period = searched.period
        keys = searched.found(self._reader.listed())
        if len(keys) > SEARCH_MAX_SERIES:
            value = f"Maximum number of allowed metrics exceeded; the first {SEARCH_MAX_SERIES} are returned"
            self.messages.append({"Code": "MaxMetricsExceeded", "Value": value})
        return [
            (
                searched.label(key, label),
                TimeSeries(
                    *self._reader.read(key, searched.statistic, period, self.window), period
                ),
            )
            for key in keys[:SEARCH_MAX_SERIES]
        ]

    def _groups(self, query: str) -> list[tuple[str, TimeSeries]]:
        label = self._queries[query].get("Label", "")
        return [
            (f"{label} {group.label}".strip(), group.series)
            for group in self.insights(query).groups
        ]

    def _expression(self, query: str) -> str:
        return str(self._queries[query].get("Expression", ""))

    def _label(self, query: str) -> str:
        asked = self._queries[query]
        usual = asked["MetricStat"]["Metric"]["MetricName"] if self.is_metric(query) else query
        return str(asked.get("Label", usual))

    def _evaluated(self, query: _Query) -> TimeSeries:
        if "MetricStat" in query:
            return self._read(query["MetricStat"])
        name = query["Id"]
        if self.is_insights(name) or has_search(query["Expression"]):
            raise _error(
                f"The local CloudWatch does not implement metric math over several series ({name})."
            )
        if name in self._open:
            circle = " -> ".join([*self._open, name])
            raise _error(f"Error in expression '{name}': Circular reference {circle}")
        self._open.append(name)
        try:
            return evaluate(query["Expression"], self)
        except WrongExpression as error:
            raise _error(f"Error in expression '{name}': {error}") from None
        finally:
            self._open.pop()

    def _read(self, wanted: _Query) -> TimeSeries:
        key = MetricKey.from_request(wanted["Metric"])
        times, values = self._reader.read(
            key, wanted["Stat"], wanted["Period"], self.window, wanted.get("Unit")
        )
        return TimeSeries(times, values, wanted["Period"])


def check_period(period: int) -> None:
    if period not in _HIGH_RESOLUTION_PERIODS and (period <= 0 or period % 60):
        raise ApiError(
            "InvalidParameterValue",
            f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not {period}.",
        )


def check_queries(queries: Sequence[_Query]) -> None:
    if len(queries) > GET_METRIC_DATA_MAX_QUERIES:
        raise _error(
            "The collection MetricDataQueries must not have a size greater than "
            f"{GET_METRIC_DATA_MAX_QUERIES}."
        )
    ids = [query.get("Id", "") for query in queries]
    for wrong in (name for name in ids if not _ID.fullmatch(name) or ids.count(name) > 1):
        raise _error(f"The value {wrong} for parameter MetricDataQueries.Id is invalid.")
    for query in queries:
        _check_query(query)
    insights = [query["Id"] for query in queries if is_insights_query(query.get("Expression", ""))]
    if len(insights) > 1:
        raise _error(
            "A request can have one Metrics Insights query only, not both "
            f"{insights[0]} and {insights[1]}."
        )


def _check_query(query: _Query) -> None:
    if ("Expression" in query) == ("MetricStat" in query):
        raise _error(
            f"Query {query['Id']} must have either MetricStat or Expression, and not both."
        )
    implemented = _OF_EXPRESSIONS if "Expression" in query else _OF_METRICS
    for name in sorted(query.keys() - implemented):
        raise _error(
            f"The local CloudWatch does not implement {name} of a metric data query "
            f"({query['Id']}: {query[name]})."
        )
    if "Expression" in query:
        _check_expression(query)
    else:
        _check_metric_stat(query["MetricStat"], query["Id"])


def _check_expression(query: _Query) -> None:
    if not 1 <= len(query["Expression"]) <= METRIC_EXPRESSION_MAX_LENGTH:
        raise _error(
            f"The parameter Expression of query {query['Id']} must have 1 to "
            f"{METRIC_EXPRESSION_MAX_LENGTH} characters."
        )
    if "Period" in query:
        check_period(query["Period"])
    try:
        _check_form(query)
    except WrongExpression as error:
        raise _error(f"Error in expression '{query['Id']}': {error}") from None


def _check_form(query: _Query) -> None:
    """Check a search, or a Metrics Insights query; metric math is checked when it is evaluated."""
    expression = query["Expression"]
    if has_search(expression):
        searched = search.parse(expression)
        searched.check_label(query.get("Label"))
        check_statistic(searched.statistic)
        check_period(searched.period)
    elif is_insights_query(expression):
        if "Period" not in query:
            raise _error(f"The Metrics Insights query {query['Id']} needs a Period.")
        metrics_insights.parse(expression)


def _check_metric_stat(wanted: _Query, query: str) -> None:
    for name in ("Metric", "Period", "Stat"):
        if name not in wanted:
            raise _error(f"The parameter MetricStat.{name} of query {query} is required.")
    check_period(wanted["Period"])
    check_statistic(wanted["Stat"])


def _error(message: str) -> ApiError:
    return ApiError("ValidationError", message)
