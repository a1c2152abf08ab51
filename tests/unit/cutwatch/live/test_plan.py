"""Which detectors there are, in which bucket, and what begins a window again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cutwatch.live.plan import (
    Plan,
    PlannedDetector,
    assign,
    read_plan,
    read_planned,
    write_plan,
)
from cutwatch.registry.detector_record import CarriedCheckpoint, DetectorRecord
from tests.support.builders import NOON, a_detector, a_model
from tests.support.live_account import FakeObjects

DETECTOR = a_detector(engine="lambda", live=True)
MODEL = a_model(detector=DETECTOR, checkpoint="models/forest.npz", engine="lambda")
RECORD = DetectorRecord("orders", (MODEL,), NOON)
names = st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=30)


@given(names, names)
def test_detectors_stay_in_their_buckets_and_fill_those_with_room(
    before: list[str], after: list[str]
) -> None:
    earlier = assign(before, {}, 4)
    assigned = assign(after, earlier, 4)

    assert list(assigned) == after
    assert all(assigned[name] == earlier[name] for name in set(before) & set(after))
    sizes = [list(assigned.values()).count(number) for number in range(30)]
    assert max(sizes) <= 4
    assert assign(after, assigned, 4) == assigned


def test_a_window_begins_where_the_last_transform_ended_with_its_checkpoint() -> None:
    carried = CarriedCheckpoint(MODEL.name, "scores/orders/forest.npz")
    planned = PlannedDetector.of(DETECTOR, replace(RECORD, carried=carried))
    assert (planned.start, planned.checkpoint) == (
        "2026-11-02T12:00:00Z",
        "scores/orders/forest.npz",
    )
    trained = PlannedDetector.of(DETECTOR, replace(RECORD, published_through=None))
    assert (trained.start, trained.checkpoint) == (MODEL.trained_through, "models/forest.npz")


def test_a_model_of_another_recipe_is_not_used() -> None:
    other = replace(MODEL, fingerprint="another")
    assert PlannedDetector.of(DETECTOR, replace(RECORD, models=(other,))).model is None


def test_another_entry_model_or_transform_is_another_basis() -> None:
    planned = PlannedDetector.of(DETECTOR, RECORD)
    others = [
        PlannedDetector.of(replace(DETECTOR, sensitivity="high"), RECORD),
        PlannedDetector.of(DETECTOR, replace(RECORD, models=(replace(MODEL, name="model-2"),))),
        PlannedDetector.of(DETECTOR, replace(RECORD, published_through=NOON + timedelta(weeks=1))),
    ]
    assert len({planned.basis, *(each.basis for each in others)}) == 4
    assert PlannedDetector.from_payload(planned.to_payload()).basis == planned.basis


def test_a_plan_is_made_again_after_a_quarter_of_an_hour_or_for_another_file() -> None:
    plan = Plan(NOON, "abc", {})
    assert not plan.is_due(NOON + timedelta(minutes=14), "abc")
    assert plan.is_due(NOON + timedelta(minutes=15), "abc")
    assert plan.is_due(NOON, "def")


def test_buckets_whose_detectors_are_gone_become_empty() -> None:
    objects: Any = WritableObjects()
    planned = PlannedDetector.of(DETECTOR, RECORD)
    assert read_plan(objects) is None
    earlier = write_plan(objects, [planned], None, Plan(NOON, "abc", {}))
    assert read_plan(objects) == earlier
    assert read_planned(objects, 0) == [planned]

    later = write_plan(objects, [], earlier, Plan(NOON, "def", {}), lambda _: False)
    assert (later.buckets, later.assigned) == ([0], {})
    assert read_plan(objects) == later
    assert read_planned(objects, 0) == []
    last = write_plan(objects, [], later, Plan(NOON, "def", {}), lambda _: True)
    assert last.buckets == []


class WritableObjects(FakeObjects):
    def write(self, key: str, content: str) -> None:
        self.write_bytes(key, content.encode())
