"""Both state machines from end to end on moto's interpreter, SageMaker's jobs played by tests/sagemaker_jobs.py.

moto lets a Map with failed children succeed whatever `ToleratedFailurePercentage` says; what else it does otherwise than AWS is
mended in tests/state_machines.py, and nowhere else.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
import yaml

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.errors import TRANSIENT_RETRIES, Throttled
from tests.support.builders import a_model
from tests.support.child_states import PUBLISHED, TRAINED, TRAINING_RUN, TRANSFORM_RUN
from tests.support.sample_events import sample
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.account import Account
    from tests.support.state_machines import Execution, StateMachines

TRAINING, TRANSFORM = sample("training"), sample("transform")
NOW = datetime(2026, 11, 2, 4, 0, 3, tzinfo=UTC)
NEWEST = datetime(2026, 11, 2, 3, 45, tzinfo=UTC)
SPIKE = NEWEST - timedelta(hours=6)
PERIOD = timedelta(minutes=15)
A_DAY = timedelta(days=1) // PERIOD

DETECTORS = ["orders", "refunds", "visits"]


@pytest.fixture(scope="module")
def impatient_stack() -> Stack:
    """A day to score is enough, and quickly read."""
    return Stack(PollSeconds="0", FirstWindowDays="1")


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A detectors.yaml of three detectors, which tests may write anew."""
    file = tmp_path / "detectors.yaml"
    watch(file, DETECTORS)
    monkeypatch.setenv("DETECTORS_FILE", str(file))
    return file


def watch(file: Path, names: list[str], **changed: Mapping[str, Any]) -> None:
    """Write detectors; `changed` are the settings in which some of them are not like the others."""
    common = {"namespace": "Shop", "statistic": "Sum", "period": 900, "history_days": 2}
    detectors = [
        {"name": name, "metric": name, **common, **changed.get(name, {})} for name in names
    ]
    file.write_text(yaml.safe_dump({"detectors": detectors}))


@pytest.fixture
def machines(account: Account, watched: Path) -> Iterator[StateMachines]:
    with on_a_monday_morning(account) as machines:
        yield machines


@contextmanager
def on_a_monday_morning(account: Account) -> Iterator[StateMachines]:
    """Deploy the application with three days of three metrics, and a spike in the last night of each."""
    # Its parser takes a second to import, in every process that collects the tests.
    from tests.support.state_machines import deployed  # noqa: PLC0415

    for name in DETECTORS:
        report(account, name)
    # moto reads slowly: two days of history stand for the week that a static forest needs.
    with patch.dict(MINIMUM_TRAINING_ROWS, sagemaker=100), deployed(account, NOW) as machines:
        yield machines


def report(account: Account, metric: str) -> None:
    start = NEWEST - PERIOD * 3 * A_DAY
    spike = (SPIKE - start) // PERIOD
    values = [1000.0 if n == spike else 100.0 + n % 12 for n in range(3 * A_DAY)]
    account.put_metric("Shop", metric, start, values, period=900)


@pytest.fixture
def trained(machines: StateMachines) -> StateMachines:
    """The same after a training that ended a day before."""
    assert train(machines).status == "SUCCEEDED"
    machines.forget()
    return machines


def train(machines: StateMachines) -> Execution:
    a_day_ago = NEWEST - timedelta(days=1)
    for name in DETECTORS:
        machines.account.registry.detectors.advance(name, a_day_ago, "before", None, None)
    return machines.run("TrainingStateMachine", TRAINING)


@dataclass(frozen=True)
class Left:
    """What an account holds after a run."""

    models: dict[str, int]
    jobs: dict[Any, Any]
    anomalies: dict[str, dict[datetime, float]]
    maxima: dict[Any, float]
    messages: list[tuple[str, str]]
    on_bus: int

    @classmethod
    def by(cls, account: Account) -> Left:
        a_day_ago = NEWEST - timedelta(days=1)
        return cls(
            {name: len(account.registry.detectors.get(name).models) for name in DETECTORS},
            dict(account.sagemaker.jobs),
            {
                name: account.published("Anomaly", a_day_ago, NEWEST, name, period=900)
                for name in DETECTORS
            },
            published(account),
            account.messages(),
            len(account.bus),
        )


