"""GetMetricData: queries, periods, pages."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from localaws.api_response import ApiError
from localaws.cloudwatch.metric_queries import Queries
from localaws.cloudwatch.reading import Reader, Window
from localaws.cloudwatch.time_series import TimeSeries
from localaws.limits import GET_METRIC_DATA_MAX_DATAPOINTS

_IMPLEMENTED = {
    "MetricDataQueries",
    "StartTime",
    "EndTime",
    "NextToken",
    "ScanBy",
    "MaxDatapoints",
}

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
    asked = parameters["MetricDataQueries"]
    queries = Queries(asked, window, reader)
    everything = [_results(query["Id"], queries, newest_first=newest_first) for query in asked]
    results = [
        result
        for query, found in zip(asked, everything, strict=True)
        if query.get("ReturnData", True)
        for result in found
    ]
    size = parameters.get("MaxDatapoints", GET_METRIC_DATA_MAX_DATAPOINTS)
    page = _page(results, _offset(parameters), size, _fingerprint(parameters))
    if any("Expression" in query for query in asked):
        # AWS gives no token to metric math: what does not fit into one response is lost.
        page.pop("NextToken", None)
    return {**page, "Messages": queries.messages}


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


def _results(name: str, queries: Queries, *, newest_first: bool) -> list[_Result]:
    """Return one result, or of a search or a Metrics Insights query one for each series found."""
    return [
        _result(name, label, series, newest_first=newest_first)
        for label, series in queries.results(name)
    ]


def _result(name: str, label: str, series: TimeSeries, *, newest_first: bool) -> _Result:
    times, values = series.times, series.values
    if newest_first:
        times, values = np.flip(times), np.flip(values)
    return _Result(name, label, times.tolist(), values.tolist())


def _page(results: Sequence[_Result], offset: int, size: int, fingerprint: str) -> dict[str, Any]:
    page, remaining, begin = [], size, offset
    for result in results:
        total = len(result.times)
        first = min(begin, total)
        last = min(first + remaining, total)
        page.append(_described(result, first, last))
        remaining -= last - first
        begin -= first
    answer: dict[str, Any] = {"MetricDataResults": page}
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
    """Return a digest of the request without its token, to which a token belongs."""
    request = {name: value for name, value in parameters.items() if name != "NextToken"}
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _error(message: str) -> ApiError:
    return ApiError("ValidationError", message)
