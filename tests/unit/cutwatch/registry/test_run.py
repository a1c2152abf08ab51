from datetime import UTC, datetime

from cutwatch.registry.run import run_id, run_prefix

SCHEDULED = datetime(2026, 11, 1, 3, tzinfo=UTC)


def test_runs_are_named_after_kind_time_and_need() -> None:
    assert run_id("transform", SCHEDULED) == "transform-20261101T030000Z"
    assert run_id("training", SCHEDULED, on_demand=True) == "training-20261101T030000Z-on-demand"


def test_a_runs_objects_lie_below_the_prefix_that_lifecycle_rules_and_permissions_know() -> None:
    assert run_prefix("transform-1") == "runs/transform-1/"
