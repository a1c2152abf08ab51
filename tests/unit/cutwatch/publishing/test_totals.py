"""Totals of a run as metrics."""

from collections.abc import Sequence
from typing import Any

from cutwatch.publishing.totals import publish_totals
from cutwatch.registry.outcome import Outcome
from cutwatch.runs.summary import Summary
from tests.support.builders import NOON, a_run, an_outcome
from tests.support.fakes import Fake


class Metrics(Fake):
    def __init__(self) -> None:
        self.published: dict[str, float] = {}

    def put_metric_data(self, *, MetricData: Sequence[Any], **_: Any) -> None:  # noqa: N803 - boto3's name
        self.published |= {each["MetricName"]: each["Value"] for each in MetricData}


def published(*outcomes: Outcome) -> dict[str, float]:
    metrics: Any = Metrics()
    publish_totals(metrics, "Cutwatch", Summary(a_run(), outcomes), NOON)
    found: dict[str, float] = metrics.published
    return found


def test_what_live_detection_missed_is_counted_over_live_detectors() -> None:
    live = [an_outcome(live_missed=missed) for missed in (0, 2, 1)]
    assert published(*live, an_outcome())["LiveMissed"] == 3
    assert published(an_outcome(live_missed=0))["LiveMissed"] == 0


def test_without_live_detectors_there_is_no_such_metric() -> None:
    assert "LiveMissed" not in published(an_outcome())
