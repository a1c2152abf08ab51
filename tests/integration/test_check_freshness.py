"""Check Freshness: what alarms see of runs that do not happen."""

from datetime import datetime, timedelta

import pytest

from cutwatch.timestamps import parse_timestamp
from tests.support.account import Account
from tests.support.builders import a_model, a_run
from tests.support.client_events import counted_calls
from tests.support.sample_events import sample

EVENT = sample("check_freshness")
NOW = parse_timestamp(EVENT["time"])
DAY = timedelta(days=1)


def check(account: Account, at: datetime = NOW) -> dict[str, list[float]]:
    """The totals of a check."""
    account.invoke("check_freshness", EVENT | {"time": f"{at:%Y-%m-%dT%H:%M:%SZ}"})
    metrics = ("HoursSinceTransform", "ModelAgeDays")
    end = at + timedelta(minutes=1)
    return {name: list(account.published(name, at, end, period=60).values()) for name in metrics}


def test_the_time_since_the_newest_transform_is_told_whatever_it_found(account: Account) -> None:
    run = a_run(scheduled_time="2026-11-01T06:00:00Z")
    account.registry.runs.close(run, NOW - DAY)
    older = a_run(id="another", scheduled_time="2026-10-25T06:00:00Z")
    account.registry.runs.close(older, NOW)

    assert check(account) == {"HoursSinceTransform": [24], "ModelAgeDays": []}


def test_a_run_of_some_detectors_says_nothing_of_the_others(account: Account) -> None:
    account.registry.runs.close(a_run(scheduled_time="2026-10-25T06:00:00Z"), NOW - 8 * DAY)
    narrowed = a_run(id="narrowed", scheduled_time="2026-11-02T05:00:00Z", narrowed=True)
    account.registry.runs.close(narrowed, NOW)

    assert check(account)["HoursSinceTransform"] == [192]


def test_a_training_is_no_transform(account: Account) -> None:
    account.registry.runs.close(a_run("training"), NOW)
    assert check(account)["HoursSinceTransform"] == [0]
    assert check(account, NOW + DAY)["HoursSinceTransform"] == [24]


def test_a_stack_that_never_ran_is_as_old_as_its_first_check(account: Account) -> None:
    assert check(account)["HoursSinceTransform"] == [0]
    assert check(account, NOW + 9 * DAY)["HoursSinceTransform"] == [216]


def test_the_oldest_model_is_told(account: Account) -> None:
    account.registry.detectors.add_model("orders", a_model(scheduled_time="2026-09-03T06:00:00Z"))
    account.registry.detectors.add_model("visits", a_model(scheduled_time="2026-11-01T06:00:00Z"))

    assert check(account)["ModelAgeDays"] == [pytest.approx(60)]
    minute = (NOW, NOW + timedelta(minutes=1))
    ages = [
        account.published("ModelAgeDays", *minute, name, period=60) for name in ("orders", "visits")
    ]
    assert [list(age.values()) for age in ages] == [[60], []]


def test_checking_takes_few_calls_however_many_detectors_there_are(account: Account) -> None:
    for number in range(40):
        account.registry.detectors.add_model(f"d{number}", a_model())

    with counted_calls("dynamodb") as reads, counted_calls("cloudwatch") as puts:
        check(account)
    assert (len(reads), len(puts)) == (2, 3)  # the test reads two metrics itself
