import json

from cutwatch.delivery.incident_event import entry
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.streams.incidents import Incident, IncidentChange
from cutwatch.streams.postprocessing import Postprocessor

PLACE = StackPlace("cutwatch", "eu-west-1", "Cutwatch")
CHANGE = IncidentChange("began", Incident("sensors:1", "a", 0.0, 0.0, 0.0, 1, 2.0, 4.0, ()))


def test_fields_of_the_streams_owner_are_added_to_an_event() -> None:
    own = Postprocessor(lambda event: {"room": event["key"] + "-7", "id": "other"})
    plain = json.loads(entry("sensors", CHANGE, PLACE, silenced=False)["Detail"])
    extended = json.loads(entry("sensors", CHANGE, PLACE, own, silenced=False)["Detail"])

    assert extended == plain | {"added": {"room": "a-7", "id": "other"}}
