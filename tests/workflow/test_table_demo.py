"""The demo of a watched table, shortened: nothing is lost or doubled, and no row meets another model's cutoff."""

from dataclasses import replace
from pathlib import Path

import pytest

from cutwatch_cli.tables.demo import run_demo
from cutwatch_cli.tables.ridership import DAY, generated, read_rides


@pytest.mark.slow
def test_a_training_in_the_middle_and_faults_lose_and_double_nothing() -> None:
    ridership = generated(7)
    # Four days: the first planted incident, and time for a second model.
    live = ridership.live[: 4 * DAY]
    outcome = run_demo(
        replace(ridership, live=live, planted=ridership.planted[:1]), lambda *_: None
    ).to_payload()
    assert outcome["sent"] == outcome["scored"] == len(live)
    assert (outcome["lost"], outcome["doubled"], outcome["foreign_cutoff"]) == (0, 0, 0)
    assert len(outcome["scored_by_model"]) == 2
    assert outcome["found"] == 1
    assert 0 < outcome["p95_seconds"] < 5


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rides.csv"
    path.write_text("time,value\n2026-11-01,5\n")
    with pytest.raises(ValueError, match="expected the columns timestamp and value"):
        read_rides(path)


def test_equal_seeds_give_equal_rides_and_planted_incidents_stand_out() -> None:
    one, other = generated(3), generated(3)
    assert one == other
    first = one.planted[0]
    inside = [ride for ride in one.live if first.begin <= ride.time < first.end]
    assert max(ride.difference for ride in inside) < -5_000
