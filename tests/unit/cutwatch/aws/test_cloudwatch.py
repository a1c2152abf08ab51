from collections import Counter
from math import ceil
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.clients import client
from cutwatch.aws.cloudwatch import Datum, datum, publish
from cutwatch.aws.limits import (
    PUT_METRIC_DATA_MAX_BYTES,
    PUT_METRIC_DATA_MAX_DATUMS,
)
from tests.support.builders import NOON, moments
from tests.support.client_events import hook
from tests.support.fakes import Fake


class FakeCloudWatch(Fake):
    """Takes what is put."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_metric_data(self, **request: Any) -> None:
        self.put.append(request)


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


def test_no_datum_is_sent_without_need() -> None:
    cloudwatch = FakeCloudWatch()
    assert (publish(cloudwatch, "Cutwatch", []), cloudwatch.put) == (0, [])


def test_timestamps_of_datums_stay_their_own() -> None:
    cloudwatch = FakeCloudWatch()
    expected = moments(1_500)

    publish(cloudwatch, "Cutwatch", [datum("Anomaly", 0, moment) for moment in expected])

    sent = [each["Timestamp"] for request in cloudwatch.put for each in request["MetricData"]]
    assert sent == expected
    assert Counter(len(request["MetricData"]) for request in cloudwatch.put) == {1_000: 1, 500: 1}
