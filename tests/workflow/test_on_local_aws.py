"""Both state machines whole, with our functions in the local AWS."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cutwatch.aws.limits import PUT_METRIC_DATA_MAX_DATUMS
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.description import WindowDescription
from cutwatch.datasets.storage import read_epochs, read_scores
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detectors.detector import CutoffRule, MinimumDeviation
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.registry.outcome import Outcome
from cutwatch.timestamps import parse_timestamp
from localaws import Execution, Fault
from tests.support.child_states import PUBLISHED, TRAINED, TRAINING_RUN, TRANSFORM_RUN
from tests.support.fleet import (
    FIRST_TRAINING,
    FIRST_TRANSFORM,
    PERIOD,
    START,
    WEEK,
    Fleet,
    detector,
    usual,
    with_spike,
)
from tests.support.shared_fleets import shared_fleet

HOUR = 3_600
DAY = timedelta(days=1)
NEXT_DAY = FIRST_TRAINING + DAY
WINDOW = 2 * DAY
WINDOW_END = FIRST_TRAINING + WINDOW
SPIKE = NEXT_DAY
PAUSE = SPIKE - timedelta(hours=1), SPIKE + timedelta(hours=1)
# Three days of history are little: without a minimum, noise is now and then an event too.
CALM = MinimumDeviation(absolute=50)
CHECKOUT = detector("checkout", minimum_deviation=CALM)
BOTH = [CHECKOUT, detector("orders")]
# A part of the window and all of it.
SILENT_HOURS = (6, 48)
SPIKED = (
    detector("textbook", cutoff=CutoffRule("training", 3.0)),
    detector("calm", minimum_deviation=CALM),
    detector(
        "excluded",
        minimum_deviation=CALM,
        exclude=(Exclusion(PAUSE[0].isoformat(), PAUSE[1].isoformat()),),
    ),
    detector("below", minimum_deviation=CALM, direction="below"),
    detector("far", minimum_deviation=MinimumDeviation(relative=9)),
)
SILENT = {hours: detector(f"silent-{hours}", missing_data="anomalous") for hours in SILENT_HOURS}
WATCHED = [*SPIKED, *SILENT.values()]


@dataclass(frozen=True)
class Window:
    """What the first transform of a detector has left, and the cutoff and the scores that it came from."""

    outcome: Outcome
    cutoff: float
    scored: tuple[list[int], list[float]]
    anomalies: Mapping[datetime, float]
    anomaly_scores: Mapping[datetime, float]


@pytest.fixture(scope="module")
def first_window() -> Mapping[str, Window]:
    """Train and transform once for all tests that read nothing but the results; return them by detector."""
    with shared_fleet(WATCHED) as shop:
        for each in SPIKED:
            shop.load(each, with_spike(SPIKE, datapoints=HOUR // PERIOD))
        for hours, each in SILENT.items():
            shop.load(each, _without(hours))
        shop.train()
        shop.transform(WINDOW_END)
        return {each.name: _window(shop, each.name) for each in WATCHED}


def _without(hours: int) -> npt.NDArray[np.float64]:
    """The usual values, but for the last hours before the transform."""
    values = usual()
    last = int((WINDOW_END - START).total_seconds()) // PERIOD
    values[last - hours * HOUR // PERIOD : last] = np.nan
    return values


def _window(shop: Fleet, name: str) -> Window:
    return Window(
        shop.outcome("transform", WINDOW_END, name),
        Cutoff.from_payload(shop.registry.detectors.get(name).models[0].cutoff).value,
        # A window of silence has no rows to score.
        ([], []) if name.startswith("silent") else _scored(shop, name),
        shop.maxima("Anomaly", name, WINDOW_END),
        shop.maxima("AnomalyScore", name, WINDOW_END),
    )


@pytest.mark.slow
def test_what_is_published_matches_scores_and_cutoff_point_for_point(
    first_window: Mapping[str, Window],
) -> None:
    window = first_window["textbook"]
    epochs, scores = window.scored
    moments = [datetime.fromtimestamp(epoch, WINDOW_END.tzinfo) for epoch in epochs]
    assert len(moments) == WINDOW / timedelta(seconds=PERIOD)
    assert window.anomaly_scores == pytest.approx(dict(zip(moments, scores, strict=True)))
    verdicts = {m: float(s > window.cutoff) for m, s in zip(moments, scores, strict=True)}
    assert window.anomalies == verdicts
    assert verdicts[SPIKE] == 1.0


@pytest.mark.slow
def test_the_default_judgement_raises_one_event_for_one_incident(
    first_window: Mapping[str, Window],
) -> None:
    window = first_window["calm"]
    (event,) = window.outcome.events
    assert event.id == f"calm:{event.start}"
    assert abs(parse_timestamp(event.start) - SPIKE) <= timedelta(seconds=2 * PERIOD)
    assert (event.value, event.severity_word) == (400.0, "high")
    assert event.expected == pytest.approx(100, abs=30)
    assert len(window.anomalies) == WINDOW / timedelta(seconds=PERIOD)
    ones = sorted(moment for moment, value in window.anomalies.items() if value)
    assert ones[0] == parse_timestamp(event.start)
    assert ones[-1] == parse_timestamp(event.end)
    assert len(ones) == event.datapoints


@pytest.mark.slow
def test_excluded_times_are_neither_scored_nor_alarmed_on(
    first_window: Mapping[str, Window],
) -> None:
    window = first_window["excluded"]
    assert window.anomalies
    assert not [moment for moment in window.anomalies if PAUSE[0] <= moment < PAUSE[1]]
    assert window.outcome.new_events == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["below", "far"])
def test_events_that_nobody_asked_for_are_not_raised(
    first_window: Mapping[str, Window], name: str
) -> None:
    assert first_window[name].outcome.status == "PUBLISHED"
    assert first_window[name].outcome.new_events == 0


@pytest.mark.slow
@pytest.mark.parametrize("hours", SILENT_HOURS)
def test_silence_is_an_anomaly_where_the_detector_says_so(
    first_window: Mapping[str, Window], hours: int
) -> None:
    published = first_window[f"silent-{hours}"].anomalies
    silent = [m for m in published if m >= WINDOW_END - timedelta(hours=hours)]
    assert len(silent) == hours * HOUR // PERIOD
    assert all(published[moment] == 1 for moment in silent)


@pytest.mark.slow
def test_what_befalls_one_detector_costs_no_other_and_to_have_no_data_is_no_failure() -> None:
    trained, broken, crowded, stopped, stuck, silent, young = WATCHED
    with shared_fleet(WATCHED) as shop:
        for each in (trained, broken, crowded, stopped, stuck):
            shop.load(each, usual())
        values = np.full(len(usual()), np.nan)
        last = int((FIRST_TRAINING - START).total_seconds()) // PERIOD
        values[last - 50 : last] = 5.0
        shop.load(young, values)
        sagemaker = shop.aws.sagemaker
        for befalls, watched in (
            (sagemaker.fail, broken),
            (sagemaker.run_out_of_capacity, crowded),
            (sagemaker.stop, stopped),
            (sagemaker.hang, stuck),
        ):
            befalls(partial(_is_of, watched.name))

        ended = shop.train().wait()

        assert ended.status == "SUCCEEDED"
        assert ended.output["statuses"] == {
            "TRAINED": 1,
            "FAILED": 4,
            "NO_DATA": 1,
            "TOO_LITTLE_HISTORY": 1,
        }
        outcomes = {
            each.name: shop.outcome("training", FIRST_TRAINING, each.name) for each in WATCHED
        }
        assert outcomes[trained.name].status == "TRAINED"
        for watched, says in (
            (broken, "TrainingJobFailed: SageMaker training job .* ended Failed: AlgorithmError"),
            (crowded, "TrainingJobFailed: .*CapacityError"),
            (stopped, "TrainingJobFailed: .* ended Stopped"),
            (stuck, "TrainingJobOverdue: .* was still InProgress at its deadline .* was stopped"),
        ):
            assert_matches(says, outcomes[watched.name].message)
        assert outcomes[silent.name].status == "NO_DATA"
        knows_none = f"knows no metric Shop {silent.name}, Average"
        assert knows_none in outcomes[silent.name].message
        assert outcomes[young.name].status == "TOO_LITTLE_HISTORY"
        assert shop.aws.calls.count("sagemaker.CreateTrainingJob") == len(WATCHED) - 2
        assert shop.aws.calls.count("sns.Publish") == 1


def _is_of(detector_name: str, job: str) -> bool:
    return f"-{detector_name}-" in job


@dataclass(frozen=True)
class Course:
    """What a detector's training and transform have left, each of which ran twice."""

    training: Execution
    transform: Execution
    training_jobs: Sequence[Any]
    scoring_jobs: Sequence[str]
    tags: Sequence[Sequence[Any]]
    calls: Mapping[str, Mapping[str, int]]
    outcome: Outcome
    summaries: Mapping[str | None, tuple[Mapping[datetime, float], Mapping[datetime, float]]]
    published: object
    published_again: object
    messages: int
    outcome_again: Outcome


