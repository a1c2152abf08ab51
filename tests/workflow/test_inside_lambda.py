"""Detectors whose forests live inside Lambda, through both state machines on the local AWS."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import pytest

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.detector_record import CarriedCheckpoint, Model
from cutwatch.registry.outcome import Outcome
from cutwatch.streams.copied_forest import copied_forest
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.scoring import StreamScorer
from cutwatch.timestamps import parse_timestamp
from localaws import Fault
from localaws.calls import Call
from tests.support.fleet import (
    FIRST_TRAINING,
    FIRST_TRANSFORM,
    HISTORY_DAYS,
    PERIOD,
    Fleet,
    detector,
    usual,
    with_spike,
)
from tests.support.shared_fleets import shared_fleet
from tests.support.streams import a_stream, records_of

# Two days are the shortest history of which a forest learns at this period.
SHORT: Any = {"engine": "lambda", "history_days": 2}
CHECKOUT = detector("checkout", **SHORT)
DAY = timedelta(days=1)
NEXT_DAY = FIRST_TRAINING + DAY
LATER = FIRST_TRAINING + 2 * DAY
SPIKE = NEXT_DAY - timedelta(hours=6)


@contextmanager
def loaded(*detectors: Detector, **parameters: str) -> Iterator[Fleet]:
    """A fleet in which every metric has the same spike."""
    with shared_fleet(detectors, **parameters) as shop:
        for watched in detectors:
            shop.load(watched, with_spike(SPIKE))
        yield shop


def bucket_of(shop: Fleet) -> Bucket:
    return Bucket(shop.aws.client("s3"), shop.stack.outputs["DataBucketName"])


def carried(shop: Fleet, name: str = "checkout") -> CarriedCheckpoint:
    state = shop.registry.detectors.get(name).carried
    assert state is not None
    return state


def bytes_of(shop: Fleet) -> bytes:
    return bucket_of(shop).read_bytes(carried(shop).newest)


def states_in_s3(shop: Fleet, prefix: str = "") -> list[str]:
    bucket = bucket_of(shop)
    pages = bucket.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return [key for key in keys if key.endswith("forest.npz")]


@pytest.mark.slow
def test_a_run_serves_both_engines_each_within_its_own_bound_and_so_does_training_on_demand() -> (
    None
):
    with loaded(CHECKOUT, detector("orders"), LambdaConcurrency="1") as shop:
        assert shop.transform().wait().output["statuses"] == {"PUBLISHED": 2}
        training = shop.train(FIRST_TRANSFORM + DAY)
        assert training.states.count("Train Detectors") == 2
        assert training.wait().output["statuses"] == {"TRAINED": 2}


@dataclass(frozen=True)
class Learned:
    """A forest's state, and the scores that were published up to it."""

    state: bytes
    scores: Mapping[datetime, float]

    @property
    def checkpoint(self) -> ForestCheckpoint:
        return ForestCheckpoint.from_bytes(self.state)

    @property
    def forest(self) -> bytes:
        return self.checkpoint.forest.to_bytes()

    @classmethod
    def by(cls, shop: Fleet, end: datetime) -> Self:
        return cls(bytes_of(shop), shop.maxima("AnomalyScore", "checkout", end))


@dataclass(frozen=True)
class Course:
    """What a detector's runs have left, one after the other, for tests that only read."""

    outcome: Outcome
    anomalies: Mapping[datetime, float]
    first: Learned
    again: Learned
    next_window: Learned
    renewed: Model
    first_checkpoint_of_renewed: str | None
    outcome_of_renewed: Outcome
    carried_by: str


@pytest.fixture(scope="module")
def course() -> Course:
    """A training, a transform, the same `again`, that of the next window, and a new training with its transform."""
    with loaded(CHECKOUT) as shop:
        shop.train()
        shop.transform(NEXT_DAY)
        outcome = shop.outcome("transform", NEXT_DAY, "checkout")
        anomalies = shop.maxima("Anomaly", "checkout", NEXT_DAY)
        first = Learned.by(shop, NEXT_DAY)
        shop.transform(NEXT_DAY)
        again = Learned.by(shop, NEXT_DAY)
        shop.transform(LATER)
        next_window = Learned.by(shop, LATER)
        shop.train(LATER + timedelta(hours=1))
        record = shop.registry.detectors.get("checkout")
        begins_with = record.checkpoint_of(record.models[0])
        shop.transform(LATER + DAY)
        after_it = shop.outcome("transform", LATER + DAY, "checkout")
        return Course(
            outcome,
            anomalies,
            first,
            again,
            next_window,
            record.models[0],
            begins_with,
            after_it,
            carried(shop).model,
        )


@pytest.mark.slow
def test_the_planted_spike_is_one_event_that_cloudwatch_shows(course: Course) -> None:
    assert course.outcome.datapoints == DAY / timedelta(seconds=PERIOD)
    begins = min(moment for moment, anomaly in course.anomalies.items() if anomaly)
    assert SPIKE <= begins <= SPIKE + timedelta(seconds=2 * PERIOD)
    assert len(course.first.scores) == DAY / timedelta(seconds=PERIOD)


def test_a_doubled_transform_learns_nothing_twice(course: Course) -> None:
    assert course.again == course.first


def test_the_next_window_goes_on_where_the_last_one_ended(course: Course) -> None:
    state = course.next_window.checkpoint
    assert state.through == LATER.timestamp()
    assert state.epochs[-1] == LATER.timestamp() - PERIOD
    assert (np.diff(state.epochs) == PERIOD).all()


