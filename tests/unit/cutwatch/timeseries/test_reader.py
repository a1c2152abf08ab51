from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import GET_METRIC_DATA_MAX_DATAPOINTS, GET_METRIC_DATA_MAX_QUERIES
from cutwatch.errors import AccessDenied, RejectedRequest, ServiceFault, Throttled
from cutwatch.timeseries.queries import metric_data_queries
from cutwatch.timeseries.reader import is_known, read_many
from cutwatch.timeseries.series import Series
from tests.support.builders import NOON, a_detector, a_ratio, moments
from tests.support.fakes import Fake

DETECTOR = a_detector(dimensions={"Shop": "north"})
HOUR = timedelta(hours=1)


class FakeCloudWatch(Fake):
    """Hands the datapoints of each result out in pages."""

    def __init__(
        self,
        values: Sequence[float] = (),
        page: int = 100_800,
        rejected: str = "",
        answers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.values = list(values)
        self.page = page
        self.rejected = rejected
        self.answers = answers or {}
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(dict(request))
        if self.rejected and self.rejected in str(request["MetricDataQueries"]):
            raise RejectedRequest("GetMetricData", "ValidationError", "Error in expression")
        start = int(request.get("NextToken", 0))
        values = self.values[start : start + self.page]
        timestamps = moments(len(self.values), request["StartTime"])[start : start + self.page]
        more = start + self.page < len(self.values)
        results = [
            {
                "Id": query["Id"],
                "Timestamps": timestamps,
                "Values": values,
                "StatusCode": "PartialData" if more else "Complete",
                **self.answers.get(query["Id"], {}),
            }
            for query in request["MetricDataQueries"]
            if query["ReturnData"]
        ]
        return {
            "MetricDataResults": results,
            **({"NextToken": str(start + self.page)} if more else {}),
        }


def read(cloudwatch: FakeCloudWatch, periods: int) -> list[float]:
    end = NOON + timedelta(minutes=5 * periods)
    found = series_of(read_many(cloudwatch, [DETECTOR], NOON, end)["orders"])
    values: list[float] = found.values.tolist()
    return values


def series_of(found: Any) -> Series:
    assert isinstance(found, Series)
    return found


@pytest.mark.parametrize("count", [1, 1_000, 2_001])
def test_every_page_is_read(count: int) -> None:
    values = [float(number) for number in range(count)]
    cloudwatch = FakeCloudWatch(values, page=1_000)

    assert read(cloudwatch, count) == values
    assert len(cloudwatch.asked) == ceil(count / 1_000)


def test_a_call_asks_for_as_many_datapoints_as_cloudwatch_gives() -> None:
    cloudwatch = FakeCloudWatch([1.0])

    read(cloudwatch, 1)

    assert cloudwatch.asked == [
        {
            "MetricDataQueries": metric_data_queries(DETECTOR, 0),
            "StartTime": NOON,
            "EndTime": NOON + timedelta(minutes=5),
            "ScanBy": "TimestampAscending",
            "MaxDatapoints": GET_METRIC_DATA_MAX_DATAPOINTS,
        }
    ]


@given(st.lists(st.sampled_from([0, 2]), min_size=1, max_size=1_200))
def test_detectors_share_as_few_calls_as_cloudwatch_allows(kinds: list[int]) -> None:
    detectors = [
        a_ratio(f"d{number}") if kind else a_detector(f"d{number}")
        for number, kind in enumerate(kinds)
    ]
    cloudwatch = FakeCloudWatch([1.0])

    found = read_many(cloudwatch, detectors, NOON, NOON + HOUR)

    assert list(found) == [detector.name for detector in detectors]
    sizes = [len(request["MetricDataQueries"]) for request in cloudwatch.asked]
    assert max(sizes) <= GET_METRIC_DATA_MAX_QUERIES
    assert len(sizes) <= ceil(sum(sizes) / (GET_METRIC_DATA_MAX_QUERIES - 2))


def test_detectors_are_read_on_the_grids_of_their_own_periods() -> None:
    detectors = [
        a_detector("minutes", period=60),
        a_detector("fives", period=300),
        a_detector("hours", period=3_600),
    ]
    start = NOON + timedelta(minutes=10)
    cloudwatch = FakeCloudWatch([1.0])

    found = read_many(cloudwatch, detectors, start, start + HOUR)

    assert {name: (series_of(s).start, len(series_of(s))) for name, s in found.items()} == {
        "minutes": (start, 60),
        "fives": (start, 12),
        "hours": (NOON, 1),
    }
    assert [request["StartTime"] for request in cloudwatch.asked] == [start, NOON]


def test_a_window_shorter_than_the_period_is_empty_and_asks_nothing() -> None:
    cloudwatch = FakeCloudWatch([1.0])
    found = read_many(cloudwatch, [a_detector(period=3_600)], NOON, NOON + timedelta(minutes=30))
    assert (len(series_of(found["orders"])), cloudwatch.asked) == (0, [])


def test_a_detector_that_cloudwatch_rejects_fails_alone() -> None:
    names = [f"d{number}" for number in range(100)]
    detectors = [a_detector(name) for name in names]
    detectors[37] = a_detector("d37", metric="Wrong")
    cloudwatch = FakeCloudWatch([1.0], rejected="Wrong")

    found = read_many(cloudwatch, detectors, NOON, NOON + HOUR)

    failed = [name for name, each in found.items() if not isinstance(each, Series)]
    assert (failed, type(found["d37"])) == (["d37"], RejectedRequest)
    assert len(cloudwatch.asked) < 20


def test_what_concerns_every_detector_is_raised() -> None:
    def throttled(**_: Any) -> None:
        raise Throttled("GetMetricData", "Throttling", "Rate exceeded")

    cloudwatch: Any = SimpleNamespace(get_metric_data=throttled)
    with pytest.raises(Throttled):
        read_many(cloudwatch, [DETECTOR], NOON, NOON + HOUR)


class ThrottlingCloudWatch(FakeCloudWatch):
    """Throttles every call that asks for one of some metrics."""

    def __init__(self, *metrics: str) -> None:
        super().__init__([1.0])
        self.throttled = metrics

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        answer = super().get_metric_data(**request)
        asked = {
            query["MetricStat"]["Metric"]["MetricName"] for query in request["MetricDataQueries"]
        }
        if asked & set(self.throttled):
            raise Throttled("GetMetricData", "Throttling", "Rate exceeded")
        return answer


FLEET = [a_detector(f"d{number}", metric=f"m{number}") for number in range(40)]


def test_apart_what_concerns_one_detector_is_its_own_error() -> None:
    cloudwatch = ThrottlingCloudWatch("m37")

    found = read_many(cloudwatch, FLEET, NOON, NOON + HOUR, apart=True)

    assert [name for name, each in found.items() if isinstance(each, Throttled)] == ["d37"]
    assert list(found) == [detector.name for detector in FLEET]
    assert len(cloudwatch.asked) < 20


def test_apart_a_cloudwatch_that_answers_nobody_is_not_asked_for_each_detector() -> None:
    cloudwatch = ThrottlingCloudWatch(*(detector.metric for detector in FLEET))

    found = read_many(cloudwatch, FLEET, NOON, NOON + HOUR, apart=True)

    assert {type(each) for each in found.values()} == {Throttled}
    assert len(cloudwatch.asked) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [("PartialData", ServiceFault), ("InternalError", ServiceFault), ("Forbidden", AccessDenied)],
)
def test_an_incomplete_result_is_an_error_of_its_detector_with_cloudwatchs_reason(
    status: str, kind: type[Exception]
) -> None:
    reason = {"Code": "Trouble", "Value": "come back later"}
    cloudwatch = FakeCloudWatch([1.0], answers={"d1": {"StatusCode": status, "Messages": [reason]}})

    found = read_many(cloudwatch, [a_detector("good"), a_detector("bad")], NOON, NOON + HOUR)

    assert isinstance(found["good"], Series)
    assert type(found["bad"]) is kind
    assert "Shop Orders, Sum were delivered: Trouble: come back later" in str(found["bad"])


