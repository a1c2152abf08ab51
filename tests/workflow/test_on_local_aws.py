"""Both state machines whole, with our functions in the local AWS."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from localaws import Fault
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
SPIKE = FIRST_TRANSFORM - timedelta(days=2)
PAUSE = SPIKE - timedelta(hours=1), SPIKE + timedelta(hours=1)
# Three days of history are little: without a minimum, noise is now and then an event too.
CALM = MinimumDeviation(absolute=50)
CHECKOUT = detector("checkout", minimum_deviation=CALM)
BOTH = [CHECKOUT, detector("orders")]
SILENT_HOURS = (6, 24 * 7)
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


@dataclass(frozen=True)
class Week:
    """What the first transform of a detector has left, and the cutoff and the scores that it came from."""

    outcome: Outcome
    cutoff: float
    scored: tuple[list[int], list[float]]
    anomalies: Mapping[datetime, float]
    anomaly_scores: Mapping[datetime, float]


@pytest.fixture(scope="module")
def first_week() -> Mapping[str, Week]:
    """Train and transform once for all tests that read nothing but the results; return them by detector."""
    watched = [*SPIKED, *SILENT.values()]
    with shared_fleet(watched) as shop:
        for each in SPIKED:
            shop.load(each, with_spike(SPIKE, datapoints=HOUR // PERIOD))
        for hours, each in SILENT.items():
            shop.load(each, _without(hours))
        shop.train()
        shop.transform()
        return {each.name: _week(shop, each.name) for each in watched}


def _without(hours: int) -> npt.NDArray[np.float64]:
    """The usual values, but for the last hours before the transform."""
    values = usual()
    last = int((FIRST_TRANSFORM - START).total_seconds()) // PERIOD
    values[last - hours * HOUR // PERIOD : last] = np.nan
    return values


def _week(shop: Fleet, name: str) -> Week:
    return Week(
        shop.outcome("transform", FIRST_TRANSFORM, name),
        Cutoff.from_payload(shop.registry.detectors.get(name).models[0].cutoff).value,
        # A week of silence has no rows to score.
        ([], []) if name.startswith("silent") else _scored(shop, name),
        shop.maxima("Anomaly", name, FIRST_TRANSFORM),
        shop.maxima("AnomalyScore", name, FIRST_TRANSFORM),
    )


@pytest.mark.slow
def test_what_is_published_matches_scores_and_cutoff_point_for_point(
    first_week: Mapping[str, Week],
) -> None:
    week = first_week["textbook"]
    epochs, scores = week.scored
    moments = [datetime.fromtimestamp(epoch, FIRST_TRANSFORM.tzinfo) for epoch in epochs]
    assert len(moments) == WEEK / timedelta(seconds=PERIOD)
    assert week.anomaly_scores == pytest.approx(dict(zip(moments, scores, strict=True)))
    verdicts = {m: float(s > week.cutoff) for m, s in zip(moments, scores, strict=True)}
    assert week.anomalies == verdicts
    assert verdicts[SPIKE] == 1.0


@pytest.mark.slow
def test_the_default_judgement_raises_one_event_for_one_incident(
    first_week: Mapping[str, Week],
) -> None:
    week = first_week["calm"]
    (event,) = week.outcome.events
    assert event.id == f"calm:{event.start}"
    assert abs(parse_timestamp(event.start) - SPIKE) <= timedelta(seconds=2 * PERIOD)
    assert (event.value, event.severity_word) == (400.0, "high")
    assert event.expected == pytest.approx(100, abs=30)
    assert len(week.anomalies) == WEEK / timedelta(seconds=PERIOD)
    ones = sorted(moment for moment, value in week.anomalies.items() if value)
    assert ones[0] == parse_timestamp(event.start)
    assert ones[-1] == parse_timestamp(event.end)
    assert len(ones) == event.datapoints


@pytest.mark.slow
def test_excluded_times_are_neither_scored_nor_alarmed_on(first_week: Mapping[str, Week]) -> None:
    week = first_week["excluded"]
    assert week.anomalies
    assert not [moment for moment in week.anomalies if PAUSE[0] <= moment < PAUSE[1]]
    assert week.outcome.new_events == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["below", "far"])
def test_events_that_nobody_asked_for_are_not_raised(
    first_week: Mapping[str, Week], name: str
) -> None:
    assert first_week[name].outcome.status == "PUBLISHED"
    assert first_week[name].outcome.new_events == 0


@pytest.mark.slow
@pytest.mark.parametrize("hours", SILENT_HOURS)
def test_silence_is_an_anomaly_where_the_detector_says_so(
    first_week: Mapping[str, Week], hours: int
) -> None:
    published = first_week[f"silent-{hours}"].anomalies
    silent = [m for m in published if m >= FIRST_TRANSFORM - timedelta(hours=hours)]
    assert len(silent) == hours * HOUR // PERIOD
    assert all(published[moment] == 1 for moment in silent)


@pytest.mark.slow
def test_states_come_in_the_order_of_the_design() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        training, transform = shop.train(), shop.transform()
        assert training.states == TRAINING_RUN
        assert [child.states for child in training.children] == [TRAINED]
        assert transform.states == TRANSFORM_RUN
        assert [child.states for child in transform.children] == [PUBLISHED]


@pytest.mark.slow
def test_an_incident_across_two_windows_is_told_once() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, with_spike(FIRST_TRANSFORM - timedelta(minutes=30), datapoints=60))
        shop.train()
        shop.transform()
        shop.transform(FIRST_TRANSFORM + timedelta(days=1))
        first = shop.outcome("transform", FIRST_TRANSFORM, "checkout")
        second = shop.outcome("transform", FIRST_TRANSFORM + timedelta(days=1), "checkout")
        assert (first.new_events, second.new_events) == (1, 0)
        assert second.anomalous_datapoints > 0
        assert shop.aws.calls.count("sns.Publish") == 1


@pytest.mark.slow
def test_summaries_are_stamped_now_for_alarms_to_see() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, with_spike(SPIKE))
        shop.train()
        shop.transform()
        found = shop.outcome("transform", FIRST_TRANSFORM, "checkout")
        end = FIRST_TRANSFORM + timedelta(minutes=10)
        for name in ("checkout", None):
            totals = shop.maxima("AnomalousDatapoints", name, end)
            assert list(totals.values()) == [found.anomalous_datapoints]
            assert min(totals) >= FIRST_TRANSFORM
            assert list(shop.maxima("MaxAnomalyScore", name, end).values()) == [
                pytest.approx(found.max_anomaly_score)
            ]


def test_the_metric_calls_are_the_fewest_that_the_limits_allow() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        assert shop.aws.calls.count("cloudwatch.GetMetricData") == 1
        shop.aws.calls.clear()
        shop.transform()
        assert shop.aws.calls.count("cloudwatch.GetMetricData") == 1
        datums = 2 * WEEK / timedelta(seconds=PERIOD) + 2
        totals = 1
        assert shop.aws.calls.count("cloudwatch.PutMetricData") == (
            np.ceil(datums / PUT_METRIC_DATA_MAX_DATUMS) + totals
        )


@pytest.mark.slow
def test_the_same_event_again_starts_no_job_changes_no_maximum_and_tells_nobody_twice() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, with_spike(SPIKE))
        shop.train()
        shop.train()
        shop.transform()
        end = FIRST_TRANSFORM + timedelta(hours=1)
        before = _everything_published(shop, end)
        shop.transform()
        training_jobs = shop.aws.client("sagemaker").list_training_jobs()
        assert len(training_jobs["TrainingJobSummaries"]) == 1
        assert len(_jobs(shop)) == 2
        assert _everything_published(shop, end) == before
        assert shop.aws.calls.count("sns.Publish") == 1
        assert shop.outcome("transform", FIRST_TRANSFORM, "checkout").status == "PUBLISHED"


@pytest.mark.slow
def test_two_executions_of_one_event_at_once_end_as_one() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, with_spike(SPIKE))
        shop.train()
        shop.aws.clock.move_to(FIRST_TRANSFORM)
        executions = [
            shop.stack.start("TransformStateMachine", {"time": "2026-06-08T03:00:00Z"})
            for _ in range(2)
        ]
        assert {execution.wait().status for execution in executions} == {"SUCCEEDED"}
        assert len(_jobs(shop)) == 2
        assert shop.aws.calls.count("sns.Publish") == 1


@pytest.mark.slow
def test_a_failed_job_is_started_anew_under_the_next_attempt() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.aws.sagemaker.fail(lambda _: True, times=1)
        assert shop.train().wait().status == "FAILED"
        assert shop.train().wait().status == "SUCCEEDED"
        names = shop.aws.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
        attempts = sorted(job["TrainingJobName"].rpartition("-")[2] for job in names)
        assert attempts == ["1", "2"]


@pytest.mark.slow
@pytest.mark.parametrize("output", ["lose_output", "shorten_output", "garble_output"])
def test_scores_that_do_not_fit_are_never_published(output: str) -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        getattr(shop.aws.sagemaker, output)(lambda _: True)
        assert shop.transform().wait().status == "FAILED"
        assert shop.outcome("transform", FIRST_TRANSFORM, "checkout").message.startswith(
            "MalformedScores: "
        )
        assert not shop.maxima("Anomaly", "checkout", FIRST_TRANSFORM)
        assert shop.registry.detectors.get("checkout").published_through is None


def test_a_transient_fault_leaves_no_trace() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.aws.faults.add(Fault.throttling("sagemaker", "CreateTrainingJob", times=4))
        assert shop.train().wait().output["statuses"] == {"TRAINED": 1}


@pytest.mark.slow
def test_a_transform_trains_what_has_no_model() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        execution = shop.transform()
        assert "Train On Demand" in execution.states
        trained = shop.outcome("training", FIRST_TRANSFORM, "checkout", on_demand=True)
        assert trained.status == "TRAINED"
        published = shop.outcome("transform", FIRST_TRANSFORM, "checkout")
        assert published.datapoints == WEEK / timedelta(seconds=PERIOD)


@pytest.mark.slow
def test_a_changed_recipe_trains_anew_and_the_week_is_published_once() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        model = shop.registry.detectors.get("checkout").models[0]
        _pretend_another_recipe(shop, model.name)
        execution = shop.transform()
        assert "Train On Demand" in execution.states
        assert shop.outcome("transform", FIRST_TRANSFORM, "checkout").status == "PUBLISHED"


@pytest.mark.slow
def test_a_model_that_was_deleted_is_forgotten_and_the_next_run_heals() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        model = shop.registry.detectors.get("checkout").models[0].name
        shop.aws.client("sagemaker").delete_model(ModelName=model)
        shop.transform()
        assert_matches(
            "ModelMissing: ", shop.outcome("transform", FIRST_TRANSFORM, "checkout").message
        )
        shop.transform(FIRST_TRANSFORM + timedelta(days=1))
        healed = shop.outcome("transform", FIRST_TRANSFORM + timedelta(days=1), "checkout")
        assert healed.status == "PUBLISHED"


@pytest.mark.slow
def test_no_model_ever_saw_a_datapoint_that_it_scores() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        shop.transform()
        shop.train(FIRST_TRANSFORM + timedelta(days=3))
        shop.transform(FIRST_TRANSFORM + WEEK)
        bucket = _bucket(shop)
        for name in _description_keys(shop, "-transform-"):
            window = WindowDescription.from_payload(bucket.read_json(name))
            models = {m.name: m for m in shop.registry.detectors.get("checkout").models}
            assert parse_timestamp(models[window.model].trained_through) <= window.start


@pytest.mark.slow
def test_the_current_and_the_previous_model_are_kept() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        for days in (0, 1, 2):
            shop.train(FIRST_TRAINING + timedelta(days=days))
        registered = [model.name for model in shop.registry.detectors.get("checkout").models]
        existing = shop.aws.client("sagemaker").list_models()["Models"]
        assert len(registered) == 2
        assert {model["ModelName"] for model in existing} == set(registered)


def test_a_run_that_cannot_list_its_detectors_fails_and_says_so() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        execution = shop.stack.start("TransformStateMachine", {"detectors": ["chekout"]})
        ended = execution.wait()
        assert ended.status == "FAILED"
        assert ended.error == "InvalidInput"
        assert "did you mean 'checkout'?" in (ended.cause or "")
        assert execution.states == ["Read Limits", "List Detectors"]


def test_what_left_the_file_is_retired() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        model = shop.registry.detectors.get("checkout").models[0]
        shop.registry.detectors.add_model("orders", model)
        shop.train(FIRST_TRAINING + timedelta(days=1))
        assert set(shop.registry.detectors.all()) == {"checkout"}


@pytest.mark.slow
def test_stack_tags_reach_jobs_and_models() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        sagemaker = shop.aws.client("sagemaker")
        job = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobArn"]
        model = sagemaker.list_models()["Models"][0]["ModelArn"]
        scoring = sagemaker.list_transform_jobs()["TransformJobSummaries"][0]["TransformJobArn"]
        for arn in (job, model, scoring):
            tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
            assert {"Key": "team", "Value": "shop"} in tags


@pytest.mark.slow
def test_hourly_transforms_join_without_gap_or_overlap() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, usual())
        shop.train()
        hours = [FIRST_TRAINING + timedelta(hours=n) for n in (1, 2, 3)]
        for at in hours:
            shop.transform(at)
            assert shop.outcome("transform", at, "checkout").datapoints == HOUR // PERIOD
        published = shop.maxima("Anomaly", "checkout", hours[-1])
        assert sorted(published) == [
            FIRST_TRAINING + timedelta(seconds=PERIOD * n) for n in range(3 * HOUR // PERIOD)
        ]


@pytest.mark.slow
def test_what_is_too_old_to_publish_is_counted_as_lost() -> None:
    with shared_fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, np.concatenate([usual(), usual(2), usual(3)]))
        shop.train()
        shop.transform()
        late = FIRST_TRANSFORM + 3 * WEEK
        shop.transform(late)
        outcome = shop.outcome("transform", late, "checkout")
        assert outcome.status == "PUBLISHED"
        assert_matches(r"720 datapoints lost, older than the two weeks", outcome.message)
        assert shop.registry.detectors.get("checkout").published_through == late


@pytest.mark.slow
@pytest.mark.parametrize(
    ("befalls", "says"),
    [
        ("fail", "TrainingJobFailed: SageMaker training job .* ended Failed: AlgorithmError"),
        ("run_out_of_capacity", "TrainingJobFailed: .*CapacityError"),
        ("stop", "TrainingJobFailed: .* ended Stopped"),
        ("hang", "TrainingJobOverdue: .* was still InProgress at its deadline .* was stopped"),
    ],
)
def test_a_job_that_ends_badly_fails_its_own_detector_only(befalls: str, says: str) -> None:
    with shared_fleet(BOTH, MaxConcurrency="2") as shop:
        for watched in BOTH:
            shop.load(watched, usual())
        getattr(shop.aws.sagemaker, befalls)(lambda name: "-orders-" in name)
        execution = shop.train()
        assert execution.wait().status == "SUCCEEDED"
        assert execution.wait().output["statuses"] == {"TRAINED": 1, "FAILED": 1}
        message = shop.outcome("training", FIRST_TRAINING, "orders").message
        assert_matches(says, message)
        assert shop.aws.calls.count("sns.Publish") == 1


@pytest.mark.slow
def test_a_quota_is_waited_for() -> None:
    with shared_fleet(BOTH, MaxConcurrency="2") as shop:
        for watched in BOTH:
            shop.load(watched, usual())
        shop.aws.sagemaker.default_quota = 1
        shop.aws.sagemaker.training_seconds = 300
        shop.aws.sagemaker.transform_seconds = 300
        execution = shop.train()
        assert execution.wait().output["statuses"] == {"TRAINED": 2}
        refused = shop.aws.calls.of("sagemaker", where=lambda c: c.error_code is not None)
        assert "ResourceLimitExceeded" in {call.error_code for call in refused}


@pytest.mark.slow
def test_a_repeated_run_tells_only_what_is_new() -> None:
    with shared_fleet(BOTH, MaxConcurrency="2") as shop:
        for watched in BOTH:
            shop.load(watched, with_spike(SPIKE))
        shop.train()
        shop.aws.sagemaker.fail(lambda name: "-orders-" in name, times=1)
        shop.transform()
        shop.transform()
        shop.transform()
        messages = [call.parameters for call in shop.aws.calls.of("sns", "Publish")]
        first, failure, second = (message["Subject"] for message in messages)
        assert first.startswith("Cutwatch high: checkout at ")
        assert failure == "Cutwatch: transform failed for 1 detector: orders"
        assert second.startswith("Cutwatch high: orders at ")
        assert "checkout" not in messages[2]["Message"]
        on_bus = shop.aws.calls.of("events", "PutEvents")
        assert [len(call.parameters["Entries"]) for call in on_bus] == [1, 1]


@pytest.mark.slow
def test_a_metric_without_data_is_an_outcome_and_no_failure() -> None:
    detectors = [CHECKOUT, detector("silent"), detector("young")]
    with shared_fleet(detectors) as shop:
        shop.load(CHECKOUT, usual())
        young = np.full(len(usual()), np.nan)
        last = int((FIRST_TRAINING - START).total_seconds()) // PERIOD
        young[last - 50 : last] = 5.0
        shop.load(detectors[2], young)
        assert shop.train().wait().status == "SUCCEEDED"
        silent = shop.outcome("training", FIRST_TRAINING, "silent")
        assert silent.status == "NO_DATA"
        assert "knows no metric Shop silent, Average" in silent.message
        assert shop.outcome("training", FIRST_TRAINING, "young").status == "TOO_LITTLE_HISTORY"
        assert shop.aws.calls.count("sagemaker.CreateTrainingJob") == 1


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


def _pretend_another_recipe(shop: Fleet, model: str) -> None:
    entry = shop.registry.detectors.get("checkout").models[0]
    shop.registry.detectors.remove_models("checkout", {model})
    shop.registry.detectors.add_model("checkout", replace(entry, fingerprint="another"))


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), json.dumps({"pattern": pattern, "text": text}, indent=1)
