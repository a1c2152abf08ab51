"""What a graph reads of CloudWatch."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import GET_METRIC_DATA_MAX_DATAPOINTS, metric_retention
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.errors import AccessDenied, RejectedRequest
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.timestamps import format_timestamp
from cutwatch.widget.chart_data import GraphData, graph_period, read_graph_data
from tests.support.fakes import Fake

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CHECKOUT = Detector("checkout", "Shop", "Orders", "Sum", {"Service": "checkout"})
RATE = Detector(
    "rate",
    expression="a / b",
    metrics={"a": CHECKOUT.sources[0], "b": CHECKOUT.sources[0]},
)


class CloudWatch(Fake):
    """Answers each query with two datapoints, in pages of one query."""

    def __init__(self, status: str = "Complete", *, paged: bool = False) -> None:
        self.requests: list[dict[str, Any]] = []
        self._status = status
        self._paged = paged

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        returned = [q for q in request["MetricDataQueries"] if q.get("ReturnData", True)]
        page = len(self.requests) - 1
        more = {"NextToken": "more"} if self._paged and page < len(returned) - 1 else {}
        shown = returned[page : page + 1] if self._paged else returned
        return {"MetricDataResults": [self._result(query, request) for query in shown], **more}

    def _result(self, query: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        first = request["StartTime"]
        return {
            "Id": query["Id"],
            "StatusCode": self._status,
            "Messages": [{"Code": "x", "Value": "why"}],
            "Timestamps": [first, first + timedelta(minutes=5)],
            "Values": [0.0, 1.0],
        }


def read(cloudwatch: CloudWatch, detector: Detector = CHECKOUT, days: float = 1) -> GraphData:
    return read_graph_data(cloudwatch, "Cutwatch", detector, NOW - days * DAY, NOW, NOW)


def test_one_call_asks_for_metric_anomalies_and_scores() -> None:
    cloudwatch = CloudWatch()
    data = read(cloudwatch)
    [request] = cloudwatch.requests
    asked = [query["MetricStat"] for query in request["MetricDataQueries"]]
    assert [(each["Metric"]["MetricName"], each["Stat"]) for each in asked] == [
        ("Orders", "Sum"),
        ("Anomaly", "Maximum"),
        ("AnomalyScore", "Maximum"),
    ]
    assert {each["Period"] for each in asked} == {300}
    start = int((NOW - DAY).timestamp())
    metric, times = [(start, 0.0), (start + 300, 1.0)], [start, start + 300]
    assert data == GraphData(300, metric, [start + 300], metric, times)


def recorded(first: int, last: int) -> RecordedEvent:
    """An event from one minute of `NOW`'s hour to another."""
    start, end = (format_timestamp(NOW + timedelta(minutes=at)) for at in (first, last))
    return RecordedEvent(
        "checkout", AnomalyEvent("checkout:1", start, end, start, 2, period_seconds=300), "a run"
    )


@pytest.mark.parametrize(
    ("period", "minutes"), [(300, [5, 10]), (600, [0, 10]), (3600, [0])], ids=str
)
def test_recorded_events_stand_where_cloudwatch_does_not_show_anomalies_yet(
    period: int, minutes: list[int]
) -> None:
    data = GraphData(period, [], [], [], []).with_events(
        [recorded(5, 10)], NOW - DAY, NOW + timedelta(hours=1)
    )
    assert data.anomalous == [int(NOW.timestamp()) + 60 * minute for minute in minutes]


def test_recorded_events_change_nothing_that_cloudwatch_shows_or_that_is_out_of_sight() -> None:
    start = int(NOW.timestamp())
    shown = GraphData(300, [], [start + 300], [], [start, start + 300])
    events = [recorded(0, 5), recorded(-60, -30), recorded(30, 60)]
    assert shown.with_events(events, NOW, NOW + timedelta(minutes=30)) == shown


def test_of_an_expression_only_the_result_is_drawn() -> None:
    data = read(CloudWatch(), RATE)
    assert len(data.metric) == 2


def test_pages_are_read_to_the_end() -> None:
    cloudwatch = CloudWatch(paged=True)
    data = read(cloudwatch)
    assert len(cloudwatch.requests) == 3
    assert (len(data.metric), len(data.anomalous), len(data.scores)) == (2, 1, 2)


@pytest.mark.parametrize(
    ("status", "error"), [("Forbidden", AccessDenied), ("InternalError", RejectedRequest)]
)
def test_what_cloudwatch_does_not_give_is_said(status: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="why"):
        read(CloudWatch(status))


def test_what_lies_in_the_future_or_was_deleted_long_ago_is_not_asked_for() -> None:
    cloudwatch = CloudWatch()
    long_ago = NOW - 900 * DAY
    for start, end in ((NOW, NOW + DAY), (long_ago, long_ago + DAY)):
        assert read_graph_data(cloudwatch, "C", CHECKOUT, start, end, NOW).metric == []
    assert cloudwatch.requests == []
    read_graph_data(cloudwatch, "C", CHECKOUT, NOW - DAY, NOW + DAY, NOW)
    assert cloudwatch.requests[0]["EndTime"] == NOW


@pytest.mark.parametrize(
    ("own", "days", "period"),
    [
        (300, 14, 300),
        (60, 1, 60),
        (60, 14, 180),
        (60, 20, 300),
        (300, 60, 600),
        (300, 90, 3_600),
        (420, 90, 25_200),
        (3_600, 400, 3_600),
        (86_400, 400, 86_400),
    ],
)
def test_the_period_is_the_detector_s_own_as_long_as_that_is_kept_and_fits(
    own: int, days: int, period: int
) -> None:
    assert graph_period(own, NOW - days * DAY, NOW, NOW) == period


@given(st.integers(1, 1_440).map(lambda minutes: 60 * minutes), st.floats(0.01, 455))
def test_one_call_holds_every_graph(own: int, days: float) -> None:
    start = NOW - days * DAY
    period = graph_period(own, start, NOW, NOW)
    assert period % own == 0 or period == 86_400
    assert 60 <= period <= 86_400
    assert 3 * (NOW - start).total_seconds() / period <= GET_METRIC_DATA_MAX_DATAPOINTS
    if period < 3_600 and own < 3_600:
        assert NOW - start <= metric_retention(period)


@given(st.sets(st.integers(0, 60)))
def test_stretches_are_what_is_anomalous_without_a_break(positions: set[int]) -> None:
    times = [300 * position for position in sorted(positions)]
    stretches = GraphData(300, [], times, [], []).stretches
    covered = [time for begin, end in stretches for time in range(begin, end, 300)]
    assert covered == times
    assert all(a[1] < b[0] for a, b in pairwise(stretches))
