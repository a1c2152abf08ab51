"""Events that come twice, at once, late or not at all, on the local AWS."""

import re
from datetime import datetime, timedelta

import numpy as np
import pytest

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detector import Engine
from cutwatch.forests.checkpoint import ForestCheckpoint
from localaws import Fault
from tests.support.fleet import (
    FIRST_TRAINING,
    PERIOD,
    WEEK,
    Fleet,
    detector,
    usual,
    with_spike,
)
from tests.support.shared_fleets import shared_fleet

pytestmark = pytest.mark.slow

# In this order, the tests of SageMaker alone find the last deployment.
ENGINES: tuple[Engine, ...] = ("lambda", "sagemaker")
# Two days after the training: none of these tests is about how long a window is.
TRANSFORM = FIRST_TRAINING + timedelta(days=2)
SPIKE = TRANSFORM - timedelta(days=1)
SAGEMAKER = detector("checkout", engine="sagemaker")


def published(shop: Fleet, end: datetime) -> list[datetime]:
    return sorted(shop.maxima("Anomaly", "checkout", end))


def grid(start: datetime, end: datetime) -> list[datetime]:
    count = int((end - start).total_seconds()) // PERIOD
    return [start + timedelta(seconds=PERIOD * number) for number in range(count)]


@pytest.mark.parametrize("engine", ENGINES, scope="module")
def test_a_doubled_event_publishes_and_tells_once_even_while_the_first_is_at_work(
    engine: Engine,
) -> None:
    watched = detector("checkout", engine=engine)
    with shared_fleet([watched]) as shop:
        shop.load(watched, with_spike(SPIKE))
        shop.train()
        shop.aws.clock.move_to(TRANSFORM)
        both = [*shop.stack.fire("TransformRule", TRANSFORM)]
        both += shop.stack.fire("TransformRule", TRANSFORM)
        assert [execution.wait().status for execution in both] == ["SUCCEEDED"] * 2
        assert published(shop, TRANSFORM) == grid(FIRST_TRAINING, TRANSFORM)
        assert shop.aws.calls.count("sns.Publish") == 1
        assert shop.outcome("transform", TRANSFORM, "checkout").status == "PUBLISHED"
        jobs = shop.aws.client("sagemaker").list_transform_jobs()["TransformJobSummaries"]
        # One has scored the history, one the window.
        assert len(jobs) == (2 if engine == "sagemaker" else 0)


@pytest.mark.parametrize("engine", ENGINES, scope="module")
def test_a_transform_during_a_training_leaves_no_gap_and_learns_no_row_twice(
    engine: Engine,
) -> None:
    watched = detector("checkout", engine=engine)
    with shared_fleet([watched]) as shop:
        shop.load(watched, usual())
        shop.train()
        shop.aws.clock.move_to(TRANSFORM)
        shop.aws.faults.add(
            Fault(
                "lambda",
                "Invoke",
                error="ServiceException",
                times=2,
                when=lambda call: "RegisterModel" in call["FunctionName"],
            )
        )
        at_once = [*shop.stack.fire("TrainingRule", TRANSFORM)]
        at_once += shop.stack.fire("TransformRule", TRANSFORM)
        assert [execution.wait().status for execution in at_once] == ["SUCCEEDED"] * 2
        end = TRANSFORM + timedelta(days=2)
        shop.transform(end)
        assert published(shop, end) == grid(FIRST_TRAINING, end)
        if engine == "lambda":
            assert_every_row_was_learned_once(shop, end)


def assert_every_row_was_learned_once(shop: Fleet, end: datetime) -> None:
    record = shop.registry.detectors.get("checkout")
    bucket = Bucket(shop.aws.client("s3"), shop.stack.outputs["DataBucketName"])
    state = ForestCheckpoint.from_bytes(
        bucket.read_bytes(record.checkpoint_of(record.models[0]) or "")
    )
    assert state.through == end.timestamp()
    assert (np.diff(state.epochs) == PERIOD).all()


@pytest.mark.parametrize("engine", ENGINES, scope="module")
def test_a_missed_week_is_made_up_for_and_of_a_missed_month_two_weeks_with_the_rest_counted_as_lost(
    engine: Engine,
) -> None:
    watched = detector("checkout", engine=engine)
    start, end = FIRST_TRAINING + timedelta(days=1), FIRST_TRAINING + timedelta(days=9)
    much_later = end + timedelta(days=17)
    with shared_fleet([watched]) as shop:
        shop.load(watched, np.concatenate([usual(), usual(2)]))
        shop.train()
        shop.transform(start)
        shop.transform(end)
        assert published(shop, end) == grid(FIRST_TRAINING, end)
        assert "lost" not in shop.outcome("transform", end, "checkout").message

        shop.transform(much_later)
        outcome = shop.outcome("transform", much_later, "checkout")
        assert outcome.status == "PUBLISHED"
        found = re.search(r"; ([\d,]+) datapoints lost, older than the two weeks", outcome.message)
        assert found is not None
        late = [moment for moment in published(shop, much_later) if moment >= much_later - 2 * WEEK]
        assert late == grid(late[0], much_later)
        lost = int(found[1].replace(",", ""))
        assert lost > 0
        assert len(late) + lost == len(grid(end, much_later))
        assert shop.registry.detectors.get("checkout").published_through == much_later


def test_old_models_that_cannot_be_retired_end_the_run_with_the_reason_but_keep_no_detector() -> (
    None
):
    with shared_fleet([SAGEMAKER]) as shop:
        shop.load(SAGEMAKER, usual())
        shop.aws.faults.add(
            Fault(
                "dynamodb",
                "Query",
                error="AccessDeniedException",
                caller="*RetireDetectors*",
                times=1,
            )
        )
        ended = shop.train().wait()
        assert (ended.status, ended.error) == ("FAILED", "AccessDenied")
        assert "Query" in (ended.cause or "")
        assert shop.outcome("training", FIRST_TRAINING, "checkout").status == "TRAINED"


def test_a_run_in_the_future_is_refused_for_its_watermark_would_silence_all_runs_until_then() -> (
    None
):
    with shared_fleet([SAGEMAKER]) as shop:
        later = (FIRST_TRAINING + WEEK).isoformat()
        ended = shop.stack.start("TransformStateMachine", {"time": later}).wait()
        assert (ended.status, ended.error) == ("FAILED", "InvalidInput")
