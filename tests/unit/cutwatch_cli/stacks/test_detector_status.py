"""What `cutwatch status` says of a detector, and which detectors it speaks of."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.run import run_id
from cutwatch_cli.stacks.detector_status import DetectorStatus, status_of
from cutwatch_cli.stacks.run_history import (
    Ending,
    PastRun,
    by_detector,
    current_names,
    parse_run,
    recent,
)
from cutwatch_cli.stacks.status_table import remarks
from tests.support.builders import NOON, a_model, an_outcome

DAY = timedelta(days=1)
STALE = timedelta(days=14)
TRAINED = (a_model(),)


def run(kind: Any, at: datetime, *, on_demand: bool = False) -> PastRun:
    found = parse_run(run_id(kind, at, on_demand=on_demand))
    assert found is not None
    return found


def ending(kind: Any, at: datetime, outcome: Outcome | None = None, **options: bool) -> Ending:
    return run(kind, at, **options), outcome or an_outcome()


def status(
    *ended: Ending, through: datetime | None = NOON - DAY, models: Any = TRAINED
) -> DetectorStatus:
    record = DetectorRecord("orders", models=models, published_through=through)
    return status_of(record, ended, 0, None, None, NOON, STALE)


def test_a_detector_that_is_published_has_no_problem() -> None:
    found = status(ending("transform", NOON - DAY))

    assert found.problems == ()
    assert (found.engine, found.trained) == ("sagemaker", datetime.fromisoformat("2026-11-01T03Z"))
    assert found.to_payload(NOON)["hours_since_published_through"] == 24


def test_the_cutoff_is_that_of_the_newest_transform_that_had_one() -> None:
    older, newer = (ending("transform", NOON - days * DAY, an_outcome(cutoff=cutoff))
                    for days, cutoff in ((3, 2.5), (2, 3.5)))  # fmt: skip
    silent = ending("transform", NOON - DAY, an_outcome(status="NO_DATA"))
    assert status(silent, newer, older).cutoff == 3.5
    assert status(silent).to_payload(NOON)["cutoff"] is None


def test_a_detector_that_nothing_is_known_of_has_no_model() -> None:
    assert status(models=(), through=None).problems == ("no model",)


def test_a_failure_is_told_with_its_run_and_its_reason() -> None:
    failed = an_outcome(status="FAILED", message="Throttled: slow down")

    assert status(ending("transform", NOON - DAY, failed)).problems == (
        "transform of 2026-11-01 12:00 failed: Throttled: slow down",
    )


def test_a_failure_that_a_newer_run_of_its_kind_healed_is_no_problem() -> None:
    failed = an_outcome(status="FAILED")
    found = status(ending("transform", NOON - DAY), ending("transform", NOON - 2 * DAY, failed))
    assert found.problems == ()


def test_a_failed_training_is_told_though_a_transform_went_well_after_it() -> None:
    failed = an_outcome(status="FAILED", message="no capacity")
    found = status(ending("transform", NOON - DAY), ending("training", NOON - 2 * DAY, failed))
    assert found.problems == ("training of 2026-10-31 12:00 failed: no capacity",)


@pytest.mark.parametrize("of_transform", ["no model yet: no such metric", "no such metric"])
def test_a_reason_that_training_and_transform_share_is_told_once(of_transform: str) -> None:
    at = NOON - DAY
    found = status(
        ending("transform", at, an_outcome(status="NO_DATA", message=of_transform)),
        ending(
            "training", at, an_outcome(status="NO_DATA", message="no such metric"), on_demand=True
        ),
        models=(),
        through=None,
    )
    assert found.problems == (
        "no model",
        f"transform of 2026-11-01 12:00 found no data: {of_transform}",
    )


@pytest.mark.parametrize(("days", "stale"), [(14, False), (15, True)])
def test_a_watermark_that_two_transforms_should_have_moved_is_told(
    days: int, stale: object
) -> None:
    problems = status(ending("transform", NOON - DAY), through=NOON - days * DAY).problems
    assert bool(problems) is stale
    assert all("nothing published for 15 d" in problem for problem in problems)


def test_the_newest_runs_are_read_however_old_and_all_that_are_recent() -> None:
    transforms = [run("transform", NOON - DAY * n) for n in range(8)]
    trainings = [run("training", NOON - 30 * DAY * n) for n in range(1, 6)]

    found = recent([*transforms, *trainings], NOON - 5 * DAY)
    assert found == [*transforms[:6], *trainings[:3]]


@pytest.mark.parametrize("text", ["orders", "transform-20261399T000000Z", "transform-2026"])
def test_what_is_no_run_is_none(text: str) -> None:
    assert parse_run(text) is None


def current(recorded: set[str], *runs: tuple[PastRun, list[str]]) -> set[str]:
    ended = [(each, an_outcome(name)) for each, names in runs for name in names]
    return current_names(recorded, by_detector(ended))


def test_a_detector_without_a_record_is_known_by_its_runs() -> None:
    whole = (run("transform", NOON), ["orders", "silent"])
    assert current({"orders"}, whole) == {"orders", "silent"}


def test_a_run_that_was_narrowed_to_some_does_not_hide_the_others() -> None:
    narrowed = (run("training", NOON), ["orders"])
    whole = (run("transform", NOON - DAY), ["orders", "visits", "silent"])
    assert current({"orders", "visits"}, narrowed, whole) == {"orders", "visits", "silent"}


def test_a_detector_that_the_whole_fleets_newest_run_did_not_meet_has_left() -> None:
    newest = (run("transform", NOON), ["orders"])
    before = (run("transform", NOON - DAY), ["orders", "gone"])
    assert current({"orders"}, newest, before) == {"orders"}


def test_what_live_detection_missed_is_a_remark() -> None:
    found = status(ending("transform", NOON - DAY, an_outcome(live_missed=2)))
    assert found.problems == ()
    [remark] = remarks([found])
    assert remark.startswith("orders: live runs missed 2 incidents, which transform of 2026-11-01")