@pytest.fixture(scope="module")
def course() -> Course:
    """A week with a spike, for all tests that only read."""
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, with_spike(SPIKE))
        training = shop.train()
        calls = {"training": _metric_calls(shop)}
        shop.train()
        shop.aws.calls.clear()
        transform = shop.transform()
        calls["transform"] = _metric_calls(shop)
        outcome = shop.outcome("transform", FIRST_TRANSFORM, "checkout")
        soon, later = (FIRST_TRANSFORM + timedelta(minutes=minutes) for minutes in (10, 60))
        summaries = {
            name: (
                shop.maxima("AnomalousDatapoints", name, soon),
                shop.maxima("MaxAnomalyScore", name, soon),
            )
            for name in ("checkout", None)
        }
        published = _everything_published(shop, later)
        shop.transform()
        return Course(
            training,
            transform,
            shop.aws.client("sagemaker").list_training_jobs()["TrainingJobSummaries"],
            _jobs(shop),
            _tags(shop),
            calls,
            outcome,
            summaries,
            published,
            _everything_published(shop, later),
            shop.aws.calls.count("sns.Publish"),
            shop.outcome("transform", FIRST_TRANSFORM, "checkout"),
        )


def _metric_calls(shop: Fleet) -> Mapping[str, int]:
    operations = ("GetMetricData", "PutMetricData")
    return {name: shop.aws.calls.count(f"cloudwatch.{name}") for name in operations}


