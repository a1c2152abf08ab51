from collections import Counter
from datetime import datetime, timedelta
from math import ceil
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws import client
from cutwatch.aws_limits import (
    GET_METRIC_DATA_MAX_DATAPOINTS,
    PUT_METRIC_DATA_MAX_BYTES,
    PUT_METRIC_DATA_MAX_DATUMS,
)
from cutwatch.datapoints import is_known, read_series
from cutwatch.metrics import Datum, datum, publish
from tests.account import hook
from tests.builders import NOON, a_detector, moments

DETECTOR = a_detector(dimensions={"Shop": "north"})


class FakeCloudWatch:
    """Takes what is put; hands datapoints out in pages."""

    def __init__(self, values: list[float] | None = None, page: int = 100_800) -> None:
        self.values = values or []
        self.page = page
        self.put: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []

    def put_metric_data(self, **request: Any) -> None:
        self.put.append(request)

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(dict(request))
        start = int(request.get("NextToken", 0))
        values = self.values[start : start + self.page]
        timestamps = moments(len(self.values))[start : start + self.page]
        more = start + self.page < len(self.values)
        return {
            "MetricDataResults": [{"Timestamps": timestamps, "Values": values}],
            **({"NextToken": str(start + self.page)} if more else {}),
        }


@given(st.integers(0, 5_000))
def test_publishing_takes_the_fewest_calls_and_sends_every_datum_once_in_order(count: int) -> None:
    cloudwatch = FakeCloudWatch()
    datums = [datum("Anomaly", float(number), NOON) for number in range(count)]

    calls = publish(cloudwatch, "Cutwatch", datums)

    assert calls == len(cloudwatch.put) == ceil(count / PUT_METRIC_DATA_MAX_DATUMS)
    assert [each for request in cloudwatch.put for each in request["MetricData"]] == datums
    assert {request["Namespace"] for request in cloudwatch.put} <= {"Cutwatch"}


def test_a_full_call_of_the_longest_names_stays_below_a_megabyte() -> None:
    name, value = "AnomalousDatapoints", 1.2345678901234567e-100
    dimensions = {"Detector": "d" * 64}
    datums = [datum(name, value, moment, dimensions) for moment in moments(1_000)]
    sizes: list[int] = []

    def measure(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        sizes.append(len(str(params["body"])))
        return SimpleNamespace(status_code=200), {}

    with hook(client("cloudwatch"), "before-call.cloudwatch", measure):
        publish(client("cloudwatch"), "N" * 200, datums)

    [size] = sizes
    assert 10_000 < size < PUT_METRIC_DATA_MAX_BYTES


def test_a_datum_is_one_value_at_one_timestamp() -> None:
    expected: Datum = {
        "MetricName": "Anomaly",
        "Dimensions": [{"Name": "Detector", "Value": "orders"}],
        "Timestamp": NOON,
        "Value": 1,
    }
    assert datum("Anomaly", 1, NOON, {"Detector": "orders"}) == expected
    assert datum("Anomaly", 1, NOON)["Dimensions"] == []


def read(cloudwatch: FakeCloudWatch, periods: int) -> list[float]:
    end = NOON + timedelta(minutes=5 * periods)
    values: list[float] = read_series(cloudwatch, DETECTOR, NOON, end).values.tolist()
    return values


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
            "MetricDataQueries": [
                {
                    "Id": "metric",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "Shop",
                            "MetricName": "Orders",
                            "Dimensions": [{"Name": "Shop", "Value": "north"}],
                        },
                        "Period": 300,
                        "Stat": "Sum",
                    },
                }
            ],
            "StartTime": NOON,
            "EndTime": NOON + timedelta(minutes=5),
            "ScanBy": "TimestampAscending",
            "MaxDatapoints": GET_METRIC_DATA_MAX_DATAPOINTS,
        }
    ]


def listing(*metrics: dict[str, str]) -> Any:
    """A CloudWatch that knows the metric with these dimensions."""
    known = [
        {"Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()]}
        for dimensions in metrics
    ]
    pages = [{"Metrics": [metric]} for metric in known]
    return SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: iter(pages))
    )


def test_a_metric_is_known_with_exactly_its_dimensions() -> None:
    with_more = {"Shop": "north", "Till": "1"}

    assert is_known(listing(with_more, {"Shop": "north"}), DETECTOR)
    assert not is_known(listing(with_more), DETECTOR)
    assert not is_known(listing(), DETECTOR)


def test_a_metric_without_dimensions_is_not_one_with_some() -> None:
    assert not is_known(listing({"Shop": "north"}), a_detector())
    assert is_known(listing({}), a_detector())


def test_no_datum_is_sent_without_need() -> None:
    cloudwatch = FakeCloudWatch()
    assert (publish(cloudwatch, "Cutwatch", []), cloudwatch.put) == (0, [])


def test_timestamps_of_datums_stay_their_own() -> None:
    cloudwatch = FakeCloudWatch()
    expected: list[datetime] = moments(1_500)

    publish(cloudwatch, "Cutwatch", [datum("Anomaly", 0, moment) for moment in expected])

    sent = [each["Timestamp"] for request in cloudwatch.put for each in request["MetricData"]]
    assert sent == expected
    assert Counter(len(request["MetricData"]) for request in cloudwatch.put) == {1_000: 1, 500: 1}
