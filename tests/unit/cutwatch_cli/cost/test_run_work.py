from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import (
    EXECUTION_HISTORY_MAX_EVENTS,
    GET_METRIC_DATA_MAX_QUERIES,
    STATE_PAYLOAD_MAX_BYTES,
)
from cutwatch.detectors.detector import Engine
from cutwatch.registry.run import Kind
from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.fleet import ENGINES, KINDS, Detectors, Schedule
from cutwatch_cli.cost.run_work import RunWork

FIVE_MINUTES = timedelta(minutes=5)
MONTH = timedelta(days=30)
WEEKLY = Schedule(730 / 168)
engines, kinds, counts = st.sampled_from(ENGINES), st.sampled_from(KINDS), st.integers(1, 20_000)


def work(
    engine: Engine = "lambda",
    kind: Kind = "transform",
    count: int = 100,
    schedule: Schedule = WEEKLY,
    payload_bytes: int = 440,
    period: timedelta = FIVE_MINUTES,
    **assumed: float,
) -> RunWork:
    detectors = Detectors(count, engine, period, MONTH, payload_bytes)
    return RunWork(detectors, kind, schedule, Assumptions().with_values(assumed))


def test_a_weekly_transform_reads_its_week_and_seven_days_of_lead_in() -> None:
    assert work().new_datapoints_each == pytest.approx(2_016)
    assert work().read_datapoints_each == pytest.approx(2_016 + 7 * 288 + 48)


def test_a_week_at_five_minutes_is_published_with_five_calls_a_detector() -> None:
    assert work(count=1).put_calls == 5
    assert work(count=100).put_calls == 500


def test_a_training_publishes_nothing() -> None:
    assert work(kind="training").put_calls == 0


def test_a_window_is_no_longer_than_cloudwatch_takes_datapoints_back() -> None:
    assert work(schedule=Schedule(1)).window == timedelta(days=14)


def test_sagemaker_has_a_child_for_each_detector() -> None:
    assert work("sagemaker", count=250).children == 250


def test_lambda_has_a_child_for_each_batch() -> None:
    assert work(count=250).children == 3


def test_a_batch_holds_as_many_large_detectors_as_a_state_may_carry() -> None:
    assert work(count=250, payload_bytes=20_000).batch == 5


def test_eleven_histories_of_a_month_are_read_with_one_call() -> None:
    assert work(kind="training", count=11).get_calls == 1
    assert work(kind="training", count=12).get_calls == 2


def test_a_history_longer_than_a_response_is_requested_once_for_each() -> None:
    long = Detectors(3, "sagemaker", timedelta(minutes=1), timedelta(days=100), 440)
    assert RunWork(long, "training", WEEKLY, Assumptions()).metrics_requested == 3 * 2


def test_a_function_spends_its_time_on_starting_calls_and_datapoints() -> None:
    names = (
        "function_start_seconds",
        "call_seconds",
        "handling_milliseconds",
        "publishing_milliseconds",
        "forest_milliseconds",
    )
    nothing = dict.fromkeys(names, 0.0)
    assert spending(nothing) == 0
    for name in names:
        assert spending({**nothing, name: 1.0}) > 0, name


def spending(assumed: Mapping[str, float]) -> float:
    return replace(work(), assume=Assumptions().with_values(assumed)).gb_seconds


def test_a_training_waits_for_two_jobs_and_a_transform_for_one() -> None:
    assert work("sagemaker", "training").child_poll_rounds == 6 + 6
    assert work("sagemaker", "transform").child_poll_rounds == 6
    assert work("lambda", "training").child_poll_rounds == 0


def test_polling_less_often_costs_fewer_transitions() -> None:
    often, seldom = (work("sagemaker", poll_seconds=seconds) for seconds in (60.0, 360.0))
    assert often.transitions == 100 * (1 + 6 + 3 * 6)
    assert seldom.transitions == 100 * (1 + 6 + 3 * 1)


def test_a_run_takes_as_long_as_its_children_wait_for_each_other() -> None:
    four, five = (work("sagemaker", count=count).minutes for count in (4, 5))
    assert five == pytest.approx(2 * four)
    assert work("sagemaker", count=5, sagemaker_concurrency=5).minutes == pytest.approx(four)


def test_sagemaker_is_charged_by_minutes_of_jobs_however_few_the_rows() -> None:
    assert work("sagemaker", "training", 30).training_hours == pytest.approx(2)
    assert work("sagemaker", "training", 30).transform_hours == pytest.approx(2)
    assert work("sagemaker", "transform", 30).training_hours == 0
    assert work("lambda", "training", 30).training_hours == 0
    assert work("lambda", "transform", 30).transform_hours == 0


@given(engines, kinds, counts, st.integers(300, 3_000))
def test_no_run_leaves_what_aws_allows(
    engine: Engine, kind: Kind, count: int, payload_bytes: int
) -> None:
    run = work(engine, kind, count, payload_bytes=payload_bytes)
    assert run.child_payload_bytes < STATE_PAYLOAD_MAX_BYTES
    assert run.child_events < EXECUTION_HISTORY_MAX_EVENTS
    assert run.detectors.count / run.get_calls <= GET_METRIC_DATA_MAX_QUERIES


@given(engines, kinds, counts, st.integers(1, 5_000))
def test_more_detectors_never_ask_for_less(
    engine: Engine, kind: Kind, count: int, more: int
) -> None:
    fewer, all_ = work(engine, kind, count), work(engine, kind, count + more)
    for quantity in ("children", "invocations", "transitions", "get_calls", "put_calls", "s3_puts"):
        assert getattr(fewer, quantity) <= getattr(all_, quantity), quantity
    assert fewer.gb_seconds <= all_.gb_seconds * (1 + 1e-9)
