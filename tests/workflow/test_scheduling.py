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
    FIRST_TRANSFORM,
    PERIOD,
    WEEK,
    Fleet,
    detector,
    usual,
    with_spike,
)
from tests.support.shared_fleets import shared_fleet

pytestmark = pytest.mark.slow

ENGINES: tuple[Engine, ...] = ("sagemaker", "lambda")
SPIKE = FIRST_TRANSFORM - timedelta(days=2)


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
        shop.aws.clock.move_to(FIRST_TRANSFORM)
        both = [*shop.stack.fire("TransformRule", FIRST_TRANSFORM)]
        both += shop.stack.fire("TransformRule", FIRST_TRANSFORM)
        assert [execution.wait().status for execution in both] == ["SUCCEEDED"] * 2
        assert published(shop, FIRST_TRANSFORM) == grid(FIRST_TRAINING, FIRST_TRANSFORM)
        assert shop.aws.calls.count("sns.Publish") == 1
        assert shop.outcome("transform", FIRST_TRANSFORM, "checkout").status == "PUBLISHED"


@pytest.mark.parametrize("engine", ENGINES, scope="module")
def test_a_transform_during_a_training_leaves_no_gap_and_learns_no_row_twice(
    engine: Engine,
) -> None:
    watched = detector("checkout", engine=engine)
    with shared_fleet([watched]) as shop:
        shop.load(watched, usual())
        shop.train()
        shop.aws.clock.move_to(FIRST_TRANSFORM)
        shop.aws.faults.add(
            Fault(
                "lambda",
                "Invoke",
                error="ServiceException",
                times=2,
                when=lambda call: "RegisterModel" in call["FunctionName"],
            )
        )
        at_once = [*shop.stack.fire("TrainingRule", FIRST_TRANSFORM)]
        at_once += shop.stack.fire("TransformRule", FIRST_TRANSFORM)
        assert [execution.wait().status for execution in at_once] == ["SUCCEEDED"] * 2
        end = FIRST_TRANSFORM + timedelta(days=2)
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
def test_a_missed_week_is_made_up_for_by_the_next(engine: Engine) -> None:
    watched = detector("checkout", engine=engine)
    start, end = FIRST_TRAINING + timedelta(days=1), FIRST_TRAINING + timedelta(days=14)
    with shared_fleet([watched]) as shop:
        shop.load(watched, usual())
        shop.train()
        shop.transform(start)
        shop.transform(end)
        assert published(shop, end) == grid(FIRST_TRAINING, end)
        assert "lost" not in shop.outcome("transform", end, "checkout").message


@pytest.mark.parametrize("engine", ENGINES, scope="module")
def test_after_a_missed_month_two_weeks_are_published_and_the_rest_is_counted_as_lost(
    engine: Engine,
) -> None:
    watched = detector("checkout", engine=engine)
    end = FIRST_TRAINING + timedelta(days=30)
    with shared_fleet([watched]) as shop:
        shop.load(watched, np.concatenate([usual(), usual(2), usual(3)]))
        shop.train()
        shop.transform(FIRST_TRAINING + timedelta(days=1))
        shop.transform(end)
        message = shop.outcome("transform", end, "checkout").message
        found = re.search(r"; ([\d,]+) datapoints lost, older than the two weeks", message)
        assert found is not None
        late = [moment for moment in published(shop, end) if moment >= end - 2 * WEEK]
        assert late == grid(late[0], end)
        lost = int(found[1].replace(",", ""))
        assert len(late) + lost == len(grid(FIRST_TRAINING + timedelta(days=1), end))


def test_old_models_that_cannot_be_retired_end_the_run_with_the_reason_but_keep_no_detector() -> (
    None
):
    watched = detector("checkout")
    with shared_fleet([watched]) as shop:
        shop.load(watched, usual())
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
    with shared_fleet([detector("checkout")]) as shop:
        later = (FIRST_TRAINING + WEEK).isoformat()
        ended = shop.stack.start("TransformStateMachine", {"time": later}).wait()
        assert (ended.status, ended.error) == ("FAILED", "InvalidInput")