def test_a_result_that_is_complete_on_its_last_page_is_complete() -> None:
    cloudwatch = FakeCloudWatch([1.0, 2.0, 3.0], page=2)
    found = read_many(cloudwatch, [DETECTOR], NOON, NOON + HOUR)
    assert series_of(found["orders"]).reported == 3


def test_a_detector_that_cloudwatch_says_nothing_of_is_not_taken_for_silent() -> None:
    silent: Any = SimpleNamespace(get_metric_data=lambda **_: {"MetricDataResults": []})
    error = read_many(silent, [DETECTOR], NOON, NOON + HOUR)["orders"]
    assert isinstance(error, ServiceFault)
    assert "CloudWatch gives no reason" in str(error)


def listing(*metrics: dict[str, str], name: str = "") -> Any:
    """A CloudWatch that knows the metric with these dimensions; of this name only, if there is one."""
    known = [
        {"Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()]}
        for dimensions in metrics
    ]
    pages = [{"Metrics": [metric]} for metric in known]
    return SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(
            paginate=lambda **request: iter(pages if name in ("", request["MetricName"]) else [])
        )
    )


def test_a_metric_is_known_with_exactly_its_dimensions() -> None:
    with_more = {"Shop": "north", "Till": "1"}

    assert is_known(listing(with_more, {"Shop": "north"}), DETECTOR)
    assert not is_known(listing(with_more), DETECTOR)
    assert not is_known(listing(), DETECTOR)


