"""What CloudWatch sends to a custom widget, and what anybody else may send."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.errors import InvalidInput
from cutwatch.widget.request import NOT_CHOSEN, WidgetRequest
from tests.support.sample_events import sample
from tests.unit.test_hostile_input import JSON

START, END = (
    datetime(2026, 10, 26, 4, 5, 11, tzinfo=UTC),
    datetime(2026, 11, 2, 4, 5, 11, tzinfo=UTC),
)


def event(parameters: dict[str, Any] | None = None, **context: Any) -> dict[str, Any]:
    return {
        **(parameters or {}),
        "widgetContext": sample("draw_widget")["widgetContext"] | context,
    }


def test_the_sample_is_read() -> None:
    request = WidgetRequest.from_event(sample("draw_widget"))
    assert request == WidgetRequest(
        "lambda-invocations", START, END, 1180, 540, False, UTC, "widget-2"
    )
    assert request.zone_name == "UTC"


@pytest.mark.parametrize(
    ("parameters", "detector"),
    [
        ({"detector": "orders"}, "orders"),
        ({"detector": " orders\n"}, "orders"),
        ({"detector": ""}, ""),
        ({"detector": NOT_CHOSEN}, ""),
        ({}, "lambda-invocations"),
    ],
)
def test_the_detector_is_that_of_the_call_else_that_of_the_widget(
    parameters: dict[str, Any], detector: str
) -> None:
    assert WidgetRequest.from_event(event(parameters)).detector == detector


def test_no_parameter_at_all_is_every_detector() -> None:
    nothing: list[Any] = [{}, None, "x"]
    for parameters in nothing:
        assert WidgetRequest.from_event(event(params=parameters)).detector == ""


def test_what_is_zoomed_into_is_what_is_shown() -> None:
    zoom = {"start": START.timestamp() * 1000 + 60_000, "end": START.timestamp() * 1000 + 120_999}
    shown = WidgetRequest.from_event(
        event(timeRange={"mode": "relative", "start": 0, "end": 1, "zoom": zoom})
    )
    assert (shown.start, shown.end) == (
        START + timedelta(minutes=1),
        START + timedelta(minutes=2),
    )


@pytest.mark.parametrize("zoom", [None, {}, [], {"start": 5}])
def test_no_zoom_is_the_whole_range(zoom: Any) -> None:
    time_range = sample("draw_widget")["widgetContext"]["timeRange"] | {"zoom": zoom}
    assert WidgetRequest.from_event(event(timeRange=time_range)).start == START


@pytest.mark.parametrize(
    ("given_zone", "minutes", "name"),
    [
        ({"offsetISO": "+02:00", "offsetInMinutes": -120}, 120, "UTC+02:00"),
        ({"offsetISO": "-0330"}, -210, "UTC-03:30"),
        ({"offsetInMinutes": 330}, 330, "UTC+05:30"),
        ({"offsetISO": "Z", "offsetInMinutes": 60}, 60, "UTC+01:00"),
        ({"offsetISO": "+99:99"}, 0, "UTC"),
        ({"offsetInMinutes": "120"}, 0, "UTC"),
        (None, 0, "UTC"),
    ],
)
def test_the_zone_is_the_dashboard_s(given_zone: Any, minutes: int, name: str) -> None:
    request = WidgetRequest.from_event(event(timezone=given_zone))
    assert request.zone.utcoffset(None) == timedelta(minutes=minutes)
    assert request.zone_name == name


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (588, 369, (588, 369)),
        (588.7, 369.2, (588, 369)),
        (1, 1, (240, 120)),
        (1e9, 1e9, (4000, 4000)),
        (None, "tall", (800, 480)),
        (True, False, (800, 480)),
    ],
)
def test_sizes_are_kept_within_what_can_be_drawn(
    width: Any, height: Any, size: tuple[int, int]
) -> None:
    request = WidgetRequest.from_event(event(width=width, height=height))
    assert (request.width, request.height) == size


def test_the_theme_is_dark_only_if_it_is() -> None:
    assert WidgetRequest.from_event(event(theme="dark")).dark
    assert not WidgetRequest.from_event(event(theme="black")).dark


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({}, "widgetContext is None; expected an object"),
        (event(timeRange=None), "widgetContext.timeRange is None"),
        (event(timeRange={"start": "now", "end": 1}), "timeRange.start is 'now'; expected milli"),
        (event(timeRange={"start": True, "end": 1}), "timeRange.start is True"),
        (event(timeRange={"start": 0, "end": 1e18}), "timeRange.end is 1e"),
        (event(timeRange={"start": -1, "end": 1}), "timeRange.start is -1"),
        (event(timeRange={"start": 5_000, "end": 5_000}), "not after it starts"),
        (event({"detector": 7}), "detector is 7; expected the name of a detector"),
    ],
)
def test_what_is_wrong_is_said(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        WidgetRequest.from_event(wrong)


@given(JSON, st.dictionaries(st.sampled_from([*sample("draw_widget")["widgetContext"]]), JSON))
def test_whatever_is_sent_is_read_or_refused(detector: Any, context: dict[str, Any]) -> None:
    try:
        request = WidgetRequest.from_event(event({"detector": detector}, **context))
    except InvalidInput:
        return
    assert request.start < request.end
    assert request.width >= 240
