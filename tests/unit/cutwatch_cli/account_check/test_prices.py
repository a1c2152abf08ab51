"""What a check of an account says that its steps cost."""

import pytest

from cutwatch_cli.account_check.plan import STEPS, plan
from cutwatch_cli.account_check.prices import step_dollars
from cutwatch_cli.account_check.throwaway import Throwaway
from cutwatch_cli.cost.prices import PRICES
from cutwatch_cli.stacks.account import Account

ACCOUNT = Account.reached_by(None, "eu-west-1")


def throwaway(stack: str = "check", *, sagemaker: bool = True) -> Throwaway:
    return Throwaway(ACCOUNT, "123456789012", stack, sagemaker)


def test_every_step_has_its_price_and_the_plan_ends_with_their_sum() -> None:
    dollars = step_dollars(throwaway())

    assert dollars.keys() == STEPS.keys()
    *steps, together = plan(throwaway())
    assert [line.split()[0] for line in steps] == list(STEPS)
    assert f"{sum(dollars.values()):.2f}" in together


def test_the_stack_costs_at_least_its_dashboard_and_removal_nothing() -> None:
    dollars = step_dollars(throwaway())

    assert dollars["deploy"] > PRICES["dashboard"].each
    assert dollars["remove"] == 0


@pytest.mark.parametrize("step", ["training", "transform"])
def test_without_sagemaker_a_run_costs_less_by_its_jobs(step: str) -> None:
    with_jobs = step_dollars(throwaway())[step]
    without = step_dollars(throwaway(sagemaker=False))[step]

    a_minute_of_training = PRICES["training_hour"].each / 60
    assert with_jobs - without > a_minute_of_training


def test_no_other_stack_has_its_prefix_because_removal_goes_by_it() -> None:
    assert throwaway("one").job_prefix != throwaway("other").job_prefix
    assert throwaway("one").job_prefix == throwaway("one").job_prefix
