import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.templates import (
    Configuration,
    DetectorTemplate,
    detector_name,
    expand,
    watched,
)
from cutwatch.errors import AccessDenied, TemplateExpansion, Throttled
from tests.support.builders import a_detector, a_ratio
from tests.support.fakes import Fake

Dimensions = dict[str, str]


class Listing(Fake):
    """ListMetrics, one metric a page, of metrics of one name."""

    def __init__(self, *metrics: Dimensions) -> None:
        self.metrics = metrics
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=self._paginate)

    def _paginate(self, **request: Any) -> list[dict[str, Any]]:
        self.asked.append(request)
        return [
            {"Metrics": [{"Dimensions": [{"Name": k, "Value": v} for k, v in each.items()]}]}
            for each in self.metrics
        ]


def a_template(name: str = "tills", limit: int = 100, **fields: Any) -> DetectorTemplate:
    return DetectorTemplate(a_detector(name, **fields), "Till", limit)


def tills(*values: str) -> list[Dimensions]:
    return [{"Till": value} for value in values]


def names(detectors: Sequence[Any]) -> list[str]:
    return [detector.name for detector in detectors]


def test_there_is_a_detector_for_every_value_in_the_order_of_the_values() -> None:
    found = expand(Listing(*tills("7", "3", "7", "12")), a_template(period=60))

    assert names(found) == ["tills-12", "tills-3", "tills-7"]
    assert [detector.dimensions for detector in found] == tills("12", "3", "7")
    assert {detector.period for detector in found} == {60}


def test_only_metrics_with_exactly_the_templates_dimensions_count() -> None:
    listing = Listing(
        {"Shop": "north", "Till": "1"},
        {"Shop": "south", "Till": "2"},
        {"Shop": "north"},
        {"Till": "3"},
        {"Shop": "north", "Till": "4", "Floor": "1"},
        {"Shop": "north", "Floor": "5"},
    )
    [detector] = expand(listing, a_template(dimensions={"Shop": "north"}))

    assert detector.dimensions == {"Shop": "north", "Till": "1"}
    assert listing.asked == [
        {
            "Namespace": "Shop",
            "MetricName": "Orders",
            "Dimensions": [{"Name": "Shop", "Value": "north"}, {"Name": "Till"}],
        }
    ]


def test_every_metric_of_an_expression_gets_the_value_that_the_first_has() -> None:
    template = DetectorTemplate(a_ratio("rate"), "Till")
    listing = Listing({"Shop": "north", "Till": "1"})
    [detector] = expand(listing, template)

    assert [source.dimensions for source in detector.sources] == [
        {"Shop": "north", "Till": "1"}
    ] * 2
    assert listing.asked[0]["MetricName"] == "Errors"


def test_no_value_is_an_error_that_says_what_was_asked_for() -> None:
    with pytest.raises(TemplateExpansion) as raised:
        expand(Listing(), a_template(dimensions={"Shop": "north"}))
    assert str(raised.value) == (
        "template 'tills': 0 detectors: no Shop Orders was reported in the last two weeks "
        "with exactly the dimensions Shop=north, Till"
    )


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        (3, "increase limit or add dimensions that select fewer values"),
        (1_001, "add dimensions that select fewer values"),
    ],
)
def test_more_values_than_the_limit_are_an_error_with_their_number(found: int, remedy: str) -> None:
    with pytest.raises(TemplateExpansion) as raised:
        expand(Listing(*tills(*map(str, range(found)))), a_template(limit=2))
    assert str(raised.value) == (
        f"template 'tills': {found} values of Till, but its limit is 2; {remedy}"
    )


