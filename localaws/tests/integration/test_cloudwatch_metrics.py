"""CloudWatch's data plane: what is put can be read back, as far and as long as CloudWatch lets it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.limits import (
    GET_METRIC_DATA_MAX_DATAPOINTS,
    GET_METRIC_DATA_MAX_QUERIES,
    PUT_METRIC_DATA_MAX_DATUMS,
    PUT_METRIC_DATA_MAX_VALUES_PER_DATUM,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def cloudwatch(aws: LocalAws) -> Any:
    return aws.client("cloudwatch")


@pytest.fixture(autouse=True)
def _now(aws: LocalAws) -> None:
    aws.clock.move_to(NOW)


@pytest.fixture
def name() -> str:
    """A metric that no other test has."""
    return f"metric-{uuid4()}"


def load(aws: LocalAws, name: str, start: datetime, count: int, period: int = 300) -> None:
    times = start.timestamp() + period * np.arange(count)
    aws.cloudwatch.load_series("Shop", name, {}, period, times, np.arange(count, dtype=float))


def query(name: str, period: int = 300, stat: str = "Average", **fields: Any) -> dict[str, Any]:
    metric = {"Namespace": "Shop", "MetricName": name}
    return {
        "Id": "m",
        "MetricStat": {"Metric": metric, "Period": period, "Stat": stat, **fields},
    }


def read(
    cloudwatch: Any, start: datetime, end: datetime, *queries: dict[str, Any], **options: Any
) -> list[dict[str, Any]]:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries), StartTime=start, EndTime=end, **options
    )
    found: list[dict[str, Any]] = answer["MetricDataResults"]
    return found


def put(cloudwatch: Any, name: str, **datum: Any) -> None:
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": name, **datum}])


@pytest.mark.parametrize(
    ("age", "delay"),
    [
        (timedelta(hours=24), timedelta(hours=48)),
        (timedelta(days=13), timedelta(hours=48)),
        (timedelta(hours=23, minutes=45), timedelta(hours=2)),
        (timedelta(hours=3), timedelta(hours=2)),
        (timedelta(hours=2, minutes=45), timedelta(0)),
    ],
)
def test_back_filled_datapoints_become_readable_late_by_their_age(
    aws: LocalAws, cloudwatch: Any, name: str, age: timedelta, delay: timedelta
) -> None:
    put(cloudwatch, name, Timestamp=NOW - age, Value=7)
    window = (NOW - age - HOUR, NOW)
    if delay:
        aws.clock.move_to(NOW + delay - timedelta(minutes=15))
        assert read(cloudwatch, *window, query(name))[0]["Values"] == []
    aws.clock.move_to(NOW + delay + timedelta(seconds=30))
    assert read(cloudwatch, *window, query(name))[0]["Values"] == [7]
    assert list(aws.cloudwatch.stored_series("Shop", name, {}, 60).values()) == [7]


def test_the_back_door_gives_what_cannot_be_read_yet(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    put(cloudwatch, name, Timestamp=NOW - 2 * DAY, Value=7)
    assert aws.cloudwatch.stored_series("Shop", name, {}, 60) == {NOW - 2 * DAY: 7}
    assert aws.cloudwatch.stored_series("Shop", f"{name}-unknown", {}, 60) == {}


def test_the_start_is_included_and_the_end_is_not(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - HOUR, 12)
    start, end = NOW - HOUR + timedelta(minutes=5), NOW - HOUR + timedelta(minutes=15)
    (result,) = read(cloudwatch, start, end, query(name), ScanBy="TimestampAscending")
    assert result["Values"] == [1, 2]
    assert result["Timestamps"] == [start, start + timedelta(minutes=5)]


def test_the_newest_comes_first_unless_asked_otherwise(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - HOUR, 3)
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name))
    assert result["Values"] == [2, 1, 0]
    assert result["Timestamps"][0] > result["Timestamps"][-1]


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4)],
)
def test_datapoints_of_one_period_are_one_statistic(
    cloudwatch: Any, name: str, statistic: str, value: float
) -> None:
    for number in (1, 2, 3, 4):
        put(cloudwatch, name, Timestamp=NOW - HOUR + timedelta(minutes=number - 1), Value=number)
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name, stat=statistic))
    assert result["Values"] == [value]


def test_a_percentile_is_of_all_values_with_their_counts(cloudwatch: Any, name: str) -> None:
    put(cloudwatch, name, Timestamp=NOW - HOUR, Values=[1.0, 9.0], Counts=[98.0, 2.0])
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name, stat="p50"))
    assert result["Values"] == [1.0]
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name, stat="p99.9"))
    assert result["Values"] == [9.0]


@pytest.mark.parametrize(
    ("statistic", "values"),
    [("tm98", [1.0]), ("TC(1:9)", [2.0]), ("PR(:1)", [98.0]), ("IQM", [1.0]), ("TM(20:30)", [])],
)
def test_a_trimmed_statistic_is_of_all_values_with_their_counts(
    cloudwatch: Any, name: str, statistic: str, values: list[float]
) -> None:
    put(cloudwatch, name, Timestamp=NOW - HOUR, Values=[1.0, 9.0], Counts=[98.0, 2.0])
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name, stat=statistic))
    assert result["Values"] == pytest.approx(values)


def test_a_statistic_set_counts_as_all_its_samples(cloudwatch: Any, name: str) -> None:
    statistics = {"SampleCount": 4, "Sum": 10.0, "Minimum": 1.0, "Maximum": 4.0}
    put(cloudwatch, name, Timestamp=NOW - HOUR, StatisticValues=statistics)
    put(cloudwatch, name, Timestamp=NOW - HOUR, Value=0.0)
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name))
    assert result["Values"] == [2.0]


def test_the_same_datum_twice_doubles_the_sum_but_not_the_maximum(
    cloudwatch: Any, name: str
) -> None:
    for _ in range(2):
        put(cloudwatch, name, Timestamp=NOW - HOUR, Value=3.0)
    values = {
        stat: read(cloudwatch, NOW - HOUR, NOW, query(name, stat=stat))[0]["Values"]
        for stat in ("Sum", "SampleCount", "Maximum")
    }
    assert values == {"Sum": [6.0], "SampleCount": [2.0], "Maximum": [3.0]}


def test_another_unit_is_another_series_only_for_who_asks(cloudwatch: Any, name: str) -> None:
    put(cloudwatch, name, Timestamp=NOW - HOUR, Value=1.0, Unit="Count")
    put(cloudwatch, name, Timestamp=NOW - HOUR, Value=2.0, Unit="Bytes")
    (everything,) = read(cloudwatch, NOW - HOUR, NOW, query(name, stat="Sum"))
    (counts,) = read(cloudwatch, NOW - HOUR, NOW, query(name, stat="Sum", Unit="Count"))
    assert (everything["Values"], counts["Values"]) == ([3.0], [1.0])


def test_dimensions_in_any_order_are_the_same_metric(cloudwatch: Any, name: str) -> None:
    dimensions = [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
    put(cloudwatch, name, Timestamp=NOW - HOUR, Value=1.0, Dimensions=dimensions)
    put(cloudwatch, name, Timestamp=NOW - HOUR, Value=1.0, Dimensions=dimensions[::-1])
    wanted = query(name, stat="Sum")
    wanted["MetricStat"]["Metric"]["Dimensions"] = dimensions
    assert read(cloudwatch, NOW - HOUR, NOW, wanted)[0]["Values"] == [2.0]
    assert read(cloudwatch, NOW - HOUR, NOW, query(name))[0]["Values"] == []


@pytest.mark.parametrize(("period", "days"), [(60, 15), (300, 63), (3600, 455)])
def test_datapoints_are_kept_as_long_as_their_period_allows(
    aws: LocalAws, cloudwatch: Any, name: str, period: int, days: int
) -> None:
    oldest = NOW - timedelta(days=days)
    load(aws, name, oldest - timedelta(seconds=3 * period), 6, period)
    (result,) = read(cloudwatch, oldest + timedelta(seconds=period), NOW, query(name, period))
    assert result["Values"] == [5, 4]


@pytest.mark.parametrize(
    ("period", "days"), [(60, 15), (240, 15), (300, 63), (3300, 63), (3600, 455)]
)
def test_a_range_that_begins_beyond_retention_gives_nothing_at_all(
    aws: LocalAws, cloudwatch: Any, name: str, period: int, days: int
) -> None:
    load(aws, name, NOW - DAY, 6, period)
    kept = NOW - timedelta(days=days) + timedelta(seconds=period)
    (within,) = read(cloudwatch, kept, NOW, query(name, period))
    (beyond,) = read(cloudwatch, kept - timedelta(seconds=2 * period), NOW, query(name, period))
    assert len(within["Values"]) > 0
    assert beyond["Values"] == []


def test_what_is_loaded_for_the_future_is_invisible_until_then(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW + DAY, 1)
    later = NOW + 2 * DAY
    assert read(cloudwatch, NOW, later, query(name))[0]["Values"] == []
    aws.clock.move_to(NOW + DAY)
    assert read(cloudwatch, NOW, later, query(name))[0]["Values"] == [0]


def test_gaps_stay_gaps(aws: LocalAws, cloudwatch: Any, name: str) -> None:
    moments = [NOW - HOUR + timedelta(minutes=5 * number) for number in range(4)]
    values = [1.0, float("nan"), 3.0, 4.0]
    aws.cloudwatch.load_series("Shop", name, {}, 300, moments, values)
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name), ScanBy="TimestampAscending")
    assert result["Values"] == [1.0, 3.0, 4.0]


def test_pages_hold_what_was_asked_for_and_lose_nothing(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - DAY, 100)
    queries = [query(name), {**query(name), "Id": "again"}]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries,
        StartTime=NOW - DAY,
        EndTime=NOW,
        ScanBy="TimestampAscending",
        PaginationConfig={"PageSize": 70},
    )
    values: dict[str, list[float]] = {"m": [], "again": []}
    sizes = []
    for page in pages:
        sizes.append(sum(len(result["Values"]) for result in page["MetricDataResults"]))
        for result in page["MetricDataResults"]:
            values[result["Id"]] += result["Values"]
    assert sizes == [70, 70, 60]
    assert values["m"] == values["again"] == list(range(100))


def test_one_response_holds_no_more_than_the_limit(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - 14 * DAY, 14 * 1440, 60)
    queries = [{**query(name, 60), "Id": f"m{number}"} for number in range(6)]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=NOW - 14 * DAY, EndTime=NOW
    )
    count = sum(len(result["Values"]) for result in answer["MetricDataResults"])
    assert count == GET_METRIC_DATA_MAX_DATAPOINTS
    codes = [result["StatusCode"] for result in answer["MetricDataResults"]]
    assert codes == ["Complete"] * 5 + ["PartialData"]
    assert answer["NextToken"]


def test_a_token_belongs_to_its_request(aws: LocalAws, cloudwatch: Any, name: str) -> None:
    load(aws, name, NOW - DAY, 10)
    request = {"MetricDataQueries": [query(name)], "StartTime": NOW - DAY, "MaxDatapoints": 5}
    token = cloudwatch.get_metric_data(**request, EndTime=NOW)["NextToken"]
    with pytest.raises(ClientError, match="InvalidNextToken"):
        cloudwatch.get_metric_data(**request, EndTime=NOW - HOUR, NextToken=token)


@pytest.mark.parametrize(
    ("queries", "complaint"),
    [
        ([query("x")] * 2, "Id"),
        ([{**query("x"), "Id": "Upper"}], "Id"),
        ([query("x", period=90)], "Period"),
        ([query("x", stat="TM(10%:90)")], "Stat"),
        ([{"Id": "e", "Expression": "SUM(METRICS())"}], "does not implement METRICS"),
        ([{"Id": "e", "Expression": 'SELECT AVG(x) FROM "y"'}], "needs a Period"),
        ([{**query("x"), "Expression": "m"}], "either MetricStat or Expression"),
        ([{**query("x"), "Period": 60}], "does not implement Period"),
        (
            [{**query("x"), "Id": f"m{n}"} for n in range(GET_METRIC_DATA_MAX_QUERIES + 1)],
            "size greater than 500",
        ),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(
    cloudwatch: Any, queries: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(ClientError, match=complaint):
        read(cloudwatch, NOW - HOUR, NOW, *queries)


def expression(text: str, name: str = "e", **fields: Any) -> dict[str, Any]:
    return {"Id": name, "Expression": text, **fields}


def test_an_expression_is_answered_beside_its_metrics_without_a_token_for_what_does_not_fit(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - HOUR, 12)
    request: dict[str, Any] = {
        "MetricDataQueries": [expression("100 * m / (m + 1)", Period=300), query(name)],
        "StartTime": NOW - HOUR,
        "EndTime": NOW,
        "ScanBy": "TimestampAscending",
    }
    whole = cloudwatch.get_metric_data(**request)
    part = cloudwatch.get_metric_data(**request, MaxDatapoints=13)

    ratio, metric = (result["Values"] for result in whole["MetricDataResults"])
    assert metric == list(range(12))
    assert ratio == [100 * number / (number + 1) for number in range(12)]
    assert [len(each["Values"]) for each in part["MetricDataResults"]] == [12, 1]
    assert part["MetricDataResults"][1]["StatusCode"] == "PartialData"
    assert "NextToken" not in part


def test_metrics_of_an_expression_need_not_be_returned(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - HOUR, 3)
    queries = [
        query(name) | {"ReturnData": False},
        expression("m * 2", "twice", ReturnData=False),
        expression("twice + m", Label="three times"),
    ]
    (result,) = read(cloudwatch, NOW - HOUR, NOW, *queries, ScanBy="TimestampAscending")
    assert (result["Id"], result["Label"], result["Values"]) == ("e", "three times", [0, 3, 6])


@pytest.mark.parametrize(
    ("queries", "complaint"),
    [
        ([expression("m + n")], "Error in expression 'e': Unknown identifier n"),
        ([expression("m +")], "Error in expression 'e': Invalid syntax"),
        ([expression("AVG(m)")], "Error in expression 'e': The result of an expression must be"),
        ([expression("f"), expression("e", "f")], "Circular reference e -> f -> e"),
        ([expression("m" * 2_049)], "must have 1 to 2048 characters"),
        ([expression("m", Period=90)], "Period"),
        ([expression("SUM(SEARCH('x', 'Sum'))")], "Error in expression 'e': .* implements SEARCH"),
        ([expression("n", ReturnData=False), expression("m", "f")], "Unknown identifier n"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_id(
    aws: LocalAws, queries: list[dict[str, Any]], complaint: str
) -> None:
    unchecked = aws.client("cloudwatch", parameter_validation=False)
    with pytest.raises(ClientError, match=complaint) as refused:
        read(unchecked, NOW - HOUR, NOW, query("x"), *queries)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_window_that_ends_before_it_starts_is_refused(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="StartTime must be less than"):
        read(cloudwatch, NOW, NOW, query("x"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"Value": float("nan")}, "nan|NaN"),
        ({"Value": float("inf")}, "[iI]nf"),
        ({"Value": 2.0**361}, "invalid"),
        ({"Timestamp": NOW - timedelta(days=14, minutes=1)}, "two weeks in the past"),
        ({"Timestamp": NOW + timedelta(hours=2, minutes=30)}, "two hours in the future"),
        ({"MetricName": ""}, "MetricName"),
        ({"MetricName": "x" * 256}, "MetricName"),
        ({"Unit": "Furlongs"}, "Unit"),
        ({"StorageResolution": 5}, "StorageResolution"),
        ({"Dimensions": [{"Name": f"d{n}", "Value": "x"} for n in range(31)]}, "greater than 30"),
        ({"Dimensions": [{"Name": "d", "Value": " "}]}, "Value"),
        ({"Values": [1.0]}, "mutually exclusive"),
        ({"Value": None, "Values": [1.0] * 151}, "greater than 150"),
        ({"Value": None, "Values": [1.0], "Counts": [1.0, 2.0]}, "same size"),
        ({"Value": None}, "mutually exclusive"),
    ],
)
def test_a_datum_that_cloudwatch_refuses_is_refused(
    aws: LocalAws, change: dict[str, Any], complaint: str
) -> None:
    datum = {"MetricName": "m", "Timestamp": NOW, "Value": 1.0, **change}
    datum = {key: value for key, value in datum.items() if value is not None}
    unchecked = aws.client("cloudwatch", parameter_validation=False)
    with pytest.raises(ClientError, match=complaint) as caught:
        unchecked.put_metric_data(Namespace="Shop", MetricData=[datum])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_one_bad_datum_refuses_all(cloudwatch: Any, name: str) -> None:
    good = {"MetricName": name, "Timestamp": NOW - HOUR, "Value": 1.0}
    bad = {**good, "Timestamp": NOW - 15 * DAY}
    with pytest.raises(ClientError):
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[good, bad])
    assert read(cloudwatch, NOW - HOUR, NOW, query(name))[0]["Values"] == []


def test_a_request_holds_as_many_datums_and_values_as_the_limits_allow(
    cloudwatch: Any, name: str
) -> None:
    values = [1.0] * PUT_METRIC_DATA_MAX_VALUES_PER_DATUM
    datum = {"MetricName": name, "Timestamp": NOW - HOUR, "Values": values}
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    datums = [{"MetricName": name, "Timestamp": NOW - HOUR, "Value": 1.0}]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=datums * PUT_METRIC_DATA_MAX_DATUMS)
    with pytest.raises(ClientError, match="size greater than 1000"):
        cloudwatch.put_metric_data(
            Namespace="Shop", MetricData=datums * (PUT_METRIC_DATA_MAX_DATUMS + 1)
        )
    (result,) = read(cloudwatch, NOW - HOUR, NOW, query(name, stat="SampleCount"))
    assert result["Values"] == [1150]


def test_a_request_is_no_larger_than_a_megabyte(aws: LocalAws) -> None:
    uncompressed = aws.client("cloudwatch", disable_request_compression=True)
    dimensions = [{"Name": "d", "Value": "x" * 1000}]
    datums = [{"MetricName": "m", "Value": 1.0, "Dimensions": dimensions}] * 1000
    with pytest.raises(ClientError, match="RequestEntityTooLarge"):
        uncompressed.put_metric_data(Namespace="Shop", MetricData=datums)
    aws.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=datums)


@pytest.mark.parametrize("namespace", ["AWS/Lambda", ":colon", "x" * 256])
def test_a_namespace_that_is_not_ours_is_refused(cloudwatch: Any, namespace: str) -> None:
    with pytest.raises(ClientError, match="Namespace"):
        cloudwatch.put_metric_data(
            Namespace=namespace, MetricData=[{"MetricName": "m", "Value": 1.0}]
        )


def test_metrics_without_recent_datapoints_are_not_listed(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - 15 * DAY, 1)
    assert cloudwatch.list_metrics(MetricName=name)["Metrics"] == []
    load(aws, name, NOW - 13 * DAY, 1)
    assert len(cloudwatch.list_metrics(MetricName=name)["Metrics"]) == 1
    assert cloudwatch.list_metrics(MetricName=name, RecentlyActive="PT3H")["Metrics"] == []


def test_metrics_are_listed_by_dimension_and_in_pages(cloudwatch: Any, name: str) -> None:
    for number in range(501):
        dimensions = [{"Name": "number", "Value": str(number)}, {"Name": "all", "Value": "1"}]
        put(cloudwatch, name, Value=1.0, Dimensions=dimensions)
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        MetricName=name, Dimensions=[{"Name": "all"}]
    )
    assert [len(page["Metrics"]) for page in pages] == [500, 1]
    one = cloudwatch.list_metrics(MetricName=name, Dimensions=[{"Name": "number", "Value": "7"}])[
        "Metrics"
    ]
    assert len(one) == 1


@pytest.mark.parametrize(
    ("operation", "request_of"),
    [
        (
            "get_metric_statistics",
            {
                "Namespace": "Shop",
                "MetricName": "m",
                "Period": 60,
                "StartTime": NOW,
                "EndTime": NOW,
            },
        ),
        ("describe_alarm_contributors", {"AlarmName": "any"}),
        ("get_metric_widget_image", {"MetricWidget": "{}"}),
    ],
)
def test_an_operation_that_is_not_implemented_is_refused_by_name(
    cloudwatch: Any, operation: str, request_of: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="The local CloudWatch does not implement"):
        getattr(cloudwatch, operation)(**request_of)


def test_a_month_at_five_minutes_is_read_in_one_answer(
    aws: LocalAws, cloudwatch: Any, name: str
) -> None:
    load(aws, name, NOW - 30 * DAY, 30 * 288)
    (result,) = read(cloudwatch, NOW - 30 * DAY, NOW, query(name))
    assert len(result["Values"]) == 8640
