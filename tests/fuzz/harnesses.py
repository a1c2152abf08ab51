"""All harnesses, by the name that `make fuzz` takes."""

from collections.abc import Mapping

from tests.fuzz.csv_files import CSV_FILES
from tests.fuzz.detectors_yaml import DETECTORS_YAML
from tests.fuzz.event_payloads import EVENT_PAYLOADS
from tests.fuzz.harness import Harness
from tests.fuzz.score_files import SCORE_FILES

HARNESSES: Mapping[str, Harness] = {
    "detectors_yaml": DETECTORS_YAML,
    "event_payloads": EVENT_PAYLOADS,
    "csv_files": CSV_FILES,
    "score_files": SCORE_FILES,
}
