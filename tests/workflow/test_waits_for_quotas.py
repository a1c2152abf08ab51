"""A run that waits for a busy quota shows it to operators from the first refusal on, and no longer than it waits."""

import json
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from cutwatch_cli.main import app
from localaws.faults import Fault
from tests.support.fleet import FIRST_TRANSFORM, Fleet, detector, usual
from tests.support.shared_fleets import shared_fleet

WATCHED = (detector("checkout"), detector("orders"))
BUSY = "ml.m5.large for training job usage"


def status(shop: Fleet, *options: str) -> Any:
    with patch.dict(os.environ, shop.operators_environment()):
        result = CliRunner().invoke(app, ["status", *options])
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout) if options else result.stdout


def waits(shop: Fleet) -> dict[str, Any]:
    found = status(shop, "--json")["detectors"]
    return {each["detector"]: each["waiting_for_quota"] for each in found}


def wait_for_a_wait(shop: Fleet) -> dict[str, Any]:
    """What status shows as soon as a wait is recorded; asking status itself again and again takes longer than the run."""
    deadline = time.monotonic() + shop.patience
    while not shop.registry.quota_waits.all():
        assert time.monotonic() < deadline, "no wait is recorded"
        time.sleep(0.2)
    return {name: wait for name, wait in waits(shop).items() if wait}


@pytest.mark.slow
def test_status_shows_the_quota_the_instance_type_and_since_when_while_a_run_waits() -> None:
    with shared_fleet(WATCHED, MaxConcurrency="2") as shop:
        for each in WATCHED:
            shop.load(each, usual())
        shop.aws.sagemaker.default_quota = 1
        shop.aws.sagemaker.training_seconds = 600
        before = shop.aws.clock.now()
        with shop.aws.clock.busy():  # holds the execution in its first wait
            execution = shop.stack.start("TrainingStateMachine", {})
            [(name, wait)] = wait_for_a_wait(shop).items()
            printed = " ".join(status(shop).split())
        assert wait["instance_type"] == "ml.m5.large"
        assert BUSY in wait["message"]
        assert wait["since"] >= before.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert f"{name}: training of" in printed
        assert "for a quota of ml.m5.large" in printed
        assert execution.wait().output["statuses"] == {"TRAINED": 2}
        assert set(waits(shop).values()) == {None}


def _concerns(name: str, parameters: Mapping[str, Any]) -> bool:
    return f"-{name}-" in str(parameters)


@pytest.mark.slow
def test_a_wait_ends_with_the_failure_of_its_detector() -> None:
    """One detector's training never has a quota, and neither have the scores of the other's history."""
    refused = {"CreateTrainingJob": "checkout", "CreateTransformJob": "orders"}
    with shared_fleet(WATCHED, MaxConcurrency="2") as shop:
        for each in WATCHED:
            shop.load(each, usual())
        for operation, name in refused.items():
            busy = Fault(
                "sagemaker",
                operation,
                error="ResourceLimitExceeded",
                message=BUSY,
                when=partial(_concerns, name),
            )
            shop.aws.faults.add(busy)
        shop.transform(FIRST_TRANSFORM)
        for operation, name in refused.items():
            assert shop.aws.calls.count("sagemaker." + operation) > 1
            outcome = shop.outcome("training", FIRST_TRANSFORM, name, on_demand=True)
            assert outcome.message.startswith(f"QuotaExceeded: {operation}")
        assert waits(shop) == {"checkout": None, "orders": None}


@pytest.mark.slow
def test_a_wait_that_cannot_be_recorded_does_not_hide_the_refusal() -> None:
    with shared_fleet(WATCHED, MaxConcurrency="2") as shop:
        shop.load(WATCHED[0], usual())
        shop.aws.faults.add(
            Fault("sagemaker", "CreateTrainingJob", error="ResourceLimitExceeded", times=1)
        )
        denied = Fault(
            "dynamodb", "PutItem", error="AccessDeniedException", caller="*StartTrainingJob*"
        )
        shop.aws.faults.add(denied)
        assert shop.train().wait().output["statuses"] == {"TRAINED": 1, "NO_DATA": 1}
