"""What programs are told, held against the schema that docs/events.md promises them."""

import json
import re
from dataclasses import replace
from typing import Any
from unittest.mock import Mock, patch

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import PUT_EVENTS_MAX_BYTES
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.errors import AccessDenied, RejectedRequest, ServiceFault
from cutwatch.notifications.eventbridge import entries, put
from tests.support.builders import a_detector, a_ratio, an_outcome
from tests.support.project import PROJECT
from tests.unit.cutwatch.notifications.test_messages import PLACE, POINT, SILENCE, SPIKE, found

DOCUMENT = PROJECT / "docs" / "events.md"
SCHEMA = json.loads((PROJECT / "docs" / "anomaly-event.schema.json").read_text())
RUN = "transform-20261102T120000Z"


def details(*events: AnomalyEvent, silenced: Any = (), **fields: Any) -> list[dict[str, Any]]:
    put_entries = entries([found("orders", *events, **fields)], PLACE, RUN, set(silenced))
    return [json.loads(entry["Detail"]) for entry in put_entries]


def assert_promised(detail: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(detail)


@pytest.mark.parametrize("event", [SPIKE, POINT, SILENCE])
def test_every_kind_of_event_is_as_the_schema_says(event: AnomalyEvent) -> None:
    start = event.start
    [detail] = details(replace(event, id=f"orders:{start}"))
    assert_promised(detail)


def test_a_detector_of_an_expression_is_told_like_any_other() -> None:
    [detail] = details(SPIKE, definition=a_ratio().to_payload())
    assert_promised(detail)
    assert detail["metric"].startswith("100 * errors / requests (errors: Shop Errors")


numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        replace, st.just(SPIKE), severity=numbers, score=numbers, value=numbers, expected=numbers
    )
)
def test_whatever_the_numbers_the_detail_is_as_promised_and_small(event: AnomalyEvent) -> None:
    [detail] = details(event)
    assert_promised(detail)


def test_a_silenced_detectors_events_are_told_as_such() -> None:
    assert [detail["silenced"] for detail in details(SPIKE, silenced=["orders"])] == [True]
    assert [detail["silenced"] for detail in details(SPIKE, silenced=["visits"])] == [False]


def test_the_longest_definition_that_there_can_be_still_fits() -> None:
    long = a_detector(dimensions={f"{n:02}{'d' * 253}": "v" * 1_024 for n in range(30)})
    several = [found("orders", SPIKE, definition=long.to_payload())] * 12
    eventbridge = Mock()
    eventbridge.put_events.side_effect = lambda Entries: {"Entries": [TAKEN] * len(Entries)}  # noqa: N803 - EventBridge's name

    put(eventbridge, list(entries(several, PLACE, RUN, set())))

    for call in eventbridge.put_events.call_args_list:
        assert len(json.dumps(call.kwargs["Entries"])) < PUT_EVENTS_MAX_BYTES


def test_the_document_shows_an_event_as_it_is() -> None:
    found_in = re.search(
        r"<!-- anomaly event -->\n```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL
    )
    assert found_in is not None
    [detail] = details(SPIKE)
    assert json.loads(found_in[1]) == detail


def bus(*answers: list[dict[str, str]]) -> Mock:
    results = [{"Entries": answer} for answer in answers]
    return Mock(put_events=Mock(side_effect=results))


def an_entry(number: int) -> dict[str, Any]:
    return {"Detail": str(number)}


TAKEN, REFUSED = {"EventId": "1"}, {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}


def test_events_are_put_ten_at_a_time() -> None:
    eventbridge = bus([TAKEN] * 10, [TAKEN] * 2)

    put(eventbridge, [an_entry(n) for n in range(12)])

    assert [len(call.kwargs["Entries"]) for call in eventbridge.put_events.call_args_list] == [
        10,
        2,
    ]


def test_only_what_was_refused_is_put_again() -> None:
    eventbridge = bus([TAKEN, REFUSED, TAKEN], [TAKEN])

    with patch("cutwatch.notifications.eventbridge.sleep"):
        put(eventbridge, [an_entry(n) for n in range(3)])

    assert eventbridge.put_events.call_args.kwargs["Entries"] == [an_entry(1)]


def test_what_is_refused_again_and_again_is_a_fault_of_the_service() -> None:
    eventbridge = bus([REFUSED], [REFUSED], [REFUSED])

    with (
        patch("cutwatch.notifications.eventbridge.sleep"),
        pytest.raises(ServiceFault, match="try again"),
    ):
        put(eventbridge, [an_entry(0)])


def test_an_outcome_without_events_puts_none() -> None:
    assert list(entries([an_outcome()], PLACE, RUN, set())) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [("NotAuthorizedForSource", AccessDenied), ("MalformedDetail", RejectedRequest)],
)
def test_what_no_other_try_cures_is_raised_at_once(code: str, kind: type[Exception]) -> None:
    eventbridge = bus([TAKEN, {"ErrorCode": code, "ErrorMessage": "never"}])

    with pytest.raises(kind, match=f"never .{code}"):
        put(eventbridge, [an_entry(1), an_entry(2)])

    assert eventbridge.put_events.call_count == 1
