from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.detector import Detector, Engine
from cutwatch_cli.cost.assumptions import NAMES, Assumptions
from cutwatch_cli.cost.bill import ITEMS, Bill, bill
from cutwatch_cli.cost.estimate import Estimate
from cutwatch_cli.cost.fleet import ENGINES, Detectors, Schedule, group
from cutwatch_cli.cost.prices import PRICES, Prices, with_prices
from cutwatch_cli.cost.usage import usage

HOURS = 730
WEEKLY, DAILY, HOURLY = (Schedule(HOURS / hours) for hours in (168, 24, 1))
DEFAULT = Assumptions()
# Two metrics that are published once a day, in metric-months.
DAILY_CHECK = 2 / 24
engines = st.sampled_from(ENGINES)


def alike(count: int = 100, engine: Engine = "lambda") -> list[Detectors]:
    return [Detectors(count, engine, timedelta(minutes=5), timedelta(days=30), 440)]


def month(
    groups: Sequence[Detectors],
    schedule: Schedule = WEEKLY,
    prices: Prices = PRICES,
    assume: Assumptions = DEFAULT,
) -> Bill:
    return bill(groups, schedule, prices, assume)


def detector(name: str, period: int = 300) -> Detector:
    return Detector(name, "AWS/Lambda", "Errors", "Sum", period=period)


def dollars_of(item: str, bill: Bill) -> float:
    return sum(line.dollars for line in bill.lines if line.item == item)


def test_every_price_is_charged_for_an_item_but_that_of_the_alternative() -> None:
    assert set(ITEMS) == set(PRICES) - {"anomaly_alarm"}


def test_everything_that_is_used_has_a_price() -> None:
    for engine in ENGINES:
        assert set(usage(alike(engine=engine), DAILY, DEFAULT)) <= set(ITEMS)


@given(engines, st.integers(1, 10_000), st.floats(0.5, HOURS))
def test_the_total_is_quantities_times_prices(
    engine: Engine, count: int, transforms: float
) -> None:
    used = usage(alike(count, engine), Schedule(transforms), DEFAULT)
    total = sum(
        quantity * PRICES[name].dollars / PRICES[name].per for name, quantity in used.items()
    )
    assert month(alike(count, engine), Schedule(transforms)).total == pytest.approx(total)


@given(engines, st.floats(1, 100))
def test_prices_that_all_rise_alike_raise_the_total_alike(engine: Engine, factor: float) -> None:
    dearer = with_prices({name: price.dollars * factor for name, price in PRICES.items()})
    usual, raised = month(alike(engine=engine)), month(alike(engine=engine), prices=dearer)
    assert raised.total == pytest.approx(factor * usual.total)
    assert raised.own_alarms == pytest.approx(factor * usual.own_alarms)


def test_a_metric_published_weekly_is_billed_for_an_hour_a_week() -> None:
    assert dollars_of("custom metrics", month(alike(1_000))) == pytest.approx(
        (4 * 1_000 / 168 + 10 * (1 / 168 + 1 / HOURS) + DAILY_CHECK) * 0.30
    )


def test_a_metric_published_hourly_is_billed_for_the_whole_month() -> None:
    hourly = month(alike(1_000), HOURLY)
    assert dollars_of("custom metrics", hourly) == pytest.approx((4_010 + DAILY_CHECK) * 0.30)
    assert hourly.unprorated - hourly.total == pytest.approx((2 - DAILY_CHECK) * 0.30)


def test_metrics_beyond_ten_thousand_cost_less() -> None:
    hourly = month(alike(10_000), HOURLY)
    assert dollars_of("custom metrics", hourly) == pytest.approx(3_000)
    assert dollars_of("custom metrics beyond 10,000", hourly) == pytest.approx(
        (30_010 + DAILY_CHECK) * 0.10
    )


