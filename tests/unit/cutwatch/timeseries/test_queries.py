from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.timeseries.queries import metric_data_queries, query_count, result_id
from tests.support.builders import a_detector, a_ratio

ID = st.from_regex(r"[a-z][a-zA-Z0-9_]{0,4}", fullmatch=True)


def test_a_single_metric_is_one_query_that_returns_its_data() -> None:
    assert metric_data_queries(a_detector(dimensions={"Shop": "north"}, period=60), 12) == [
        {
            "Id": "d12",
            "ReturnData": True,
            "MetricStat": {
                "Metric": {
                    "Namespace": "Shop",
                    "MetricName": "Orders",
                    "Dimensions": [{"Name": "Shop", "Value": "north"}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
    ]


def test_an_expression_returns_its_result_but_not_its_metrics() -> None:
    result, *metrics = metric_data_queries(a_ratio(period=60), 3)

    assert result == {
        "Id": "d3",
        "ReturnData": True,
        "Expression": "100 * d3_errors / d3_requests",
        "Period": 60,
    }
    assert [(query["Id"], query["ReturnData"]) for query in metrics] == [
        ("d3_errors", False),
        ("d3_requests", False),
    ]
    assert {query["MetricStat"]["Period"] for query in metrics} == {60}


@given(st.lists(st.sets(ID, max_size=10), min_size=1, max_size=20))
def test_all_ids_of_a_call_are_its_own(names: list[set[str]]) -> None:
    metric = SourceMetric("Shop", "Errors", "Sum")
    detectors = [
        a_ratio(expression="+".join(ids), metrics=dict.fromkeys(ids, metric))
        if ids
        else a_detector()
        for ids in names
    ]
    queries = [
        query
        for number, detector in enumerate(detectors)
        for query in metric_data_queries(detector, number)
    ]
    ids = [query["Id"] for query in queries]

    assert len(set(ids)) == len(ids) == sum(map(query_count, detectors))
    returned = [query["Id"] for query in queries if query["ReturnData"]]
    assert returned == [result_id(number) for number in range(len(detectors))]
