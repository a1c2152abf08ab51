"""The datapoints of detectors, read from CloudWatch: as many detectors a call as CloudWatch allows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import lcm
from typing import Any

from cutwatch.aws.limits import GET_METRIC_DATA_MAX_DATAPOINTS, GET_METRIC_DATA_MAX_QUERIES
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.listed_metrics import listed_dimensions
from cutwatch.errors import (
    TRANSIENT,
    AccessDenied,
    AwsError,
    CutwatchError,
    RejectedRequest,
    ServiceFault,
)
from cutwatch.timeseries.queries import metric_data_queries, query_count, result_id
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import floor_to_period

_OPERATION = "GetMetricData"

Read = dict[str, Series | CutwatchError]


@dataclass
class _Result:
    """What the pages of one call said about one detector."""

    datapoints: list[tuple[datetime, float]] = field(default_factory=list)
    status: str = "Missing"
    messages: list[str] = field(default_factory=list)


def read_many(
    cloudwatch: Any,
    detectors: Sequence[Detector],
    start: datetime,
    end: datetime,
    *,
    apart: bool = False,
) -> Read:
    """The series of detectors of different names over [start, end), each rounded down to the detector's own period.

    Answers, by name, the series, or the error that concerns this detector alone: CloudWatch rejects its queries
    (`RejectedRequest`), or does not give all of its datapoints (`ServiceFault`, `AccessDenied`). Raises what concerns
    every detector, such as `Throttled`; with `apart`, for there will be no other try, it finds out whom a transient
    error concerns, and that is their error. 500 queries a call; detectors share calls when their rounded windows
    agree, for CloudWatch counts periods from a call's start.
    """
    by_window: dict[tuple[datetime, datetime], list[Detector]] = defaultdict(list)
    for detector in detectors:
        window = tuple(floor_to_period(moment, detector.period) for moment in (start, end))
        by_window[window[0], window[1]].append(detector)
    found: Read = {}
    for (first, last), together in by_window.items():
        for batch in _batches(together):
            answer = _read_or_error(cloudwatch, batch, first, last)
            if isinstance(answer, dict):
                found |= answer
            elif apart:
                found |= _read_apart(cloudwatch, batch, first, last, answer)
            else:
                raise answer
    return {detector.name: found[detector.name] for detector in detectors}


def is_known(cloudwatch: Any, detector: Detector) -> bool:
    """Whether each metric has reported anything in the last two weeks (what `ListMetrics` covers)."""
    return all(
        any(True for _ in listed_dimensions(cloudwatch, metric)) for metric in detector.sources
    )


def _batches(detectors: Sequence[Detector]) -> Iterator[list[Detector]]:
    batch: list[Detector] = []
    queries = 0
    for detector in detectors:
        if queries + query_count(detector) > GET_METRIC_DATA_MAX_QUERIES:
            yield batch
            batch, queries = [], 0
        batch.append(detector)
        queries += query_count(detector)
    if batch:
        yield batch


def _read(cloudwatch: Any, detectors: Sequence[Detector], start: datetime, end: datetime) -> Read:
    """The detectors of one call. A rejected call does not say whose fault it is: its halves are asked alone."""
    try:
        results = _results(cloudwatch, detectors, start, end)
    except RejectedRequest as error:
        if len(detectors) == 1:
            return {detectors[0].name: error}
        middle = len(detectors) // 2
        first = _read(cloudwatch, detectors[:middle], start, end)
        return first | _read(cloudwatch, detectors[middle:], start, end)
    return {
        detector.name: _series(detector, results[result_id(number)], start, end)
        for number, detector in enumerate(detectors)
    }


def _read_or_error(
    cloudwatch: Any, detectors: Sequence[Detector], start: datetime, end: datetime
) -> Read | AwsError:
    try:
        return _read(cloudwatch, detectors, start, end)
    except TRANSIENT as error:
        return error


def _read_apart(
    cloudwatch: Any,
    detectors: Sequence[Detector],
    start: datetime,
    end: datetime,
    error: AwsError,
) -> Read:
    """What can be read of detectors whose common call has failed.

    A half is only halved again where the other one could be read: a CloudWatch that answers nobody is asked twice
    more, not once for each detector.
    """
    if len(detectors) == 1:
        return {detectors[0].name: error}
    middle = len(detectors) // 2
    halves = (detectors[:middle], detectors[middle:])
    answers = [_read_or_error(cloudwatch, half, start, end) for half in halves]
    if not any(isinstance(answer, dict) for answer in answers):
        return dict.fromkeys((detector.name for detector in detectors), error)
    found: Read = {}
    for half, answer in zip(halves, answers, strict=True):
        if isinstance(answer, dict):
            found |= answer
        else:
            found |= _read_apart(cloudwatch, half, start, end, answer)
    return found


def _results(
    cloudwatch: Any, detectors: Sequence[Detector], start: datetime, end: datetime
) -> Mapping[str, _Result]:
    results: dict[str, _Result] = defaultdict(_Result)
    if start >= end:
        return defaultdict(lambda: _Result(status="Complete"))
    for first, last in _ranges(detectors, start, end):
        ended = _read_range(results, _pages(cloudwatch, detectors, first, last))
        for name, status in ended.items():
            # One incomplete range makes the whole incomplete.
            if results[name].status in ("Missing", "Complete"):
                results[name].status = status
    return results


def _read_range(
    results: Mapping[str, _Result], pages: Iterator[Mapping[str, Any]]
) -> Mapping[str, str]:
    """Add the datapoints of a range's pages; return the status of each result on its last page."""
    ended = {}
    for page in pages:
        for part in page["MetricDataResults"]:
            result = results[part["Id"]]
            result.datapoints += zip(part["Timestamps"], part["Values"], strict=True)
            result.messages += _texts(part) + _texts(page)
            ended[part["Id"]] = part["StatusCode"]
    return ended


def _ranges(
    detectors: Sequence[Detector], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Split [start, end) so that each part fits into one response, if there is metric math.

    A response to metric math has no `NextToken`, and the inputs of expressions may count as datapoints too.
    """
    if not any(detector.expression for detector in detectors):
        yield start, end
        return
    queries = sum(query_count(detector) for detector in detectors)
    periods = [detector.period for detector in detectors]
    common = lcm(*periods)
    span = GET_METRIC_DATA_MAX_DATAPOINTS // queries * min(periods)
    step = timedelta(seconds=max(span // common, 1) * common)
    while start < end:
        yield start, min(start + step, end)
        start += step


def _pages(
    cloudwatch: Any, detectors: Sequence[Detector], start: datetime, end: datetime
) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {
        "MetricDataQueries": [
            query
            for number, detector in enumerate(detectors)
            for query in metric_data_queries(detector, number)
        ],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": GET_METRIC_DATA_MAX_DATAPOINTS,
    }
    while True:
        page = cloudwatch.get_metric_data(**request)
        yield page
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _texts(answer: Mapping[str, Any]) -> list[str]:
    return [f"{each['Code']}: {each['Value']}" for each in answer.get("Messages", [])]


def _series(
    detector: Detector, result: _Result, start: datetime, end: datetime
) -> Series | CutwatchError:
    if result.status == "Complete":
        return Series.from_datapoints(start, end, detector.period, result.datapoints)
    reasons = "; ".join(dict.fromkeys(result.messages)) or "CloudWatch gives no reason"
    kind: type[AwsError] = AccessDenied if result.status == "Forbidden" else ServiceFault
    return kind(
        _OPERATION,
        result.status,
        f"not all datapoints of {detector.metric_label} were delivered: {reasons}",
    )
