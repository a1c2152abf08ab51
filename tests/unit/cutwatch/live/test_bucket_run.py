"""Runs over live detectors: whatever the datapoints, entries and states do, every incident is notified once, and ends."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from cutwatch.detectors.detector import MinimumDeviation
from cutwatch.errors import Throttled
from cutwatch.live.live_series import LiveSeries
from cutwatch.live.plan import PlannedDetector
from cutwatch.registry.incident_claims import LIVE, IncidentClaimStore
from tests.support.live_account import LiveAccount, ending
from tests.support.live_scenario import DETECTOR, EVENT, HOUR, LAST, TIMES, WINDOW


def run_all(account: LiveAccount, times: list[datetime] = TIMES) -> LiveAccount:
    """Run at all times."""
    for time in [*times, times[-1]]:
        account.run(time)
    account.environment()
    return account


def begun() -> LiveAccount:
    """Return an account after the first run, which learns most of the window."""
    return deepcopy(after_first_run())


@cache
def after_first_run() -> LiveAccount:
    account = LiveAccount(WINDOW, DETECTOR)
    account.run(TIMES[0])
    return account


@cache
def undisturbed() -> LiveAccount:
    return run_all(LiveAccount(WINDOW, DETECTOR))


@cache
def usual_ending() -> Any:
    return ending(undisturbed())


def test_an_incident_is_notified_when_it_begins_and_when_it_is_over() -> None:
    assert undisturbed().begun == [EVENT.id]
    changes = [each["change"] for each in undisturbed().destinations.events]
    assert (changes[0], changes[-1]) == ("began", "ended")
    first, *_, last = undisturbed().destinations.mails
    assert first.startswith("Cutwatch ")
    assert last.startswith("Cutwatch over: orders after ")
    assert undisturbed().destinations.events[0]["run"] == LIVE


def test_runs_that_overlap_write_one_after_the_other() -> None:
    account = begun()
    slow_memory, slow_store = account.memory, account.store
    account.environment()
    account.run(TIMES[1])
    account.memory, account.store = slow_memory, slow_store
    account.run(TIMES[1])
    account.run(TIMES[2])

    assert ending(run_all(account, TIMES[3:])) == usual_ending()


def test_a_rule_that_was_off_for_half_a_day_catches_up_and_notifies_what_is_news() -> None:
    account = begun()
    account.run(LAST + timedelta(minutes=2))

    assert account.begun == [EVENT.id]
    assert account.state.through == undisturbed().state.through


def test_what_was_over_for_more_than_a_day_is_left_to_the_transform() -> None:
    account = begun()
    account.run(EVENT.ends + timedelta(hours=26))

    assert account.begun == []
    assert account.destinations.mails == []


def test_a_throttled_read_is_made_up_for_by_the_next_run() -> None:
    account = begun()
    account.cloudwatch.error = Throttled("GetMetricData", "Throttling", "Rate exceeded")
    report = account.run(TIMES[1])
    assert [type(error) for error in report.errors] == [Throttled]
    assert "Throttled" in (account.state.problem or "")
    account.cloudwatch.error = None

    assert ending(run_all(account, TIMES[2:])) == usual_ending()
    assert account.state.problem is None


@pytest.mark.parametrize("change", [lambda _: None, lambda value: value * 1.05])
def test_a_datapoint_that_is_late_or_corrected_counts_as_if_it_had_been_so_from_the_start(
    change: Callable[[float], float | None],
) -> None:
    account = LiveAccount(WINDOW, DETECTOR)
    at = int((TIMES[3] - timedelta(minutes=2) - 2 * HOUR).timestamp())
    right = account.cloudwatch.values[at]
    early = change(right)
    account.cloudwatch.values.pop(at)
    if early is not None:
        account.cloudwatch.values[at] = early
    for time in TIMES[:4]:
        account.run(time)
    account.cloudwatch.values[at] = right

    assert ending(run_all(account, TIMES[4:]))[:3] == usual_ending()[:3]


def test_a_datapoint_that_is_missing_is_waited_for_before_it_is_a_gap() -> None:
    account = begun()
    newest = int((TIMES[1] - timedelta(minutes=2) - HOUR).timestamp())
    account.cloudwatch.values.pop(newest)
    account.run(TIMES[1])
    assert account.state.through == newest
    account.run(TIMES[1] + timedelta(minutes=20))
    assert account.state.through == newest + 3_600


def test_a_metric_that_pauses_goes_on_after_its_gap() -> None:
    account = begun()
    pause = range(int(TIMES[0].timestamp()), int(TIMES[6].timestamp()))
    account.cloudwatch.values = {
        at: value for at, value in account.cloudwatch.values.items() if at not in pause
    }
    for time in TIMES[1:]:
        account.run(time)

    assert account.state.through == undisturbed().state.through
    assert np.count_nonzero(np.isnan(account.state.values)) >= 4


def test_a_changed_entry_begins_the_window_again_and_notifies_nothing_twice() -> None:
    account = LiveAccount(WINDOW, DETECTOR)
    for time in TIMES[:8]:
        account.run(time)
    earlier = account.state.series
    account.planned = [
        replace(each, detector=replace(DETECTOR, sensitivity="high")) for each in account.planned
    ]
    run_all(account, TIMES[8:])

    assert account.begun.count(EVENT.id) == 1
    assert account.state.series != earlier
    assert earlier not in account.objects.objects


def test_a_detector_that_is_removed_leaves_nothing_behind() -> None:
    account = begun()
    planned, account.planned = account.planned, []
    account.run(TIMES[1])
    account.run(TIMES[2])
    assert account.stored.states == {}
    assert not [key for key in account.objects.objects if key.startswith("live/series/")]

    account.planned = planned
    assert ending(run_all(account, TIMES[3:])) == usual_ending()


def during_the_incident() -> LiveAccount:
    """An account whose incident was mailed and lasts."""
    account = LiveAccount(WINDOW, DETECTOR)
    for time in TIMES:
        account.run(time)
        if account.destinations.mails:
            break
    assert account.state.lasting
    return account


def next_run(account: LiveAccount) -> datetime:
    return datetime.fromtimestamp(account.state.through, UTC) + HOUR + timedelta(minutes=2)


def test_the_incident_of_a_detector_that_is_removed_ends_with_a_reason() -> None:
    account = during_the_incident()
    time, planned = next_run(account), account.planned
    account.planned = []
    account.run(time)
    account.run(time + HOUR)

    last = account.destinations.events[-1]
    assert (last["change"], last["reason"]) == ("ended", "the detector is not live any more")
    assert account.destinations.mails[-1].startswith("Cutwatch over: orders after ")
    assert account.run(time + HOUR).lasting == []
    # Its record stays: the incident was real.
    assert [pk for pk, _ in account.table.items if pk == "EVENT"]

    # Live again, it is the same incident, which nobody is notified of twice.
    account.planned = planned
    mails = [*account.destinations.mails]
    run_all(account, [each for each in TIMES if each > time + HOUR])
    # What is more severe is news.
    assert [mail[:16] for mail in account.destinations.mails[len(mails) :]] == ["Cutwatch medium:"]
    assert account.begun == [EVENT.id]
    assert account.state.lasting == []


def test_the_incident_of_a_changed_entry_that_needs_another_model_ends_with_a_reason() -> None:
    account = during_the_incident()
    time = next_run(account)
    account.planned = [PlannedDetector(replace(DETECTOR, metric="Renamed"))]
    account.run(time)
    account.run(time + HOUR)

    last = account.destinations.events[-1]
    assert (last["change"], last["reason"]) == (
        "ended",
        "no usable model yet; the next transform trains one",
    )
    assert account.destinations.mails[-1].startswith("Cutwatch over: orders after ")
    assert account.state.lasting == []
    assert not [key for key in account.objects.objects if key.startswith("live/series/")]


def test_an_incident_that_a_changed_entry_does_not_confirm_is_withdrawn_with_a_reason() -> None:
    account = during_the_incident()
    time = next_run(account)
    strict = replace(DETECTOR, minimum_deviation=MinimumDeviation(absolute=1e9))
    account.planned = [replace(each, detector=strict) for each in account.planned]
    account.run(time)

    last = account.destinations.events[-1]
    assert (last["change"], last["reason"]) == (
        "withdrawn",
        "the detector's new entry or model does not confirm it",
    )
    assert account.destinations.mails[-1].startswith("Cutwatch over: orders after ")
    assert not [pk for pk, _ in account.table.items if pk == "EVENT"]


def test_the_incident_of_a_detector_that_cannot_be_scored_for_a_day_ends_with_a_reason() -> None:
    account = during_the_incident()
    time = next_run(account)
    account.objects.objects.pop(account.state.series or "")
    account.environment()
    account.run(time)
    assert account.state.lasting
    assert "live/series/orders/" in (account.state.problem or "")
    account.run(time + timedelta(days=1))

    assert account.state.lasting == []
    assert account.destinations.events[-1]["reason"].startswith("not scored for 1 d: NotFound")


def test_a_metric_that_is_renamed_leaves_gaps_and_its_incident_ends() -> None:
    account = during_the_incident()
    time = next_run(account)
    gone = {at for at in account.cloudwatch.values if at >= account.state.through}
    for at in gone:
        account.cloudwatch.values.pop(at)
    for hours in range(8):
        account.run(time + hours * HOUR)

    assert account.state.lasting == []
    assert account.destinations.events[-1]["change"] == "ended"
    assert account.state.problem is None


def test_a_rule_that_was_off_for_a_day_catches_up_and_ends_what_lasted() -> None:
    account = during_the_incident()
    account.environment()
    account.run(EVENT.ends + timedelta(days=1, hours=3, minutes=2))

    assert account.state.lasting == []
    assert account.begun == [EVENT.id]
    assert account.destinations.mails[-1].startswith("Cutwatch medium: orders at ")
    text = account.destinations.texts[-1]
    assert "), over by now.\n" in text
    assert ", over by now\n  Metric" in text


def test_a_run_that_takes_longer_than_its_interval_loses_the_race_and_repeats_nothing() -> None:
    """The next invocation runs as a whole while the first one is between reading and writing."""
    account = LiveAccount(WINDOW, DETECTOR)
    for time in TIMES[:3]:
        account.run(time)
    other = LiveAccount(WINDOW, DETECTOR)
    other.objects, other.table, other.destinations = (
        account.objects,
        account.table,
        account.destinations,
    )
    other.environment()

    def overtaken(call: str) -> None:
        if call == "cloudwatch read after":
            account.cloudwatch.interrupt = lambda _: None
            other.run(TIMES[4])

    account.cloudwatch.interrupt = overtaken
    account.run(TIMES[3])

    assert ending(run_all(account, TIMES[5:]))[:5] == usual_ending()[:5]
    assert account.begun == [EVENT.id]
    assert account.destinations.mails == undisturbed().destinations.mails


def test_detectors_for_which_there_is_no_time_wait_for_the_next_run() -> None:
    account = LiveAccount(WINDOW, DETECTOR)
    report = account.run(TIMES[0], has_time=lambda: False)
    assert (report.waiting, report.scored) == (1, {})
    assert ending(run_all(account, TIMES[1:])) == usual_ending()


def test_a_detector_without_a_model_waits_for_its_training() -> None:
    account = LiveAccount(WINDOW, DETECTOR)
    trained, account.planned = account.planned, [replace(account.planned[0], model=None)]
    account.run(TIMES[0])
    assert account.state.problem == "no usable model yet; the next transform trains one"
    account.planned = trained

    assert ending(run_all(account, TIMES[1:])) == usual_ending()


def test_a_checkpoint_that_is_missing_is_named() -> None:
    account = LiveAccount(WINDOW, DETECTOR)
    del account.objects.objects["models/forest.npz"]
    account.run(TIMES[0])
    assert "models/forest.npz" in (account.state.problem or "")


def test_a_damaged_state_is_set_aside_and_nothing_is_notified_twice() -> None:
    account = LiveAccount(WINDOW, DETECTOR)
    for time in TIMES[:8]:
        account.run(time)
    content, etag = account.objects.objects["live/state/0000"]
    account.objects.objects["live/state/0000"] = (content[:-8], etag)
    account.environment()

    assert ending(run_all(account, TIMES[8:]))[:3] == usual_ending()[:3]
    assert account.begun.count(EVENT.id) == 1
    assert any(key.startswith("live/damaged/") for key in account.objects.objects)


def test_an_incident_that_a_transform_has_notified_is_not_notified_again() -> None:
    account = LiveAccount(WINDOW, DETECTOR)
    table: Any = account.table
    claims = IncidentClaimStore(table)
    claims.claim("orders", EVENT, "high", "transform-20261102T120000Z", TIMES[0])
    run_all(account)

    assert account.begun == []
    assert account.destinations.mails == []


def test_a_series_is_stored_again_when_the_state_has_many_datapoints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cutwatch.live.stepping._MANY_VALUES", 8)
    monkeypatch.setattr("cutwatch.live.stepping._SPREAD", 1)
    account = run_all(LiveAccount(WINDOW, DETECTOR))

    assert ending(account) == usual_ending()
    assert len(account.state.values) <= 8
    assert [key for key in account.objects.objects if key.startswith("live/series/")] == [
        account.state.series
    ]
    stored = LiveSeries.from_bytes(account.objects.objects[account.state.series or ""][0])
    assert stored.observed.end == datetime.fromtimestamp(account.state.stored_through, UTC)