@pytest.fixture(scope="module")
def week(
    impatient_stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Execution, Left]]:
    """A training, a transform and both again, each with what it left, for tests that only read."""
    from tests.support.account import open_account  # noqa: PLC0415

    file = tmp_path_factory.mktemp("watched") / "detectors.yaml"
    watch(file, DETECTORS)
    with (
        patch.dict(os.environ, DETECTORS_FILE=str(file)),
        open_account(impatient_stack) as account,
        on_a_monday_morning(account) as machines,
    ):
        training = train(machines), Left.by(account)
        trained_again = machines.run("TrainingStateMachine", TRAINING), Left.by(account)
        transform = machines.run("TransformStateMachine", TRANSFORM), Left.by(account)
        again = machines.run("TransformStateMachine", TRANSFORM), Left.by(account)
    return {
        "training": training,
        "training again": trained_again,
        "transform": transform,
        "transform again": again,
    }


def failures(execution: Execution) -> dict[str, str]:
    return {each["detector"]: each["reason"] for each in execution.output["failures"]}


@pytest.mark.slow
def test_training_goes_through_its_states_in_order_and_registers_every_model(
    week: dict[str, tuple[Execution, Left]],
) -> None:
    execution, left = week["training"]

    assert execution.states == TRAINING_RUN
    assert execution.children == dict.fromkeys(DETECTORS, TRAINED)
    assert execution.output["statuses"] == {"TRAINED": 3}
    assert left.models == dict.fromkeys(DETECTORS, 1)


def test_a_transform_goes_through_its_states_in_order_and_publishes_every_detector(
    week: dict[str, tuple[Execution, Left]],
) -> None:
    execution, _ = week["transform"]

    assert execution.states == TRANSFORM_RUN
    assert execution.children == dict.fromkeys(DETECTORS, PUBLISHED)
    assert execution.output["statuses"] == {"PUBLISHED": 3}


def test_the_planted_spike_is_the_one_event_that_cloudwatch_shows(
    week: dict[str, tuple[Execution, Left]],
) -> None:
    _, left = week["transform"]

    for name in DETECTORS:
        published = left.anomalies[name]
        assert len(published) == A_DAY
        # A deviation counts for as long as it is in the mean of an hour.
        anomalous = sorted(moment for moment, one in published.items() if one)
        assert anomalous == [SPIKE + n * PERIOD for n in range(4)]


def test_one_message_tells_of_the_anomalies(week: dict[str, tuple[Execution, Left]]) -> None:
    _, left = week["transform"]

    [(subject, text)] = left.messages
    assert subject.startswith("Cutwatch high: orders at 1,000, expected ")
    assert subject.endswith(", and 2 more detectors")
    assert text.count("1 new event") == 3
    assert "Time      Sun 2026-11-01 21:45 to 22:45 UTC, 1 h" in text
    assert "Value     1,000; expected " in text
    assert left.on_bus == 3


def test_the_same_event_again_starts_no_job_and_changes_no_maximum(
    week: dict[str, tuple[Execution, Left]],
) -> None:
    _, before = week["transform"]
    again, after = week["transform again"]

    assert again.status == "SUCCEEDED"
    assert after.jobs == before.jobs
    assert after.maxima == before.maxima
    assert after.messages == before.messages


def shape(payload: Any, beside: Any) -> Any:
    """Keys and types; where either side has nothing, or an event's own input, there is nothing to compare."""
    if payload is None or beside is None:
        return None
    if not isinstance(payload, dict) or not isinstance(beside, dict):
        return type(payload).__name__
    return {
        key: shape(value, beside.get(key, value))
        for key, value in payload.items()
        if key not in ("dimensions", "event")
    }


def published(account: Account) -> dict[Any, float]:
    """Every Maximum of every series of ours at every timestamp."""
    start, end = NEWEST - timedelta(days=2), NOW + timedelta(minutes=5)
    metrics = ("Anomaly", "AnomalyScore", "AnomalousDatapoints", "MaxAnomalyScore")
    return {
        (metric, name, moment): value
        for metric in metrics
        for name in (*DETECTORS, None)
        for moment, value in account.published(metric, start, end, name, period=1_800).items()
    }


def test_a_doubled_training_event_starts_no_second_job(
    week: dict[str, tuple[Execution, Left]],
) -> None:
    _, before = week["training"]
    again, after = week["training again"]

    assert again.output["statuses"] == {"TRAINED": 3}
    assert after.jobs == before.jobs


