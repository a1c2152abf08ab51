"""The demo of a Kinesis stream, up to its last fault."""

import json

import pytest

from cutwatch_cli.streams.demo_records import PLANTED, STEP, Fleet, FleetRecord, fleet
from cutwatch_cli.streams.kinesis_demo import StreamDemo, run_demo

# What was before this time is history.
FIRST = 50
# Times at which the fleet sends at once: around every fault, and while an incident is found. In between, machines keep their
# records for the next of these times, for a delivery of many records costs little more than one of a few.
PROMPT = {*range(56, 66), *range(108, 116), *range(173, 186), *range(228, 233), *range(243, 254)}
UNREADABLE = 2


@pytest.fixture(scope="module")
def demo() -> StreamDemo:
    whole = fleet(seed=8)
    history = [*whole.history, *whole.live[:FIRST]]
    live: list[list[FleetRecord]] = [[] for _ in range(max(PROMPT) + 1)]
    for at in range(FIRST, len(live)):
        live[min(each for each in PROMPT if each >= at)] += whole.live[at]
    return run_demo(Fleet(history, live), PLANTED[:4], lambda *_: None)


@pytest.mark.slow
def test_every_record_is_scored_once_through_a_crash_two_environments_a_split_and_an_overlap(
    demo: StreamDemo,
) -> None:
    assert len(demo.faults) == 4
    assert (demo.lost, demo.doubled, demo.late) == (0, 0, 0)
    assert demo.rejected == UNREADABLE
    assert demo.scored == demo.sent - UNREADABLE


def test_the_planted_incidents_are_found_and_end_and_there_is_no_other(demo: StreamDemo) -> None:
    assert [demo.planted[number].key for number in sorted(demo.found)] == [
        planted.key for planted in demo.planted
    ]
    assert demo.others == []
    assert all(each.ended for each in demo.incidents)


def test_each_incident_is_mailed_soon_by_the_local_clock(demo: StreamDemo) -> None:
    assert len(demo.latencies) == len(demo.planted)
    # The clock ticks while the machine works: 3 s on a quiet one.
    assert 1 <= demo.percentile(50) <= demo.percentile(95) < 8 * STEP.total_seconds()


def test_the_payload_has_what_programs_ask_for(demo: StreamDemo) -> None:
    payload = json.loads(json.dumps(demo.to_payload()))
    assert payload.keys() >= {
        *("planted", "found", "other_events", "sent", "scored", "lost", "doubled"),
        *("p50_seconds", "p95_seconds", "records_per_second"),
    }
    assert (payload["planted"], payload["found"], payload["other_events"]) == (4, 4, 0)
