"""Datapoints of detectors, read from CloudWatch with as many detectors per call as it allows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import lcm
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_OPERATION = "GetMetricData"

Read = dict[str, Series | CutwatchError]


@dataclass
class _Result:
    """The pages' answer about one detector."""

    datapoints: list[tuple[datetime, float]] = field(default_factory=list)
    status: str = "Missing"
    messages: list[str] = field(default_factory=list)


def read_many(
    cloudwatch: "CloudWatchClient",
    detectors: Sequence[Detector],
    start: datetime,
    end: datetime,
    *,
    apart: bool = False,
) -> Read:
    """Read the series of detectors with different names over [start, end), each rounded down to the detector's own period.

    A detector has an error instead if CloudWatch rejects its queries (`RejectedRequest`) or does not return all of its
    datapoints (`ServiceFault`, `AccessDenied`). Errors that concern every detector, such as `Throttled`, are raised;
    with `apart`, on the last try, the call is divided to find the detectors with a transient error, and it becomes
    theirs. A call has at most 500 queries. Detectors share calls if their rounded windows agree, because CloudWatch
    counts periods from the start of a call.
    """
    by_window: dict[tuple[datetime, datetime], list[Detector]] = defaultdict(list)
    for detector in detectors:
        window = tuple(floor_to_period(time, detector.period) for time in (start, end))
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


def is_known(cloudwatch: "CloudWatchClient", detector: Detector) -> bool:
    """Return whether each metric has reported in the last two weeks, the range of `ListMetrics`."""
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


def _read(
    cloudwatch: "CloudWatchClient", detectors: Sequence[Detector], start: datetime, end: datetime
) -> Read:
    """Read the detectors of one call; if it is rejected, read each half, to find the detector at fault."""
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
    cloudwatch: "CloudWatchClient", detectors: Sequence[Detector], start: datetime, end: datetime
) -> Read | AwsError:
    try:
        return _read(cloudwatch, detectors, start, end)
    except TRANSIENT as error:
        return error


def _read_apart(
    cloudwatch: "CloudWatchClient",
    detectors: Sequence[Detector],
    start: datetime,
    end: datetime,
    error: AwsError,
) -> Read:
    """Read detectors whose common call has failed, in halves.

    A half is only divided again if the other half could be read. If CloudWatch does not answer at all, this takes two
    more calls, not one per detector.
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
    cloudwatch: "CloudWatchClient", detectors: Sequence[Detector], start: datetime, end: datetime
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
    cloudwatch: "CloudWatchClient", detectors: Sequence[Detector], start: datetime, end: datetime
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