def _tags(shop: Fleet) -> Sequence[Sequence[Any]]:
    """Of a training job, a model and a scoring job."""
    sagemaker = shop.aws.client("sagemaker")
    job = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobArn"]
    model = sagemaker.list_models()["Models"][0]["ModelArn"]
    scoring = sagemaker.list_transform_jobs()["TransformJobSummaries"][0]["TransformJobArn"]
    return [sagemaker.list_tags(ResourceArn=arn)["Tags"] for arn in (job, model, scoring)]


@pytest.mark.slow
def test_states_come_in_the_order_of_the_design(course: Course) -> None:
    assert course.training.states == TRAINING_RUN
    assert [child.states for child in course.training.children] == [TRAINED]
    assert course.transform.states == TRANSFORM_RUN
    assert [child.states for child in course.transform.children] == [PUBLISHED]


def test_summaries_are_stamped_now_for_alarms_to_see(course: Course) -> None:
    for totals, highest in course.summaries.values():
        assert list(totals.values()) == [course.outcome.anomalous_datapoints]
        assert min(totals) >= FIRST_TRANSFORM
        assert list(highest.values()) == [pytest.approx(course.outcome.max_anomaly_score)]


def test_the_metric_calls_are_the_fewest_that_the_limits_allow(course: Course) -> None:
    assert course.calls["training"]["GetMetricData"] == 1
    assert course.calls["transform"]["GetMetricData"] == 1
    datums = 2 * WEEK / timedelta(seconds=PERIOD) + 2
    totals = 1
    assert course.calls["transform"]["PutMetricData"] == (
        np.ceil(datums / PUT_METRIC_DATA_MAX_DATUMS) + totals
    )


def test_the_same_event_again_starts_no_job_changes_no_maximum_and_tells_nobody_twice(
    course: Course,
) -> None:
    assert len(course.training_jobs) == 1
    assert len(course.scoring_jobs) == 2
    assert course.published_again == course.published
    assert course.messages == 1
    assert course.outcome_again.status == "PUBLISHED"


def test_stack_tags_reach_jobs_and_models(course: Course) -> None:
    assert len(course.tags) == 3
    for tags in course.tags:
        assert {"Key": "team", "Value": "shop"} in tags