@given(engines, st.integers(1, 10_000), st.sampled_from([WEEKLY, DAILY, HOURLY]))
def test_prorating_never_costs_more_than_the_whole_month(
    engine: Engine, count: int, schedule: Schedule
) -> None:
    one = month(alike(count, engine), schedule)
    assert one.total <= one.unprorated * (1 + 1e-9)


def test_a_job_of_four_minutes_costs_its_instances_four_minutes() -> None:
    weekly = month(alike(15, "sagemaker"), Schedule(transforms=4, trainings=1))
    assert dollars_of("training jobs", weekly) == pytest.approx(15 * 4 / 60 * 0.115)
    assert dollars_of("transform jobs", weekly) == pytest.approx(15 * (4 + 1) * 4 / 60 * 0.204)


def test_the_lambda_engine_pays_nothing_to_sagemaker() -> None:
    assert month(alike()).of_services("SageMaker") == 0


@pytest.mark.parametrize("schedule", [WEEKLY, DAILY, HOURLY])
@pytest.mark.parametrize("count", [1, 100, 10_000])
def test_lambda_costs_less_than_sagemaker(count: int, schedule: Schedule) -> None:
    ours, jobs = (month(alike(count, engine), schedule) for engine in ("lambda", "sagemaker"))
    assert ours.total < jobs.total


def test_cloudwatchs_own_alarm_is_cheaper_than_an_hourly_schedule() -> None:
    hourly = month(alike(1_000), HOURLY)
    assert hourly.own_alarms == pytest.approx(300)
    assert hourly.own_alarms < hourly.total


def test_a_stack_that_runs_nothing_costs_its_alarms_its_dashboard_and_its_daily_check() -> None:
    assert month(alike(), Schedule(0, 0)).total == pytest.approx(14 * 0.10 + 3 + DAILY_CHECK * 0.30)


def test_an_alarm_by_detector_is_billed_for_the_hours_in_which_detectors_publish() -> None:
    weekly = dollars_of("alarms", month(alike(1_000)))
    assert weekly == pytest.approx((14 + 1_000 / 168) * 0.10)
    without = month(alike(1_000), assume=Assumptions(alarms_by_detector=0))
    assert dollars_of("alarms", without) == pytest.approx(1.40)


def test_the_engines_of_one_file_add_up_to_one_run() -> None:
    both = usage([*alike(10, "lambda"), *alike(20, "sagemaker")], WEEKLY, DEFAULT)
    ours = usage(alike(10, "lambda"), WEEKLY, DEFAULT)
    jobs = usage(alike(20, "sagemaker"), WEEKLY, DEFAULT)
    assert both["put_metric_data"] == pytest.approx(
        ours["put_metric_data"] + jobs["put_metric_data"] - (WEEKLY.transforms + WEEKLY.trainings)
    )


def test_detectors_alike_are_counted_together() -> None:
    (first, other) = group([detector("a"), detector("b"), detector("c", 3_600)], count=10)
    assert (first.count, first.period) == (20, timedelta(minutes=5))
    assert (other.count, other.period) == (10, timedelta(hours=1))


def test_an_engine_that_is_given_holds_for_all() -> None:
    assert {one.engine for one in group([detector("a")])} == {"sagemaker"}
    assert {one.engine for one in group([detector("a")], engine="lambda")} == {"lambda"}


def test_a_price_that_is_given_is_told_from_the_tables() -> None:
    prices = with_prices({"alarm": 0.2})
    assert (prices["alarm"].dollars, prices["alarm"].certainty) == (0.2, "given")
    assert prices["s3_put"] == PRICES["s3_put"]


def test_every_assumption_is_explained() -> None:
    assert [name for name, _, meaning in DEFAULT.explained() if meaning] == NAMES


def test_a_run_longer_than_its_interval_is_warned_of() -> None:
    (warning,) = Estimate(alike(1_000, "sagemaker"), DAILY, PRICES, DEFAULT).warnings
    assert warning.startswith("A transform of 1,000 sagemaker detectors takes about 1 d 1 h")
    assert not Estimate(alike(1_000), DAILY, PRICES, DEFAULT).warnings
