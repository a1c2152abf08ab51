from datetime import UTC, datetime

import pytest

from cutwatch.errors import InvalidInput
from cutwatch.registry.run import Kind, RunRequest, run_id, run_prefix
from tests.support.sample_events import sample

SCHEDULED = datetime(2026, 11, 1, 3, tzinfo=UTC)


def test_runs_are_named_after_kind_time_and_need() -> None:
    assert run_id("transform", SCHEDULED) == "transform-20261101T030000Z"
    assert run_id("training", SCHEDULED, on_demand=True) == "training-20261101T030000Z-on-demand"


def test_a_runs_objects_lie_below_the_prefix_that_lifecycle_rules_and_permissions_know() -> None:
    assert run_prefix("transform-1") == "runs/transform-1/"


def test_an_input_that_nobody_reads_is_refused_by_name() -> None:
    with pytest.raises(
        InvalidInput, match=r"detector is not an input of a run.*did you mean detectors"
    ):
        RunRequest.from_event("training", {"detector": ["orders"]}, "2026-11-01T03:00:00Z")


@pytest.mark.parametrize("kind", ["training", "transform"])
def test_a_scheduled_event_and_a_nested_executions_input_are_read(kind: Kind) -> None:
    nested = {
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn",
        "on_demand": True,
        "detectors": None,
    }
    event = sample(kind)

    request = RunRequest.from_event(kind, event | nested, event["time"])

    assert (request.on_demand, request.detectors) == (True, None)