def test_a_new_deployment_trains_and_publishes_in_one_run_and_reports_what_it_could_not_train(
    machines: StateMachines,
) -> None:
    machines.account.sagemaker.will_end("TrainingJob cutwatch-visits", "Failed", "AlgorithmError")

    execution = machines.run("TransformStateMachine", TRANSFORM)

    assert execution.states[2:5] == ["Any To Train?", "Train On Demand", "Any For Lambda?"]
    assert execution.output["statuses"] == {"PUBLISHED": 2, "FAILED": 1}
    for name in ("orders", "refunds"):
        assert execution.children[name] == TRAINED + PUBLISHED
    assert "AlgorithmError" in failures(execution)["visits"]
    [(subject, _)] = machines.account.operations_messages()
    assert subject == "Cutwatch: transform failed for 1 detector: visits"


@pytest.mark.slow
def test_what_is_new_or_has_a_changed_recipe_is_trained_on_demand_and_nothing_else(
    trained: StateMachines, watched: Path
) -> None:
    changed: dict[str, Any] = {
        "refunds": {"cutoff": {"sigmas": 4}},
        "visits": {"statistic": "Average"},
    }
    watch(watched, [*DETECTORS, "newcomer"], **changed)
    report(trained.account, "newcomer")

    execution = trained.run("TransformStateMachine", TRANSFORM)

    assert execution.children == {
        "orders": PUBLISHED,
        "refunds": PUBLISHED,
        "visits": TRAINED + PUBLISHED,
        "newcomer": TRAINED + PUBLISHED,
    }


@pytest.mark.slow
def test_a_denied_start_is_not_retried_a_throttled_one_is_and_a_quota_is_waited_for_longer(
    trained: StateMachines,
) -> None:
    refuse = trained.account.sagemaker.refuse
    refuse("CreateTransformJob", "AccessDeniedException", "no permission")
    denied = trained.run("TransformStateMachine", TRANSFORM)
    assert trained.delays == []
    [reason] = failures(denied).values()
    assert reason == "AccessDenied: CreateTransformJob: no permission (AccessDeniedException)"

    refuse("CreateTransformJob", "ThrottlingException", times=2)
    refuse("CreateTransformJob", "ResourceLimitExceeded", times=12)
    refused = trained.run("TransformStateMachine", TRANSFORM)
    assert refused.output["statuses"] == {"PUBLISHED": 3}
    throttling, quota = trained.delays[:2], trained.delays[2:]
    assert max(throttling) <= 60
    assert len(quota) == 12
    assert 60 < max(quota) <= 1_800


def test_a_detector_that_is_throttled_for_ever_fails_alone_after_its_last_try(
    machines: StateMachines,
) -> None:
    write = Bucket.write

    def throttled(bucket: Bucket, key: str, content: str) -> None:
        if key.startswith("data/orders/"):
            raise Throttled("PutObject", "SlowDown", "slow down")
        write(bucket, key, content)

    with patch.object(Bucket, "write", throttled):
        execution = machines.run("TrainingStateMachine", TRAINING)

    tries = [
        payload["retries"]
        for function, payload in machines.account.invocations
        if function == "store_metric_data" and payload["detectors"][0]["name"] == "orders"
    ]
    assert tries == list(range(TRANSIENT_RETRIES + 1))
    assert execution.output["statuses"] == {"TRAINED": 2, "FAILED": 1}
    assert failures(execution) == {"orders": "Throttled: PutObject: slow down (SlowDown)"}


def test_a_quota_of_nothing_ends_in_a_failure_that_names_it(
    machines: StateMachines, watched: Path
) -> None:
    watch(watched, ["orders"])
    refusal = "The account-level service limit is 0 Instances"
    machines.account.sagemaker.refuse("CreateTrainingJob", "ResourceLimitExceeded", refusal, 63)

    execution = machines.run("TrainingStateMachine", TRAINING)

    assert (execution.status, execution.error) == ("FAILED", "AllDetectorsFailed")
    [(_, text)] = machines.account.operations_messages()
    assert f"QuotaExceeded: CreateTrainingJob: {refusal} (ResourceLimitExceeded)" in text


def test_training_jobs_that_end_badly_fail_their_own_detectors_while_the_others_finish(
    machines: StateMachines, watched: Path
) -> None:
    watch(watched, [*DETECTORS, "newcomer"])
    report(machines.account, "newcomer")
    ends = {"orders": "Failed", "refunds": "Stopped", "visits": "Deleting"}
    for name, end in ends.items():
        pattern = f"TrainingJob cutwatch-{name}"
        machines.account.sagemaker.will_end(pattern, end, "CapacityError: none")

    execution = machines.run("TrainingStateMachine", TRAINING)

    assert execution.status == "SUCCEEDED"
    assert execution.output["statuses"] == {"TRAINED": 1, "FAILED": 3}
    assert execution.children["newcomer"] == TRAINED
    for name, end in ends.items():
        assert execution.children[name][-3:] == ["Training Job Failed", "Record Outcome", "Done"]
        assert f"ended {end}: CapacityError: none" in failures(execution)[name]
        assert failures(execution)[name].startswith("TrainingJobFailed: SageMaker training job")


