import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cutwatch.detectors.detector import CutoffRule, Detector
from cutwatch.detectors.metric_source import SourceMetric
from tests.support.builders import a_detector, a_ratio


@pytest.mark.parametrize("name", ["a", "checkout-errors", "v1.2_x", "9lives", "x" * 64])
def test_names_that_fit_a_dimension_and_a_job_are_accepted(name: str) -> None:
    assert a_detector(name).name == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "ä", "x" * 65, "a\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^name: .* must be 1 to 64 of"):
        a_detector(name)


@pytest.mark.parametrize(
    "statistic",
    ["SampleCount", "Average", "Sum", "Minimum", "Maximum", "IQM", "p99", "p99.9", "tm95", "wm50"],
)
def test_cloudwatchs_statistics_are_accepted(statistic: str) -> None:
    assert a_detector(statistic=statistic).statistic == statistic


@pytest.mark.parametrize("statistic", ["Mean", "average", "p", "p100.", "p-1", "99", "p9999"])
def test_other_statistics_are_refused(statistic: str) -> None:
    with pytest.raises(ValueError, match=r"^statistic: .* is not valid"):
        a_detector(statistic=statistic)


@pytest.mark.parametrize("period", [60, 120, 300, 3_600, 86_400])
def test_whole_minutes_up_to_a_day_are_periods(period: int) -> None:
    assert a_detector(period=period).period == period


@pytest.mark.parametrize("period", [0, -60, 1, 59, 61, 90, 86_460])
def test_other_periods_are_refused(period: int) -> None:
    with pytest.raises(ValueError, match=r"^period: .* must be a multiple of 60 seconds"):
        a_detector(period=period)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"])
def test_iana_time_zones_are_accepted(zone: str) -> None:
    assert a_detector(time_zone=zone).time_zone == zone


@pytest.mark.parametrize("zone", ["", "Berlin", "../etc/passwd", "/etc/passwd", "Europe/Paris\0"])
def test_other_time_zones_are_refused(zone: str) -> None:
    with pytest.raises(ValueError, match=r"^time_zone: "):
        a_detector(time_zone=zone)


@pytest.mark.parametrize(
    "change",
    [
        {"namespace": "Other"},
        {"metric": "Refunds"},
        {"dimensions": {"Shop": "north"}},
        {"statistic": "Average"},
        {"period": 60},
        {"missing_data": "zero"},
        {"shingle_size": 4},
    ],
)
def test_another_metric_or_recipe_makes_models_unusable(change: dict[str, Any]) -> None:
    assert a_detector(**change).fingerprint != a_detector().fingerprint


@pytest.mark.parametrize(
    "change", [{"cutoff": CutoffRule("window", 5.0)}, {"history_days": 14}, {"name": "renamed"}]
)
def test_another_judgement_does_not(change: dict[str, Any]) -> None:
    assert replace(a_detector(), **change).fingerprint == a_detector().fingerprint


def test_the_order_of_dimensions_does_not_matter() -> None:
    one = a_detector(dimensions={"Shop": "north", "Till": "3"})
    other = a_detector(dimensions={"Till": "3", "Shop": "north"})

    assert one.fingerprint == other.fingerprint
    assert one.metric_label == other.metric_label == "Shop Orders (Shop=north, Till=3), Sum"


@pytest.mark.parametrize(
    ("period", "days", "history"),
    [
        (300, None, timedelta(days=30)),
        (60, None, timedelta(days=15, seconds=-60)),
        (3_600, None, timedelta(days=455, hours=-1)),
        (86_400, None, timedelta(days=454)),
        (300, 14, timedelta(days=14)),
        (60, 30, timedelta(days=15, seconds=-60)),
        (300, 90, timedelta(days=63, seconds=-300)),
        (3_600, 455, timedelta(days=455, hours=-1)),
    ],
)
def test_history_reaches_back_as_far_as_asked_for_and_as_cloudwatch_keeps(
    period: int, days: int | None, history: timedelta
) -> None:
    assert a_detector(period=period, history_days=days).history == history


def test_a_detector_travels_between_states_unchanged() -> None:
    detector = a_detector(dimensions={"Shop": "north"}, cutoff=CutoffRule("window", 2.5))
    assert Detector.from_payload(detector.to_payload()) == detector


def test_fields_that_another_version_wrote_or_left_out_do_no_harm() -> None:
    payload = a_detector().to_payload() | {"colour": "red"}
    del payload["time_zone"], payload["cutoff"]

    assert Detector.from_payload(payload) == a_detector()


def test_a_detector_of_an_expression_travels_unchanged() -> None:
    ratio = a_ratio(cutoff=CutoffRule("window", 2.5))
    assert Detector.from_payload(json.loads(json.dumps(ratio.to_payload()))) == ratio


def test_a_payload_has_only_the_form_of_source_that_the_detector_has() -> None:
    assert not {"expression", "metrics"} & a_detector().to_payload().keys()
    single = {"namespace", "metric", "statistic", "dimensions"}
    assert not single & a_ratio().to_payload().keys()


def test_a_sum_of_an_hour_is_twelve_of_five_minutes_and_of_a_ratio_it_is_not_known() -> None:
    assert a_detector(statistic="Sum", period=300).growth(3_600) == 12.0
    assert a_detector(statistic="Average", period=300).growth(3_600) == 1.0
    assert a_ratio().growth(3_600) is None


def test_an_expression_is_named_with_what_its_names_mean() -> None:
    assert a_ratio().metric_label == (
        "100 * errors / requests "
        "(errors: Shop Errors (Shop=north), Sum; requests: Shop Requests (Shop=north), Sum)"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"expression": "errors / requests"},
        {
            "metrics": {
                "errors": SourceMetric("Shop", "Errors", "Sum"),
                "requests": SourceMetric("Shop", "Requests", "Sum"),
            }
        },
    ],
)
def test_another_expression_or_other_metrics_make_models_unusable(change: dict[str, Any]) -> None:
    assert a_ratio(**change).fingerprint != a_ratio().fingerprint


def test_models_trained_before_there_were_expressions_stay_usable() -> None:
    assert a_detector().fingerprint == "ea432e15c04d"


def test_all_that_a_detector_finds_wrong_comes_at_once() -> None:
    with pytest.raises(ValueError, match=r"^name: ") as refused:
        a_detector("a b", period=61, statistic="Mean")
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["/aws/lambda/checkout", "shop.orders_#1", "a" * 512])
def test_a_log_group_has_a_name_of_cloudwatch_logs(name: str) -> None:
    assert a_detector(log_group=name).log_group == name


@pytest.mark.parametrize("name", ["", "/aws/lambda/check out", "a" * 513, "arn:aws:logs:x"])
def test_a_log_group_that_cannot_exist_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"log_group: .* is not a valid name"):
        a_detector(log_group=name)
