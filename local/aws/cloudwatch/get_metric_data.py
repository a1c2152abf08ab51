"""GetMetricData: queries, periods, pages."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from cutwatch.aws_limits import GET_METRIC_DATA_MAX_DATAPOINTS, GET_METRIC_DATA_MAX_QUERIES
from local.aws.api_response import ApiError
from local.aws.cloudwatch.metric_store import MetricKey
from local.aws.cloudwatch.reading import Reader, Window
from local.aws.cloudwatch.statistics import check_statistic

_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_HIGH_RESOLUTION_PERIODS = (1, 5, 10, 20, 30)
_IMPLEMENTED = {
    "MetricDataQueries",
    "StartTime",
    "EndTime",
    "NextToken",
    "ScanBy",
    "MaxDatapoints",
}
_QUERY_IMPLEMENTED = {"Id", "MetricStat", "Label", "ReturnData"}

_Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class _Result:
    id: str
    label: str
    times: list[int]
    values: list[float]


def get_metric_data(parameters: _Parameters, reader: Reader) -> dict[str, Any]:
    """Answer one page of at most `MaxDatapoints`, filled query by query."""
    _check(parameters)
    newest_first = parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    window = Window.of(parameters["StartTime"], parameters["EndTime"])
    results = [
        _result(query, window, reader, newest_first=newest_first)
        for query in parameters["MetricDataQueries"]
        if query.get("ReturnData", True)
    ]
    size = parameters.get("MaxDatapoints", GET_METRIC_DATA_MAX_DATAPOINTS)
    return _page(results, _offset(parameters), size, _fingerprint(parameters))


def _check(parameters: _Parameters) -> None:
    for name in sorted(parameters.keys() - _IMPLEMENTED):
        raise _error(f"The local CloudWatch does not implement {name} of GetMetricData.")
    for name in ("MetricDataQueries", "StartTime", "EndTime"):
        if not parameters.get(name):
            raise _error(f"The parameter {name} is required.")
    if parameters["StartTime"] >= parameters["EndTime"]:
        raise _error("The parameter StartTime must be less than the parameter EndTime.")
    if not 1 <= parameters.get("MaxDatapoints", 1) <= GET_METRIC_DATA_MAX_DATAPOINTS:
        raise _error(
            f"The parameter MaxDatapoints must be between 1 and {GET_METRIC_DATA_MAX_DATAPOINTS}."
        )
    _check_queries(parameters["MetricDataQueries"])


def _check_queries(queries: Sequence[_Parameters]) -> None:
    if len(queries) > GET_METRIC_DATA_MAX_QUERIES:
        raise _error(
            "The collection MetricDataQueries must not have a size greater than "
            f"{GET_METRIC_DATA_MAX_QUERIES}."
        )
    ids = [query.get("Id", "") for query in queries]
    for wrong in (name for name in ids if not _ID.fullmatch(name) or ids.count(name) > 1):
        raise _error(f"The value {wrong} for parameter MetricDataQueries.Id is invalid.")
    for query in queries:
        for name in sorted(query.keys() - _QUERY_IMPLEMENTED):
            raise _error(
                f"The local CloudWatch does not implement {name} of a metric data query "
                f"({query['Id']}: {query[name]})."
            )
        _check_metric_stat(query.get("MetricStat", {}), query["Id"])


def _check_metric_stat(wanted: _Parameters, query: str) -> None:
    for name in ("Metric", "Period", "Stat"):
        if name not in wanted:
            raise _error(f"The parameter MetricStat.{name} of query {query} is required.")
    check_period(wanted["Period"])
    check_statistic(wanted["Stat"])


def check_period(period: int) -> None:
    if period not in _HIGH_RESOLUTION_PERIODS and (period <= 0 or period % 60):
        raise ApiError(
            "InvalidParameterValue",
            f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not {period}.",
        )


def _result(query: _Parameters, window: Window, reader: Reader, *, newest_first: bool) -> _Result:
    wanted = query["MetricStat"]
    key = MetricKey.from_request(wanted["Metric"])
    times, values = reader.read(key, wanted["Stat"], wanted["Period"], window, wanted.get("Unit"))
    if newest_first:
        times, values = np.flip(times), np.flip(values)
    return _Result(query["Id"], query.get("Label", key.name), times.tolist(), values.tolist())


def _page(results: Sequence[_Result], offset: int, size: int, fingerprint: str) -> dict[str, Any]:
    page, remaining, begin = [], size, offset
    for result in results:
        total = len(result.times)
        first = min(begin, total)
        last = min(first + remaining, total)
        page.append(_described(result, first, last))
        remaining -= last - first
        begin -= first
    answer: dict[str, Any] = {"MetricDataResults": page, "Messages": []}
    if offset + size < sum(len(result.times) for result in results):
        answer["NextToken"] = f"{fingerprint}:{offset + size}"
    return answer


def _described(result: _Result, first: int, last: int) -> dict[str, Any]:
    return {
        "Id": result.id,
        "Label": result.label,
        "Timestamps": [datetime.fromtimestamp(time, UTC) for time in result.times[first:last]],
        "Values": result.values[first:last],
        "StatusCode": "Complete" if last == len(result.times) else "PartialData",
    }


def _offset(parameters: _Parameters) -> int:
    token = parameters.get("NextToken")
    if token is None:
        return 0
    fingerprint, _, offset = token.partition(":")
    if fingerprint != _fingerprint(parameters) or not offset.isdigit():
        raise ApiError("InvalidNextToken", "The next token specified is invalid.")
    return int(offset)


def _fingerprint(parameters: _Parameters) -> str:
    """What a token belongs to: the request without the token."""
    request = {name: value for name, value in parameters.items() if name != "NextToken"}
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _error(message: str) -> ApiError:
    return ApiError("ValidationError", message)
