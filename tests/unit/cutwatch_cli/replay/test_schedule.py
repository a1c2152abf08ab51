import itertools
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given

from cutwatch_cli.replay.schedule import default_training_time, schedule

START = datetime(2026, 1, 31, tzinfo=UTC)


def test_training_comes_first_then_monthly_and_transforms_come_weekly() -> None:
    end = START + timedelta(days=70)
    runs = schedule(START, end, timedelta(days=7))
    assert runs[0].kind == "training"
    trainings = [run.at for run in runs if run.kind == "training"]
    assert trainings == [
        datetime(2026, 2, 7, tzinfo=UTC),
        datetime(2026, 3, 7, tzinfo=UTC),
        datetime(2026, 4, 7, tzinfo=UTC),
    ]
    transforms = [run.at for run in runs if run.kind == "transform"]
    assert {b - a for a, b in itertools.pairwise(transforms)} == {timedelta(weeks=1)}
    assert transforms[-1] == end


def test_a_month_after_the_31st_is_a_day_that_every_month_has() -> None:
    runs = schedule(START, START + timedelta(days=100), timedelta(0))
    trainings = [run.at for run in runs if run.kind == "training"]
    assert trainings[1] == datetime(2026, 2, 28, tzinfo=UTC)


def test_training_takes_the_smaller_of_30_days_and_15_percent() -> None:
    assert default_training_time(START, START + timedelta(days=1000)) == timedelta(days=30)
    assert default_training_time(START, START + timedelta(days=100)) == timedelta(days=15)


@given(days=st.floats(min_value=0.1, max_value=500), share=st.floats(min_value=0, max_value=0.99))
def test_every_datapoint_after_the_first_training_is_transformed(days: float, share: float) -> None:
    end = START + timedelta(days=days)
    training_time = (end - START) * share
    runs = schedule(START, end, training_time)
    assert max(run.at for run in runs if run.kind == "transform") == end
    assert all(START + training_time <= run.at <= end for run in runs)
