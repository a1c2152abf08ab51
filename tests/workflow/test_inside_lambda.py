"""Detectors whose forests live inside Lambda, through both state machines on the local AWS."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self

import numpy as np
import pytest

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.detector_record import CarriedCheckpoint, Model
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.run import run_id
from cutwatch.streams.copied_forest import copied_forest
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.scoring import StreamScorer
from cutwatch.timestamps import parse_timestamp
from localaws import Fault
from localaws.calls import Call
from tests.support.child_states import PUBLISHED_INSIDE_LAMBDA, TRAINED_INSIDE_LAMBDA
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


FIVE = [detector(name, **SHORT) for name in ("checkout", "orders", "returns", "stock", "visits")]


def _throttled(service: str, operation: str, when: Any) -> Fault:
    codes = {"s3": ("SlowDown", 503), "dynamodb": ("ProvisionedThroughputExceededException", 400)}
    code, status = codes.get(service, ("ThrottlingException", 400))
    return Fault(service, operation, error=code, status=status, when=when)


def _of_key(prefix: str) -> Any:
    return lambda parameters: str(parameters.get("Key", "")).startswith(prefix)


def _of_item(sort_key: str) -> Any:
    return lambda parameters: parameters.get("Key", {}).get("sk", {}).get("S") == sort_key


def _of_metric(name: str) -> Any:
    def concerns(parameters: Mapping[str, Any]) -> bool:
        queries = parameters["MetricDataQueries"]
        return any(each["MetricStat"]["Metric"]["MetricName"] == name for each in queries)

    return concerns


def _of_detector(name: str) -> Any:
    def concerns(parameters: Mapping[str, Any]) -> bool:
        dimensions = parameters["MetricData"][0].get("Dimensions", [])
        return {"Name": "Detector", "Value": name} in dimensions

    return concerns


FOR_EVER: dict[Literal["training", "transform"], dict[str, Fault]] = {
    "training": {
        # Its history is not read.
        "orders": _throttled("cloudwatch", "GetMetricData", _of_metric("orders")),
        # Its history is not stored.
        "returns": _throttled("s3", "PutObject", _of_key("data/returns/")),
        # Its forest is not stored.
        "stock": _throttled("s3", "PutObject", _of_key("models/stock/")),
        # Its model is not registered.
        "visits": _throttled("dynamodb", "UpdateItem", _of_item("visits")),
    },
    "transform": {
        # Its window is not read.
        "orders": _throttled("cloudwatch", "GetMetricData", _of_metric("orders")),
        # Its scores are not stored.
        "returns": _throttled("s3", "PutObject", _of_key("scores/returns/")),
        # It is not published.
        "stock": _throttled("cloudwatch", "PutMetricData", _of_detector("stock")),
        # Its watermark does not move.
        "visits": _throttled("dynamodb", "UpdateItem", _of_item("visits")),
    },
}


@pytest.mark.slow
def test_batches_go_through_their_states_in_order_with_one_call_for_a_window_and_no_job() -> None:
    with loaded(*FIVE, FirstWindowDays="1") as shop:
        training = shop.train()
        assert shop.aws.calls.count("cloudwatch.GetMetricData") == 1
        transform = shop.transform(NEXT_DAY)
        assert [child.states for child in training.children] == [TRAINED_INSIDE_LAMBDA]
        assert [child.states for child in transform.children] == [PUBLISHED_INSIDE_LAMBDA]
        assert transform.wait().output["statuses"] == {"PUBLISHED": 5}
        assert shop.aws.calls.of("sagemaker") == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", FOR_EVER)
def test_detectors_that_are_throttled_for_ever_fail_alone_and_the_next_run_catches_them_up(
    kind: Literal["training", "transform"],
) -> None:
    throttled = FOR_EVER[kind]
    with loaded(*FIVE, FirstWindowDays="1") as shop:
        # CloudWatch's clients measure their rate by the clock, which was put back since they began.
        shop.aws.cool_down()
        if kind == "transform":
            shop.train()
        at = FIRST_TRAINING if kind == "training" else NEXT_DAY
        for fault in throttled.values():
            shop.aws.faults.add(fault)

        ended = (shop.train(at) if kind == "training" else shop.transform(at)).wait()

        done = "TRAINED" if kind == "training" else "PUBLISHED"
        assert ended.status == "SUCCEEDED"
        assert ended.output["statuses"] == {done: 1, "FAILED": 4}
        for name, fault in throttled.items():
            message = shop.outcome(kind, at, name).message
            assert message.startswith("Throttled: ")
            assert fault.operation in message
        shop.aws.faults.clear()
        assert shop.transform(LATER).wait().output["statuses"] == {"PUBLISHED": 5}
        assert {shop.registry.detectors.get(each.name).published_through for each in FIVE} == {
            LATER
        }
        # One that had no model yet begins as far back as FirstWindowDays says.
        unpublished = set(throttled) if kind == "training" else set()
        for each in FIVE:
            published = shop.maxima("Anomaly", each.name, LATER)
            days = 1 if each.name in unpublished else 2
            assert len(published) == days * DAY // timedelta(seconds=PERIOD)


@pytest.mark.slow
def test_of_a_batch_that_is_throttled_for_ever_each_detector_has_its_own_reason() -> None:
    with loaded(*FIVE, FirstWindowDays="1") as shop:
        shop.aws.faults.add(_throttled("s3", "PutObject", _of_key("data/")))

        ended = shop.train().wait()

        assert (ended.status, ended.error) == ("FAILED", "AllDetectorsFailed")
        for each in FIVE:
            message = shop.outcome("training", FIRST_TRAINING, each.name).message
            assert message.startswith("Throttled: PutObject: ")


FLEET = [detector(f"m{n}", **SHORT) for n in range(10)]


@pytest.mark.slow
def test_of_ten_detectors_five_fail_each_in_its_own_way_and_five_finish() -> None:
    """Each fails in a batch of its own, of five; one call reads the history of a batch."""
    with shared_fleet(FLEET, BatchSize="2", LambdaConcurrency="2") as shop:
        for watched in FLEET:
            shop.load(watched, usual())
        trained = shop.train().wait()
        assert trained.output["statuses"] == {"TRAINED": 10}
        assert shop.aws.calls.count("cloudwatch.GetMetricData") == 5
        bucket = bucket_of(shop)
        models = {name: shop.registry.detectors.get(name).models[0] for name in ("m0", "m2", "m4")}
        bucket.delete(models["m0"].recipe)
        bucket.delete(models["m2"].checkpoint or "")
        bucket.write(models["m4"].checkpoint or "", "no state")
        shop.aws.faults.add(_denied("s3", "PutObject", "scores/m6/"))
        shop.aws.faults.add(_denied("s3", "GetObject", "data/m8/"))

        ended = shop.transform(NEXT_DAY).wait()

        assert ended.status == "SUCCEEDED"
        assert ended.output["statuses"] == {"PUBLISHED": 5, "FAILED": 5}
        reasons = {
            each["detector"]: each["reason"].split(":")[0] for each in ended.output["failures"]
        }
        assert reasons == {
            "m0": "ModelMissing",
            "m2": "ModelMissing",
            "m4": "ModelMissing",
            "m6": "AccessDenied",
            "m8": "AccessDenied",
        }
        outcomes = shop.registry.outcomes.of_run(run_id("transform", NEXT_DAY))
        assert Counter(each.status for each in outcomes) == {"PUBLISHED": 5, "FAILED": 5}
        assert len(json.dumps(ended.output)) < 10_000


def _denied(service: str, operation: str, key: str) -> Fault:
    def concerns(parameters: Mapping[str, Any]) -> bool:
        return str(parameters.get("Key", "")).startswith(key)

    return Fault(service, operation, error="AccessDenied", status=403, when=concerns)