def test_training_anew_rebuilds_the_forest(course: Course) -> None:
    assert course.first_checkpoint_of_renewed == course.renewed.checkpoint
    assert course.outcome_of_renewed.status == "PUBLISHED"
    assert course.carried_by == course.renewed.name


def _of_score_forest(parameters: Mapping[str, Any]) -> bool:
    return "ScoreForest" in parameters["FunctionName"]


@pytest.mark.slow
def test_a_transform_that_is_repeated_halfway_scores_and_learns_as_if_it_had_not_been(
    course: Course,
) -> None:
    """Its first call never arrives, and the answer to its second is lost."""
    with loaded(CHECKOUT) as shop:
        shop.train()
        for reset in ("before", "after"):
            lost = Fault("lambda", "Invoke", reset=reset, times=1, when=_of_score_forest)
            shop.aws.faults.add(lost)
        shop.transform(NEXT_DAY)
        scored = shop.aws.calls.of("lambda", "Invoke", where=_is_of_score_forest)
        assert len(scored) == len(["never arrives", "is lost", "works"])
        learned = Learned.by(shop, NEXT_DAY)
        assert (learned.forest, learned.scores) == (course.first.forest, course.first.scores)


def _is_of_score_forest(call: Call) -> bool:
    return _of_score_forest(call.parameters)


@pytest.mark.slow
def test_the_state_that_a_window_began_with_is_kept_and_older_ones_are_deleted() -> None:
    with loaded(CHECKOUT) as shop:
        shop.train()
        for hours in range(1, 4):
            shop.transform(FIRST_TRAINING + timedelta(hours=hours))
        state = carried(shop)
        assert set(states_in_s3(shop, "scores/")) == {state.newest, state.earlier}
        assert len(states_in_s3(shop, "models/")) == 1


@pytest.mark.slow
def test_a_state_that_is_gone_is_named_and_the_next_run_heals() -> None:
    with loaded(CHECKOUT) as shop:
        shop.train()
        bucket = bucket_of(shop)
        bucket.delete(shop.registry.detectors.get("checkout").models[0].checkpoint or "")
        shop.transform(NEXT_DAY)
        message = shop.outcome("transform", NEXT_DAY, "checkout").message
        assert message.startswith("ModelMissing: s3://")
        assert "the next transform trains a new one" in message
        # The new model learns what came before the week that it scores.
        shop.transform(FIRST_TRANSFORM)
        assert shop.outcome("transform", FIRST_TRANSFORM, "checkout").status == "PUBLISHED"


@pytest.mark.slow
def test_where_sagemaker_has_no_algorithm_a_fleet_is_trained_and_a_stream_begins_with_its_forest() -> None:  # fmt: skip
    # A forest of fewer rows than a tree's sample is still learning.
    steady = detector("steady", engine="lambda", features=("value",), period=300)
    stream = a_stream(forest=DETECTOR_FOREST, cold_start="steady")
    with shared_fleet([steady], region="ap-southeast-5", SageMakerEngine="DISABLED") as shop:
        shop.load(steady, usual(period=steady.period))
        assert shop.train().wait().output["statuses"] == {"TRAINED": 1}
        model = shop.registry.detectors.get("steady").usable_model(steady.fingerprint)
        assert model
        assert model.checkpoint
        bucket = bucket_of(shop)
        content, etag = bucket.read_with_etag(model.checkpoint)
        first = copied_forest(stream, model, content, etag, bucket.read_json(model.recipe))
    assert first.through == FIRST_TRAINING.timestamp()
    assert first.learned == timedelta(days=HISTORY_DAYS) / timedelta(seconds=steady.period)
    scorer = StreamScorer(stream, first=first)
    records = records_of([100.0, 400.0])
    usual_row, far = scorer.score(KeyBucket.empty(stream, 0), scorer.by_bucket(records)[0]).rows
    assert 0 < usual_row.score < far.score / 2


RATE = Detector(
    name="error-rate",
    expression="100 * errors / requests",
    metrics={
        "errors": SourceMetric("Shop", "Errors", "Average"),
        "requests": SourceMetric("Shop", "Requests", "Average"),
    },
    period=PERIOD,
    history_days=3,
    engine="lambda",
)
WRONG = Detector(
    name="wrong",
    expression="requests +",
    metrics={"requests": SourceMetric("Shop", "Requests", "Average")},
    engine="lambda",
)


@pytest.mark.slow
def test_an_expression_is_watched_like_a_metric_and_one_that_cloudwatch_rejects_fails_alone() -> (
    None
):
    with shared_fleet([RATE, WRONG]) as shop:
        shop.load(detector("errors", metric="Errors"), with_spike(SPIKE))
        shop.load(detector("requests", metric="Requests"), usual(2) * 100)
        assert shop.train().wait().output["statuses"] == {"TRAINED": 1, "FAILED": 1}
        message = shop.outcome("training", FIRST_TRAINING, "wrong").message
        assert message.startswith("RejectedRequest: GetMetricData: ")
        shop.transform(NEXT_DAY)
        found = shop.outcome("transform", NEXT_DAY, "error-rate")
        assert found.datapoints == DAY / timedelta(seconds=PERIOD)
        assert parse_timestamp(found.events[0].peak_time) - SPIKE <= timedelta(seconds=2 * PERIOD)
