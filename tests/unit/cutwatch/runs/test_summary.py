from typing import Any

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.run import Run
from cutwatch.runs.summary import Summary
from tests.support.builders import a_run, an_outcome

NINE = "2026-11-02T09:00:00Z"
SPIKE = AnomalyEvent(f"orders:{NINE}", NINE, NINE, NINE, 3, 3.25, 4.2, 912.4)
SILENCE = AnomalyEvent("orders:7", "2026-11-02T07:00:00Z", "2026-11-02T07:30:00Z", NINE, 7)

ORDERS = an_outcome(anomalous_datapoints=11, new_events=3, events=(SPIKE,))
QUIET = an_outcome("refunds", "PUBLISHED", "0 of 288 datapoints anomalous")
FAILED = an_outcome("visits", "FAILED", "Throttled: slow down")
NO_DATA = an_outcome("silent", "NO_DATA", "CloudWatch has no datapoints")


def summary(*outcomes: Outcome, run: Run | None = None) -> Summary:
    return Summary(run or a_run(), outcomes)


def test_the_payload_counts_and_names_the_failures() -> None:
    assert summary(ORDERS, QUIET, FAILED, NO_DATA).to_payload() == {
        "detectors": 4,
        "statuses": {"PUBLISHED": 2, "FAILED": 1, "NO_DATA": 1},
        "anomalous_datapoints": 11,
        "new_events": 3,
        "all_failed": False,
        "failures": [{"detector": "visits", "reason": "Throttled: slow down"}],
    }


@pytest.mark.parametrize(
    ("outcomes", "all_failed"),
    [([FAILED, FAILED], True), ([FAILED, NO_DATA], False), ([QUIET], False), ([], False)],
)
def test_only_a_run_in_which_nothing_worked_has_failed(
    outcomes: list[Outcome], all_failed: Any
) -> None:
    assert summary(*outcomes).all_failed is all_failed


def test_a_run_without_detectors_has_nothing_to_say() -> None:
    assert summary().to_payload()["detectors"] == 0
    assert not summary().failed
    assert not summary().anomalous


def test_an_event_that_was_told_before_is_no_news() -> None:
    continuing = an_outcome(anomalous_datapoints=12, new_events=0)
    assert summary(continuing).anomalous == []


def test_the_detector_with_the_most_severe_event_comes_first() -> None:
    silent = an_outcome("silent", new_events=1, events=(SILENCE,))
    many = an_outcome("many", new_events=9)
    found = summary(many, QUIET, ORDERS, silent).anomalous
    assert [each.detector for each in found] == ["silent", "orders", "many"]
