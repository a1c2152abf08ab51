"""Events of streams, checked against the schema that docs/events.md promises programs."""

import json
import re
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.delivery.incident_event import DETAIL_TYPE, entry
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.streams.expectation import Expected
from cutwatch.streams.incidents import ColumnFinding, Incident, IncidentChange
from cutwatch.streams.postprocessing import Postprocessor
from tests.support.project import PROJECT
from tests.support.streams import START, a_record, a_stream, noise, score_records

SCHEMA = json.loads((PROJECT / "docs" / "stream-incident.schema.json").read_text())
PLACE = StackPlace("cutwatch", "us-east-1", "Cutwatch")
FINDING = ColumnFinding("x", 60.0, 3.0, "above", Expected(1.0, 0.5, 1.5))
INCIDENT = Incident("sensors:0123456789abcdef", "a", START, START + 0.5, START, 2, 1.6, 4.0, (FINDING,))  # fmt: skip


def detail(change: IncidentChange, *, silenced: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(entry("sensors", change, PLACE, silenced=silenced)["Detail"])
    return found


def assert_promised(detail: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(detail)


@pytest.mark.parametrize("outlier", [400.0, -400.0])
def test_every_change_of_a_real_incident_is_as_the_schema_says(outlier: float) -> None:
    values = [*noise(200), outlier, 10 * outlier, *noise(20, seed=1)]
    # The last rows are ten minutes apart, so that the incident is over.
    records = [
        a_record(number, at=START + number + 600 * max(number - 201, 0), x=value)
        for number, value in enumerate(values)
    ]

    changes = score_records(a_stream(), records).changes

    assert {"began", "ended"} <= {change.kind for change in changes}
    for change in changes:
        assert_promised(detail(change))


def test_a_column_without_an_expected_value_has_nulls() -> None:
    unexpected = replace(FINDING, expected=None)
    found = detail(IncidentChange("ended", replace(INCIDENT, columns=(unexpected,))))

    assert_promised(found)
    assert found["columns"][0]["expected"] is None
    assert found["last"].endswith(".500000Z")


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        replace,
        st.just(INCIDENT),
        key=st.text(max_size=256),
        severity=st.floats(0, 1e6),
        columns=st.builds(replace, st.just(FINDING), value=numbers).map(lambda each: (each,)),
    )
)
def test_the_detail_is_as_promised_with_every_key_and_number(incident: Incident) -> None:
    assert_promised(detail(IncidentChange("escalated", incident), silenced=True))


def test_the_example_on_the_page_about_events_is_as_the_schema_says() -> None:
    text = (PROJECT / "docs" / "events.md").read_text()
    [example] = re.findall(r"<!-- stream incident -->\n```json\n(.*?)```", text, re.DOTALL)
    assert_promised(json.loads(example))
    assert [*json.loads(example)] == SCHEMA["required"]


def test_the_schema_names_the_detail_type() -> None:
    assert SCHEMA["title"] == DETAIL_TYPE


@pytest.mark.parametrize("broken", [{"change": "grew"}, {"rows": 0}, {"key": None}, {"extra": 1}])
def test_the_schema_refuses_other_details(broken: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        assert_promised(detail(IncidentChange("began", INCIDENT)) | broken)


def test_fields_of_the_streams_owner_are_added_to_an_event() -> None:
    change = IncidentChange("began", INCIDENT)
    own = Postprocessor(lambda event: {"room": event["key"] + "-7", "id": "other"})
    extended = json.loads(entry("sensors", change, PLACE, own, silenced=False)["Detail"])

    assert extended == detail(change) | {"added": {"room": "a-7", "id": "other"}}
    assert_promised(extended)