@pytest.mark.slow
def test_transform_jobs_that_end_badly_fail_their_own_detectors_and_the_next_run_heals_them(
    trained: StateMachines, watched: Path
) -> None:
    """One detector has no data, which is an outcome and no failure."""
    watch(watched, [*DETECTORS, "silent"])
    sagemaker = trained.account.sagemaker
    for name, end in (("orders", "Failed"), ("refunds", "Stopped")):
        sagemaker.will_end(f"TransformJob cutwatch-{name}-202611020400-.*-1", end, "ClientError")

    execution = trained.run("TransformStateMachine", TRANSFORM)

    assert execution.status == "SUCCEEDED"
    assert execution.output["statuses"] == {"PUBLISHED": 1, "FAILED": 2, "NO_DATA": 1}
    assert execution.children["silent"][-3:] == ["Store Metric Data", "Anything To Judge?", "Done"]
    for name in ("orders", "refunds"):
        states = execution.children[name]
        assert states[-3:] == ["Transform Job Failed", "Record Outcome", "Done"]
        reason = failures(execution)[name]
        assert reason.startswith("TransformJobFailed: SageMaker transform job")

    again = trained.run("TransformStateMachine", TRANSFORM)

    assert again.output["statuses"] == {"PUBLISHED": 3, "NO_DATA": 1}
    created = [name for name in sagemaker.created("CreateTransformJob") if "0400-" in name]
    assert [name[-2:] for name in created] == ["-1", "-1", "-1", "-2", "-2"]


def test_jobs_past_their_deadline_are_stopped_and_a_run_in_which_every_detector_fails_fails(
    trained: StateMachines, watched: Path
) -> None:
    """All the while, payloads have the form of the sample events, also of what is called only when something goes wrong."""
    watch(watched, ["orders", "visits"])
    sagemaker = trained.account.sagemaker
    sagemaker.will_end("TransformJob cutwatch-orders-202611020400", "InProgress")
    sagemaker.will_end("TransformJob cutwatch-visits-202611020400", "Failed", "ClientError")
    trained.account.overrides["DEADLINE_MINUTES"] = "0"

    execution = trained.run("TransformStateMachine", TRANSFORM)

    [job] = [job for (_, name), job in sagemaker.jobs.items() if "orders-202611020400" in name]
    assert job.status == "Stopped"
    assert execution.children["orders"][-4:] == [
        "Stop Transform Job",
        "Transform Job Overdue",
        "Record Outcome",
        "Done",
    ]
    assert (execution.status, execution.error) == ("FAILED", "AllDetectorsFailed")
    [(subject, text)] = trained.account.operations_messages()
    assert subject == "Cutwatch: transform failed for 2 detectors: orders, visits"
    assert "TransformJobOverdue: SageMaker transform job" in text
    for function, payload in trained.account.invocations:
        assert shape(payload, sample(function)) == shape(sample(function), payload)


@pytest.mark.parametrize("machine", ["training", "transform"])
def test_a_list_that_cannot_be_read_fails_the_run_with_its_reason(
    machines: StateMachines, watched: Path, machine: str
) -> None:
    watch(watched, ["orders"], orders={"statistic": "Mean"})

    execution = machines.run(f"{machine.capitalize()}StateMachine", sample(machine))

    assert execution.states[-1] == "List Detectors"
    assert (execution.status, execution.error) == ("FAILED", "InvalidDetectors")
    assert "detector 'orders': statistic: 'Mean' is not valid" in execution.cause


def test_training_keeps_two_models_and_retires_what_left_the_file(
    machines: StateMachines, watched: Path
) -> None:
    account = machines.account
    for name in ("cutwatch-old", "cutwatch-older"):
        account.sagemaker.models[name] = {}
        month = 10 if name == "cutwatch-old" else 9
        account.registry.detectors.add_model(
            "orders", a_model(name, scheduled_time=f"2026-{month:02}-01T03:00:00Z")
        )
    account.registry.detectors.add_model("forgotten", a_model("cutwatch-forgotten"))

    machines.run("TrainingStateMachine", TRAINING)

    assert len(account.registry.detectors.get("orders").models) == 2
    assert "cutwatch-older" not in account.sagemaker.models
    assert "forgotten" not in account.registry.detectors.all()
