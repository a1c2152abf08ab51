"""The demo of a watched table, shortened: nothing is lost or doubled, and no row meets another model's cutoff."""

from dataclasses import replace
from pathlib import Path

import pytest

from cutwatch.timestamps import format_timestamp
from cutwatch_cli.tables.demo import run_demo
from cutwatch_cli.tables.demo_engines import ForestEngine
from cutwatch_cli.tables.ridership import DAY, WEEK, generated, read_rides
from cutwatch_cli.tables.undisturbed import undisturbed_rows


@pytest.mark.slow
def test_a_training_in_the_middle_and_faults_lose_and_double_nothing() -> None:
    ridership = generated(7)
    # Four days: the first planted incident, and time for a second model. Three weeks have the rows that a model needs.
    live = ridership.live[: 4 * DAY]
    shorter = replace(
        ridership,
        training=ridership.training[-3 * WEEK :],
        live=live,
        planted=ridership.planted[:1],
    )
    outcome = run_demo(shorter, lambda *_: None).to_payload()
    assert outcome["sent"] == outcome["scored"] == len(live)
    assert (outcome["lost"], outcome["doubled"], outcome["foreign_cutoff"]) == (0, 0, 0)
    assert len(outcome["scored_by_model"]) == 2
    assert outcome["found"] == 1
    assert 0 < outcome["p95_seconds"] < 5


@pytest.mark.slow
def test_a_forest_gives_what_it_would_have_given_without_the_faults() -> None:
    ridership = generated(7)
    # The first planted incident is on the last of two days.
    before, live = ridership.live[: 2 * DAY], ridership.live[2 * DAY : 4 * DAY]
    shorter = replace(
        ridership,
        training=[*ridership.training, *before][-WEEK:],
        live=live,
        planted=ridership.planted[:1],
    )
    outcome = run_demo(shorter, lambda *_: None, "forest").to_payload()
    assert outcome["sent"] == outcome["scored"] == len(live)
    assert (outcome["lost"], outcome["doubled"], outcome["foreign_cutoff"]) == (0, 0, 0)
    assert outcome["scored_by_model"] == [len(live)]
    assert outcome["found"] == 1
    assert 0 < outcome["p95_seconds"] < 5


def test_a_row_of_another_forest_is_a_foreign_one() -> None:
    ridership = generated(7)
    few = replace(ridership, training=ridership.training[:300], live=ridership.training[300:310])
    engine = ForestEngine()
    expected = undisturbed_rows(engine.declaration, [*few.training, *few.live])
    rows = [expected[format_timestamp(ride.time)] for ride in few.live]
    assert engine.models_of(rows, few) == ["the forest"] * 10
    learned_twice = replace(few, training=[*few.training[:200], *few.training])
    assert None in engine.models_of(rows, learned_twice)


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