@pytest.mark.slow
def test_an_incident_across_two_windows_is_told_once() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, with_spike(NEXT_DAY - timedelta(minutes=30), datapoints=60))
        shop.train()
        shop.transform(NEXT_DAY)
        shop.transform(NEXT_DAY + DAY)
        first = shop.outcome("transform", NEXT_DAY, "checkout")
        second = shop.outcome("transform", NEXT_DAY + DAY, "checkout")
        assert (first.new_events, second.new_events) == (1, 0)
        assert second.anomalous_datapoints > 0
        assert shop.aws.calls.count("sns.Publish") == 1


@pytest.mark.slow
def test_a_failed_job_is_started_anew_under_the_next_attempt_and_throttling_leaves_no_trace() -> (
    None
):
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.aws.sagemaker.fail(lambda _: True, times=1)
        assert shop.train().wait().status == "FAILED"
        shop.aws.faults.add(Fault.throttling("sagemaker", "CreateTrainingJob", times=4))
        assert shop.train().wait().output["statuses"] == {"TRAINED": 1}
        names = shop.aws.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
        attempts = sorted(job["TrainingJobName"].rpartition("-")[2] for job in names)
        assert attempts == ["1", "2"]


@pytest.mark.slow
def test_scores_that_do_not_fit_are_never_published() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        sagemaker = shop.aws.sagemaker
        befall = (sagemaker.lose_output, sagemaker.shorten_output, sagemaker.garble_output)
        for days, befalls in enumerate(befall, 1):
            at = FIRST_TRAINING + days * DAY
            sagemaker.forget()
            befalls(lambda _: True)
            assert shop.transform(at).wait().status == "FAILED"
            message = shop.outcome("transform", at, "checkout").message
            assert message.startswith("MalformedScores: ")
        assert not shop.maxima("Anomaly", "checkout", FIRST_TRANSFORM)
        assert shop.registry.detectors.get("checkout").published_through is None


@pytest.mark.slow
def test_a_transform_trains_what_has_no_model_one_of_another_recipe_or_one_that_was_deleted() -> (
    None
):
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        execution = shop.transform()
        assert "Train On Demand" in execution.states
        trained = shop.outcome("training", FIRST_TRANSFORM, "checkout", on_demand=True)
        assert trained.status == "TRAINED"
        published = shop.outcome("transform", FIRST_TRANSFORM, "checkout")
        assert published.datapoints == WEEK / timedelta(seconds=PERIOD)

        _pretend_another_recipe(shop)
        changed = FIRST_TRANSFORM + DAY
        execution = shop.transform(changed)
        assert "Train On Demand" in execution.states
        assert shop.outcome("transform", changed, "checkout").status == "PUBLISHED"

        model = shop.registry.detectors.get("checkout").models[0].name
        shop.aws.client("sagemaker").delete_model(ModelName=model)
        missed, healed = FIRST_TRANSFORM + 2 * DAY, FIRST_TRANSFORM + 3 * DAY
        shop.transform(missed)
        assert_matches("ModelMissing: ", shop.outcome("transform", missed, "checkout").message)
        shop.transform(healed)
        assert shop.outcome("transform", healed, "checkout").status == "PUBLISHED"


@pytest.mark.slow
def test_two_models_are_kept_none_saw_what_it_scores_and_what_left_the_file_is_retired() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        model = shop.registry.detectors.get("checkout").models[0]
        shop.registry.detectors.add_model("orders", model)
        shop.train(FIRST_TRAINING + DAY)
        assert set(shop.registry.detectors.all()) == {"checkout"}
        shop.transform(FIRST_TRAINING + 2 * DAY)
        shop.train(FIRST_TRAINING + 3 * DAY)
        shop.transform(FIRST_TRAINING + 4 * DAY)

        models = {m.name: m for m in shop.registry.detectors.get("checkout").models}
        existing = shop.aws.client("sagemaker").list_models()["Models"]
        assert len(models) == 2
        assert {each["ModelName"] for each in existing} == set(models)
        bucket = _bucket(shop)
        windows = [
            WindowDescription.from_payload(bucket.read_json(key))
            for key in _description_keys(shop, "-transform-")
        ]
        assert {window.model for window in windows} == set(models)
        for window in windows:
            assert parse_timestamp(models[window.model].trained_through) <= window.start