def test_as_many_values_as_the_limit_are_fine() -> None:
    assert len(expand(Listing(*tills("1", "2")), a_template(limit=2))) == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("checkout", r"alb-checkout"),
        ("v1.2_x", r"alb-v1\.2_x"),
        ("app/web/1", r"alb-app-web-1-[0-9a-f]{10}"),
        ("ä" * 20, r"alb-[0-9a-f]{10}"),
        ("x" * 60, r"alb-x{60}"),
        ("x" * 61, r"alb-x{49}-[0-9a-f]{10}"),
        ("a-0123456789", r"alb-a-0123456789-[0-9a-f]{10}"),
    ],
)
def test_a_value_stands_in_the_name_with_a_digest_where_it_does_not_fit(
    text: str, name: str
) -> None:
    assert re.fullmatch(name, detector_name("alb", text))


@given(
    st.text(min_size=1, max_size=40).filter(re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*").fullmatch)
    | st.sampled_from(["a", "a-b", "x" * 40]),
    st.lists(
        st.text(min_size=1, max_size=100) | st.text(alphabet="a/-", min_size=1, max_size=6),
        min_size=2,
        max_size=8,
        unique=True,
    ),
)
def test_names_are_valid_and_no_two_values_share_one(head: str, values: list[str]) -> None:
    made = [detector_name(head, value) for value in values]

    assert len(set(made)) == len(values)
    assert all(a_detector(name).name == name for name in made)
    assert all(name.startswith(f"{head}-") for name in made)


@given(st.text(min_size=1, max_size=80))
def test_a_value_never_takes_the_name_that_stands_for_another(value: str) -> None:
    shortened = detector_name("t", value).removeprefix("t-")
    assert shortened == value or detector_name("t", shortened) != detector_name("t", value)


def test_the_watched_are_the_detectors_and_those_of_the_templates() -> None:
    configuration = Configuration((a_detector(),), (a_template(),))
    found = watched(Listing(*tills("1", "2")), configuration)

    assert names(found.detectors) == ["orders", "tills-1", "tills-2"]
    assert found.problems == ()


NOBODY: Any = None


def test_a_file_without_templates_asks_nobody() -> None:
    assert names(watched(NOBODY, Configuration((a_detector(),))).detectors) == ["orders"]


def test_one_bad_template_stops_no_other() -> None:
    templates = (a_template("few", limit=1), a_template("many"))
    found = watched(Listing(*tills("1", "2")), Configuration((a_detector(),), templates))

    assert names(found.detectors) == ["orders", "many-1", "many-2"]
    [(name, message)] = found.problems
    assert (name, message) == ("few", message)
    assert "2 values of Till, but its limit is 1" in message


def test_a_template_onto_the_name_of_another_detector_is_left_out() -> None:
    configuration = Configuration((a_detector("tills-2"),), (a_template(),))
    found = watched(Listing(*tills("1", "2")), configuration)

    assert names(found.detectors) == ["tills-2"]
    [(_, message)] = found.problems
    assert message == (
        "template 'tills': 1 of 2 detectors would be named 'tills-2', like another detector; "
        "rename one of them"
    )


def test_the_detectors_of_a_template_with_a_problem_may_still_be_watched() -> None:
    found = watched(Listing(), Configuration((a_detector(),), (a_template(),)))

    assert found.may_include("orders")
    assert found.may_include("tills-7")
    assert not found.may_include("refunds")
    assert not watched(NOBODY, Configuration((a_detector(),))).may_include("tills-7")


def failing(error: Exception) -> Any:
    def paginate(**_: Any) -> None:
        raise error

    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))


def test_a_missing_permission_is_the_templates_problem() -> None:
    denied = AccessDenied("ListMetrics", "AccessDenied", "not allowed")
    found = watched(failing(denied), Configuration((), (a_template(),)))
    assert found.problems == (("tills", "ListMetrics: not allowed (AccessDenied)"),)


def test_what_another_attempt_may_mend_is_raised() -> None:
    throttled = Throttled("ListMetrics", "Throttling", "Rate exceeded")
    with pytest.raises(Throttled):
        watched(failing(throttled), Configuration((), (a_template(),)))