def test_a_metric_without_dimensions_is_not_one_with_some() -> None:
    assert not is_known(listing({"Shop": "north"}), a_detector())
    assert is_known(listing({}), a_detector())


def test_an_expression_is_known_when_each_of_its_metrics_is() -> None:
    assert is_known(listing({"Shop": "north"}), a_ratio())
    assert not is_known(listing({"Shop": "north"}, name="Errors"), a_ratio())


@given(st.integers(1, 40), st.integers(1, 6_000))
def test_metric_math_is_read_in_ranges_whose_inputs_fit_into_one_response(
    detectors: int, periods: int
) -> None:
    cloudwatch = FakeCloudWatch()
    ratios = [a_ratio(f"ratio-{number}") for number in range(detectors)]
    end = NOON + timedelta(minutes=5 * periods)

    read_many(cloudwatch, ratios, NOON, end)

    ranges = [(asked["StartTime"], asked["EndTime"]) for asked in cloudwatch.asked]
    assert [start for start, _ in ranges] == [NOON, *(last for _, last in ranges[:-1])]
    assert ranges[-1][1] == end
    for asked in cloudwatch.asked:
        span = (asked["EndTime"] - asked["StartTime"]) / timedelta(minutes=5)
        assert span * len(asked["MetricDataQueries"]) <= GET_METRIC_DATA_MAX_DATAPOINTS


def test_a_part_that_is_incomplete_makes_the_whole_incomplete() -> None:
    cloudwatch = FakeCloudWatch()
    statuses = iter(["PartialData", "Complete", "Complete"])
    whole = cloudwatch.get_metric_data
    cloudwatch.get_metric_data = lambda **request: {  # type: ignore[method-assign]
        "MetricDataResults": [
            whole(**request)["MetricDataResults"][0] | {"StatusCode": next(statuses)}
        ]
    }
    end = NOON + timedelta(minutes=5 * 3 * GET_METRIC_DATA_MAX_DATAPOINTS // 3)

    found = read_many(cloudwatch, [a_ratio()], NOON, end)

    assert isinstance(found[a_ratio().name], ServiceFault)