def test_a_run_that_cannot_list_its_detectors_fails_and_says_so() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        execution = shop.stack.start("TransformStateMachine", {"detectors": ["chekout"]})
        ended = execution.wait()
        assert ended.status == "FAILED"
        assert ended.error == "InvalidInput"
        assert "did you mean 'checkout'?" in (ended.cause or "")
        assert execution.states == ["Read Limits", "List Detectors"]


@pytest.mark.slow
def test_hourly_transforms_join_without_gap_or_overlap() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        hours = [FIRST_TRAINING + timedelta(hours=n) for n in (1, 2)]
        for at in hours:
            shop.transform(at)
            assert shop.outcome("transform", at, "checkout").datapoints == HOUR // PERIOD
        published = shop.maxima("Anomaly", "checkout", hours[-1])
        assert sorted(published) == [
            FIRST_TRAINING + timedelta(seconds=PERIOD * n) for n in range(2 * HOUR // PERIOD)
        ]


@pytest.mark.slow
def test_a_repeated_run_tells_only_what_is_new() -> None:
    with shared_fleet(BOTH, MaxConcurrency="2") as shop:
        for watched in BOTH:
            shop.load(watched, with_spike(SPIKE))
        shop.train()
        shop.aws.sagemaker.fail(lambda name: "-orders-" in name, times=1)
        shop.transform(WINDOW_END)
        shop.transform(WINDOW_END)
        shop.transform(WINDOW_END)
        messages = [call.parameters for call in shop.aws.calls.of("sns", "Publish")]
        first, failure, second = (message["Subject"] for message in messages)
        assert first.startswith("Cutwatch high: checkout at ")
        assert failure == "Cutwatch: transform failed for 1 detector: orders"
        assert second.startswith("Cutwatch high: orders at ")
        assert "checkout" not in messages[2]["Message"]
        on_bus = shop.aws.calls.of("events", "PutEvents")
        assert [len(call.parameters["Entries"]) for call in on_bus] == [1, 1]


def test_a_region_without_the_algorithm_is_refused_with_a_sentence() -> None:
    refused = "Random Cut Forest does not exist in this region"
    with (
        pytest.raises(Exception, match=refused),
        shared_fleet([CHECKOUT], region="ap-southeast-5"),
    ):
        pytest.fail("it was deployed")


def _jobs(shop: Fleet) -> list[str]:
    pages = shop.aws.client("sagemaker").get_paginator("list_transform_jobs").paginate()
    return [job["TransformJobName"] for page in pages for job in page["TransformJobSummaries"]]


def _everything_published(shop: Fleet, end: datetime) -> object:
    metrics = ("Anomaly", "AnomalyScore", "AnomalousDatapoints", "MaxAnomalyScore")
    return [shop.maxima(metric, name, end) for metric in metrics for name in ("checkout", None)]


def _bucket(shop: Fleet) -> Bucket:
    return Bucket(shop.aws.client("s3"), shop.stack.outputs["DataBucketName"])


def _description_keys(shop: Fleet, purpose: str, detector: str = "checkout") -> list[str]:
    bucket = _bucket(shop)
    pages = bucket.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket.name, Prefix=f"data/{detector}/"
    )
    keys = [found["Key"] for page in pages for found in page["Contents"]]
    return [key for key in keys if key.endswith("description.json") and purpose in key]


def _scored(shop: Fleet, name: str) -> tuple[list[int], list[float]]:
    bucket = _bucket(shop)
    (key,) = _description_keys(shop, "-transform-", name)
    window = WindowDescription.from_payload(bucket.read_json(key))
    dataset = window.dataset
    (job,) = [job for job in _jobs(shop) if dataset.digest in job]
    epochs = read_epochs(bucket, dataset.prefix)
    scores = read_scores(bucket, f"scores/{name}/{job}/", dataset.files, len(epochs))
    own = epochs >= window.start.timestamp()
    return epochs[own].tolist(), scores[own, 0].tolist()


def _pretend_another_recipe(shop: Fleet) -> None:
    entry = shop.registry.detectors.get("checkout").models[0]
    shop.registry.detectors.remove_models("checkout", {entry.name})
    shop.registry.detectors.add_model("checkout", replace(entry, fingerprint="another"))


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), json.dumps({"pattern": pattern, "text": text}, indent=1)
