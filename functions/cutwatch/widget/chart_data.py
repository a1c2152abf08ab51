"""Data of a detector's chart: its metric, anomalous datapoints and scores, read with one GetMetricData."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cutwatch.aws.limits import (
    GET_METRIC_DATA_MAX_DATAPOINTS,
    METRIC_RETENTION,
    metric_retention,
)
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.errors import AccessDenied, RejectedRequest
from cutwatch.metric_names import ANOMALY, ANOMALY_SCORE
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.timeseries.queries import metric_data_queries, metric_stat, result_id
from cutwatch.timestamps import ceil_to_period, floor_to_period

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# Epoch seconds and value, oldest first.
Points = list[tuple[int, float]]

# Per series; a chart is some hundred pixels wide, and more datapoints would take too long to read.
_MOST_DATAPOINTS = 10_000
_LONGEST_PERIOD = 86_400
_SOURCE = result_id(0)


@dataclass(frozen=True)
class GraphData:
    """Datapoints of a chart. The period is in seconds; `anomalous` are the timestamps of anomalous datapoints.

    `classified` are the timestamps at which CloudWatch shows whether a datapoint is anomalous.
    """

    period: int
    metric: Points
    anomalous: list[int]
    scores: Points
    classified: list[int]

    def with_events(
        self, events: Sequence[RecordedEvent], start: datetime, end: datetime
    ) -> "GraphData":
        """Add the recorded events' datapoints of [start, end) that CloudWatch does not show."""
        first, last = floor_to_period(start, self.period), end
        recorded = {
            time
            for each in events
            for time in range(
                int(floor_to_period(max(each.event.begins, first), self.period).timestamp()),
                int(min(each.event.ends, last).timestamp()),
                self.period,
            )
        }
        return replace(
            self, anomalous=sorted({*self.anomalous, *recorded.difference(self.classified)})
        )

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """Stretches of adjacent anomalous datapoints: from the first one to the end of the last one's period."""
        found: list[tuple[int, int]] = []
        for time in self.anomalous:
            if found and time == found[-1][1]:
                found[-1] = (found[-1][0], time + self.period)
            else:
                found.append((time, time + self.period))
        return found


def graph_period(own: int, start: datetime, end: datetime, now: datetime) -> int:
    """Return the detector's own period, or a multiple where CloudWatch keeps none so short or there would be too many.

    It is at most a day; if no multiple of the period fits, it is a day.
    """
    age = now - start
    if age > metric_retention(own):
        kept = (longest for longest, time in sorted(METRIC_RETENTION.items()) if age <= time)
        own = math.lcm(own, next(kept, max(METRIC_RETENTION)))
    datapoints = (end - start).total_seconds() / own
    chosen = own * max(math.ceil(datapoints / _MOST_DATAPOINTS), 1)
    return min(chosen, _LONGEST_PERIOD // own * own or _LONGEST_PERIOD)


def read_graph_data(
    cloudwatch: "CloudWatchClient",
    namespace: str,
    detector: Detector,
    start: datetime,
    end: datetime,
    now: datetime,
) -> GraphData:
    """Read the datapoints of [start, end) that exist so far.

    Raises `AccessDenied` if the role lacks the permission, `RejectedRequest` if CloudWatch gives no reason.
    """
    first = max(start, now - max(METRIC_RETENTION.values()) + timedelta(hours=1))
    last = min(end, now)
    period = graph_period(detector.period, first, max(last, first), now)
    if first >= last:
        return GraphData(period, [], [], [], [])
    request = {
        "MetricDataQueries": _queries(namespace, detector, period),
        "StartTime": floor_to_period(first, period),
        "EndTime": ceil_to_period(last, period),
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": GET_METRIC_DATA_MAX_DATAPOINTS,
    }
    points = _points(_pages(cloudwatch, request))
    anomalous = [time for time, value in points["anomaly"] if value > 0]
    classified = [time for time, _ in points["anomaly"]]
    return GraphData(period, points[_SOURCE], anomalous, points["score"], classified)


def _queries(namespace: str, detector: Detector, period: int) -> list[dict[str, Any]]:
    ours = {"anomaly": ANOMALY, "score": ANOMALY_SCORE}
    return [
        *metric_data_queries(replace(detector, period=period), 0),
        *(
            {"Id": name}
            | metric_stat(
                SourceMetric(namespace, metric, "Maximum", {"Detector": detector.name}), period
            )
            for name, metric in ours.items()
        ),
    ]


def _pages(cloudwatch: "CloudWatchClient", request: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    while True:
        page = cloudwatch.get_metric_data(**request)
        yield page
        if not page.get("NextToken"):
            return
        request = request | {"NextToken": page["NextToken"]}


def _points(pages: Iterator[Mapping[str, Any]]) -> Mapping[str, Points]:
    found: dict[str, Points] = defaultdict(list)
    for page in pages:
        for result in page["MetricDataResults"]:
            _refuse_incomplete(result)
            found[result["Id"]] += [
                (int(time.timestamp()), value)
                for time, value in zip(result["Timestamps"], result["Values"], strict=True)
            ]
    return found


def _refuse_incomplete(result: Mapping[str, Any]) -> None:
    status = result["StatusCode"]
    if status in ("Complete", "PartialData"):
        return
    reasons = "; ".join(str(each["Value"]) for each in result.get("Messages", []))
    kind = AccessDenied if status == "Forbidden" else RejectedRequest
    raise kind("GetMetricData", status, reasons or "CloudWatch gives no reason")
