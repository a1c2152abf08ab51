"""Links into the console, read back by a parser of the console's notation."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.console_links import event_url, graph_url, home, jsurl, logs_url
from tests.support.builders import NOON, a_detector, a_ratio

HOUR = timedelta(hours=1)


def parsed(text: str) -> Any:
    value, rest = _parse(text)
    assert not rest
    return value


def _parse(text: str) -> tuple[Any, str]:
    if text.startswith("~'"):
        found = re.match(r"~'((?:[A-Za-z0-9_.-]|\*\*[0-9a-f]{4}|\*[0-9a-f]{2})*)", text)
        assert found
        return _unescaped(found[1]), text[found.end() :]
    if text.startswith("~("):
        return _parse_members(text[2:])
    found = re.match(r"~(true|false|-?[\d.e+-]+)", text)
    assert found
    word = {"true": True, "false": False}.get(found[1])
    return (float(found[1]) if word is None else word), text[found.end() :]


def _parse_members(text: str) -> tuple[Any, str]:
    if text.startswith("~)"):
        return [], text[2:]
    if text.startswith("~"):
        items = []
        while not text.startswith(")"):
            item, text = _parse(text)
            items.append(item)
        return items, text[1:]
    members = {}
    while not text.startswith(")"):
        name = re.match(r"[A-Za-z0-9_.*-]*", text)
        assert name
        members[_unescaped(name[0])], text = _parse(text[name.end() :])
        text = text.removeprefix("~") if text.startswith("~") else text
    return members, text[1:]


def _unescaped(text: str) -> str:
    units = re.sub(
        r"\*\*([0-9a-f]{4})|\*([0-9a-f]{2})|(.)",
        lambda found: found[1] or (f"00{found[2]}" if found[2] else f"{ord(found[3]):04x}"),
        text,
    )
    return bytes.fromhex(units).decode("utf-16-be")


def graph(url: str) -> Any:
    found = re.fullmatch(r"https://[^#]+#metricsV2:graph=(.*);query=~'[\w.*-]+", url)
    assert found, url
    return parsed(found[1])


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
values = st.recursive(
    texts | st.booleans() | st.integers(-1000, 1000),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(keys, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_what_is_written_for_the_console_can_be_read_back(value: Any) -> None:
    assert parsed(jsurl(value)) == value


@given(values)
def test_nothing_in_a_link_can_end_it_early(value: Any) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.*~'()-]*", jsurl(value))


def test_a_graph_is_written_as_the_console_writes_it() -> None:
    line = ["AWS/Lambda", "Errors", "FunctionName", "checkout", {"stat": "Sum"}]
    assert jsurl({"metrics": [line], "period": 300, "stacked": False}) == (
        "~(metrics~(~(~'AWS*2fLambda~'Errors~'FunctionName~'checkout~(stat~'Sum)))"
        "~period~300~stacked~false)"
    )


def test_the_graph_shows_the_metric_with_its_anomalies_around_the_event() -> None:
    detector = a_detector(dimensions={"Shop": "north"})

    shown = graph(graph_url("eu-west-1", detector, "Cutwatch", NOON, NOON + HOUR))

    assert shown["metrics"] == [
        ["Shop", "Orders", "Shop", "north", {"stat": "Sum"}],
        ["Cutwatch", "Anomaly", "Detector", "orders", {"stat": "Maximum", "yAxis": "right"}],
        ["Cutwatch", "AnomalyScore", "Detector", "orders", {"stat": "Maximum", "yAxis": "right"}],
    ]
    assert (shown["start"], shown["end"]) == (
        "2026-11-02T06:00:00.000Z",
        "2026-11-02T19:00:00.000Z",
    )
    assert (shown["period"], shown["region"]) == (300, "eu-west-1")


@pytest.mark.parametrize(("lasting", "shown_for"), [(2 * HOUR, 120), (0 * HOUR, 5)])
def test_the_graph_marks_the_event_itself_for_cloudwatch_shows_its_anomalies_late(
    lasting: timedelta, shown_for: int
) -> None:
    shown = graph(graph_url("eu-west-1", a_detector(), "Cutwatch", NOON, NOON + lasting))
    [[begin, end]] = shown["annotations"]["vertical"]
    assert (begin["label"], begin["value"]) == ("anomaly", "2026-11-02T12:00:00.000Z")
    until = NOON + timedelta(minutes=shown_for)
    assert end["value"] == f"{until:%Y-%m-%dT%H:%M}:00.000Z"


def test_a_long_event_has_as_much_before_and_after_it() -> None:
    shown = graph(graph_url("eu-west-1", a_detector(), "Cutwatch", NOON, NOON + 24 * HOUR))
    assert (shown["start"], shown["end"]) == (
        "2026-11-01T12:00:00.000Z",
        "2026-11-04T12:00:00.000Z",
    )


def test_a_link_that_nothing_would_take_leaves_out_the_metric() -> None:
    long = a_detector(dimensions={f"{n:02}{'d' * 200}": "/" * 1_024 for n in range(30)})

    url = graph_url("eu-west-1", long, "Cutwatch", NOON, NOON)

    assert len(url) < 8_000
    assert [line[1] for line in graph(url)["metrics"]] == ["Anomaly", "AnomalyScore"]


def test_an_expression_is_drawn_and_its_metrics_are_not() -> None:
    metrics = graph(graph_url("eu-west-1", a_ratio(), "Cutwatch", NOON, NOON))["metrics"]

    assert metrics[:3] == [
        ["Shop", "Errors", "Shop", "north", {"stat": "Sum", "id": "errors", "visible": False}],
        ["Shop", "Requests", "Shop", "north", {"stat": "Sum", "id": "requests", "visible": False}],
        [{"expression": "100 * errors / requests", "label": "error-rate"}],
    ]


@pytest.mark.parametrize(
    ("region", "begins"),
    [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudwatch/"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/"),
    ],
)
def test_each_partition_has_a_console_of_its_own(region: str, begins: str) -> None:
    assert home(region).startswith(begins)


def test_the_link_of_a_mail_has_the_metric_around_all_events_and_a_band_over_one() -> None:
    band = (NOON + HOUR, NOON + 2 * HOUR)
    url = event_url("eu-west-1", a_detector(), NOON, NOON + 3 * HOUR, band)
    shown = graph(url)
    assert shown["metrics"] == [["Shop", "Orders", {"stat": "Sum"}]]
    assert (shown["start"], shown["end"]) == (
        "2026-11-02T06:00:00.000Z",
        "2026-11-02T21:00:00.000Z",
    )
    assert shown["annotations"]["vertical"] == [
        [{"value": "2026-11-02T13:00:00.000Z"}, {"value": "2026-11-02T14:00:00.000Z"}]
    ]
    long = a_detector(dimensions={f"{n:02}{'d' * 200}": "/" * 1_024 for n in range(30)})
    assert graph(event_url("eu-west-1", long, NOON, NOON, band))["metrics"] == []


def test_a_link_to_logs_names_the_group_and_the_time_in_the_region_s_partition() -> None:
    url = logs_url("cn-north-1", "/ecs/shop", NOON, NOON + HOUR)
    assert url.startswith("https://cn-north-1.console.amazonaws.cn/cloudwatch/home?")
    assert "start~'2026-11-02T12*3a00*3a00.000Z~end~'2026-11-02T13*3a00*3a00.000Z" in url
    assert url.endswith("~source~(~'*2fecs*2fshop))")
