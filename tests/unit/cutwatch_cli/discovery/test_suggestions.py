import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch_cli.discovery.suggestions import (
    ListedMetric,
    detector_entries,
    stanza,
    template_entries,
    usual_statistic,
)


@pytest.mark.parametrize(
    ("metric", "statistic"),
    [
        ("Errors", "Sum"),
        ("Invocations", "Sum"),
        ("Throttles", "Sum"),
        ("RequestCount", "Sum"),
        ("HTTPCode_Target_5XX_Count", "Sum"),
        ("5XXError", "Sum"),
        ("NumberOfMessagesSent", "Sum"),
        ("NetworkIn", "Average"),
        ("BytesDownloaded", "Average"),
        ("NetworkBytesOut", "Sum"),
        ("ThrottledRequests", "Sum"),
        ("ExecutionsFailed", "Sum"),
        ("Duration", "p99"),
        ("TargetResponseTime", "p99"),
        ("IntegrationLatency", "p99"),
        ("SuccessfulRequestLatency", "p99"),
        ("CPUUtilization", "Average"),
        ("HealthyHostCount", "Average"),
        ("DatabaseConnections", "Average"),
        ("ApproximateNumberOfMessagesVisible", "Average"),
        ("ApproximateAgeOfOldestMessage", "Maximum"),
        ("ConcurrentExecutions", "Maximum"),
        ("ActiveUsers", "Average"),
    ],
)
def test_the_statistic_suits_what_a_metric_measures(metric: str, statistic: str) -> None:
    assert usual_statistic(metric) == statistic


ERRORS = ListedMetric("AWS/Lambda", "Errors", (("FunctionName", "checkout"),))


def test_an_entry_has_what_a_detector_needs_and_no_defaults() -> None:
    assert detector_entries([ERRORS]) == [
        {
            "name": "errors-checkout",
            "namespace": "AWS/Lambda",
            "metric": "Errors",
            "dimensions": {"FunctionName": "checkout"},
            "statistic": "Sum",
        }
    ]
    [entry] = detector_entries([ListedMetric("Shop", "TargetResponseTime")], "p50", 60)
    assert (entry["name"], entry["statistic"], entry["period"]) == (
        "target-response-time",
        "p50",
        60,
    )
    assert "dimensions" not in entry


def test_two_metrics_whose_names_would_agree_are_told_apart() -> None:
    entries = detector_entries(
        [
            ListedMetric("Shop", "Orders", (("Shop", "1"),)),
            ListedMetric("Shop", "Orders", (("Till", "1"),)),
            ListedMetric("Shop", "Orders", (("Till", "2"),)),
        ]
    )
    first, second, third = (entry["name"] for entry in entries)
    assert re.fullmatch(r"orders-Orders-Shop-1-[0-9a-f]{10}", first)
    assert re.fullmatch(r"orders-Orders-Till-1-[0-9a-f]{10}", second)
    assert third == "orders-2"


def test_metrics_that_differ_in_one_dimension_alone_are_one_template() -> None:
    metrics = [
        ListedMetric("Shop", "Orders", (("Shop", shop), ("Till", till)))
        for shop in ("north", "south")
        for till in ("1", "2", "3")
    ]
    entries = template_entries([*metrics, ListedMetric("Shop", "Orders")], "Till")
    assert [(entry["name"], entry["dimensions"]) for entry in entries] == [
        ("orders-north", {"Shop": "north"}),
        ("orders-south", {"Shop": "south"}),
    ]
    assert all("limit" not in entry for entry in entries)


@pytest.mark.parametrize(("count", "limit"), [(100, None), (101, 202), (900, 1_000)])
def test_a_template_of_many_gets_room_to_grow(count: int, limit: int | None) -> None:
    metrics = [ListedMetric("Shop", "Orders", (("Till", str(n)),)) for n in range(count)]
    [entry] = template_entries(metrics, "Till")
    assert entry.get("limit") == limit


printable = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
words = (
    st.text(printable, min_size=1, max_size=50)
    | st.sampled_from(["Errors", "app/web/1", "22:00", "2026-12-24", "on", "null", "1e3", "~"])
    | st.sampled_from(["0x1F", "a: b", "- x", "**"])
).filter(lambda word: word != "*")
listed = st.lists(
    st.builds(
        ListedMetric,
        st.just("Shop"),
        words,
        st.dictionaries(words | st.just("Till"), words, max_size=3).map(
            lambda dimensions: tuple(sorted(dimensions.items()))
        ),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@given(listed)
def test_what_is_printed_for_any_metrics_loads_as_just_these(metrics: list[ListedMetric]) -> None:
    loaded = parse_configuration(stanza(detector_entries(metrics))).detectors

    assert {(d.metric, tuple(sorted(d.dimensions.items()))) for d in loaded} == {
        (metric.name, metric.dimensions) for metric in metrics
    }
    assert {detector.namespace for detector in loaded} == {"Shop"}


@pytest.mark.slow
@given(listed)
def test_templates_for_any_metrics_load_too(metrics: list[ListedMetric]) -> None:
    entries = template_entries(metrics, "Till")
    if entries:
        loaded = parse_configuration(stanza(entries)).templates
        assert [template.for_each for template in loaded] == ["Till"] * len(entries)
