"""The application that the matrix disturbs: deployed once for each process, put back before each case."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np

from cutwatch.aws.clients import from_item
from cutwatch.registry.detector_record import Model
from localaws.stacks import Execution, ExecutionResult
from tests.support import snapshots
from tests.support.fleet import FIRST_TRAINING, Fleet, detector, fleet
from tests.support.snapshots import Snapshot

PERIOD = 900
# SageMaker's forest needs 200 rows: more than two days at this period.
HISTORY_DAYS = 5
HISTORY = timedelta(days=HISTORY_DAYS)
# One detector of SageMaker's, and two that share a batch inside Lambda.
JOBS, FIRST, SECOND = "checkout", "orders", "stock"
NAMES = (JOBS, FIRST, SECOND)
DETECTORS = (
    detector(JOBS, period=PERIOD, history_days=HISTORY_DAYS),
    detector(FIRST, period=PERIOD, history_days=HISTORY_DAYS, engine="lambda"),
    detector(SECOND, period=PERIOD, history_days=HISTORY_DAYS, engine="lambda"),
)
# A detector that has left detectors.yaml, so that retiring has something to do.
GONE = "gone"

TRAINED_AT = FIRST_TRAINING + timedelta(days=2)
TRANSFORMED_AT = FIRST_TRAINING + timedelta(days=3)
NEXT_AT = FIRST_TRAINING + timedelta(days=4)
_SPIKE = FIRST_TRAINING + timedelta(days=2, hours=12)

Scenario = Literal["training", "transform", "on demand"]
SCENARIOS: tuple[Scenario, ...] = ("training", "transform", "on demand")
_NOT_THE_SAME_TWICE = (
    "version",
    "opened_at",
    "closed_at",
    "expires_at",
    "claimed_until",
    "notifier",
    "pending_scores",
)
# Their timestamps are those of datapoints; all other metrics are stamped when they are published.
_BACK_FILLED = ("Anomaly", "AnomalyScore")


@dataclass(frozen=True)
class Standing:
    """What a run has left: the digests of objects, the registry's items, every Maximum, what people and programs got."""

    objects: Mapping[str, str]
    items: Mapping[tuple[str, str], Mapping[str, Any]]
    maxima: Mapping[tuple[str, str], Mapping[int, float]]
    mails: int
    on_bus: int

    def record(self, name: str) -> Mapping[str, Any]:
        return self.items[("DETECTOR", name)]

    def published(self, name: str) -> set[int]:
        return set(self.maxima.get(("Anomaly", name), {}))


@dataclass
class Shop:
    """The deployed application, and how to bring it to where a scenario begins."""

    fleet: Fleet
    before: dict[Scenario, Snapshot] = field(default_factory=dict)
    _earlier: set[str] = field(default_factory=set)

    def run(self, scenario: Scenario) -> ExecutionResult:
        at = {"training": TRAINED_AT, "transform": TRANSFORMED_AT, "on demand": TRANSFORMED_AT}
        return self._run("training" if scenario == "training" else "transform", at[scenario])

    def run_next(self, scenario: Scenario) -> ExecutionResult:
        """The scheduled run after a scenario's: always a transform."""
        return self._run("transform", TRANSFORMED_AT if scenario == "training" else NEXT_AT)

    def _run(self, kind: str, at: datetime) -> ExecutionResult:
        execution = self.fleet.train(at) if kind == "training" else self.fleet.transform(at)
        return execution.wait(self.fleet.patience)

    def trainings_on_demand(self) -> list[ExecutionResult]:
        """How the newest training that a transform asked for has ended, if there was one since `rewind`."""
        machine = self.fleet.stack.physical_id("TrainingStateMachine")
        stepfunctions = self.fleet.aws.client("stepfunctions")
        started = stepfunctions.list_executions(stateMachineArn=machine)["executions"]
        own = [each for each in started if each["executionArn"] not in self._earlier]
        return [Execution(stepfunctions, each["executionArn"]).wait() for each in own]

    def _remember_executions(self) -> None:
        machine = self.fleet.stack.physical_id("TrainingStateMachine")
        stepfunctions = self.fleet.aws.client("stepfunctions")
        started = stepfunctions.list_executions(stateMachineArn=machine)["executions"]
        self._earlier = {each["executionArn"] for each in started}

    def rewind(self, scenario: Scenario) -> None:
        """Have everything be as it was before the scenario's run, and the time too."""
        aws = self.fleet.aws
        aws.faults.clear()
        aws.sagemaker.forget()
        snapshots.put_back(aws, self.before[scenario])
        self._remember_executions()
        aws.calls.clear()
        aws.clock.move_to(TRAINED_AT - timedelta(minutes=5))

    def change_object(self, key: str, content: bytes | None) -> None:
        s3, bucket = self.fleet.aws.client("s3"), self.fleet.stack.outputs["DataBucketName"]
        if content is None:
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=content)

    def standing(self) -> Standing:
        snapshot = snapshots.take(self.fleet.aws)
        return Standing(
            self._objects(snapshot),
            self._items(snapshot),
            self._maxima(snapshot),
            sum(1 for call in self.fleet.aws.calls.of("sns", "Publish") if _was_sent(call)),
            sum(
                len(call.parameters["Entries"])
                for call in self.fleet.aws.calls.of("events", "PutEvents")
                if _was_sent(call)
            ),
        )

    def _objects(self, snapshot: Snapshot) -> dict[str, str]:
        bucket = self.fleet.stack.outputs["DataBucketName"]
        found = next(
            objects for name, objects in snapshot.objects.items() if bucket in _names(name)
        )
        return {key: _digest(key, each["body"]) for key, each in found.items()}

    def _items(self, snapshot: Snapshot) -> dict[tuple[str, str], dict[str, Any]]:
        table = self.fleet.stack.outputs["RegistryTableName"]
        found = next(items for name, items in snapshot.items.items() if table in _names(name))
        plain = [from_item(item) for partition in found.values() for item in partition.values()]
        return {
            (item.pop("pk"), item.pop("sk")): {
                name: value for name, value in item.items() if name not in _NOT_THE_SAME_TWICE
            }
            for item in plain
        }

    def _maxima(self, snapshot: Snapshot) -> dict[tuple[str, str], dict[int, float]]:
        namespace = self.fleet.stack.outputs["AnomalyNamespace"]
        maxima: dict[tuple[str, str], dict[int, float]] = {}
        for key, parts in snapshot.datapoints.items():
            if key.namespace != namespace:
                continue
            series = maxima.setdefault((key.name, dict(key.dimensions).get("Detector", "")), {})
            for part in parts:
                for time, value in zip(part.times.tolist(), part.maxima.tolist(), strict=True):
                    minute = time // 60 * 60
                    series[minute] = max(value, series.get(minute, -np.inf))
        return {
            key: series if key[0] in _BACK_FILLED else _in_order(series)
            for key, series in maxima.items()
        }


def _in_order(series: Mapping[int, float]) -> dict[int, float]:
    """What was published one after the other, whenever: a fault that is waited out comes later, but nothing twice."""
    return dict(enumerate(value for _, value in sorted(series.items())))


@contextmanager
def opened_shop() -> Iterator[Shop]:
    """Deploy and bring the shop through two trainings and two transforms, as in a stack that has been up for a while."""
    with fleet(DETECTORS, FirstWindowDays="1") as deployed:
        deployed.aws.clock.move_to(FIRST_TRAINING)
        for watched in DETECTORS:
            _load(deployed, watched.metric or "")
        shop = Shop(deployed)
        shop.before["on demand"] = snapshots.take(deployed.aws)
        _grow_older(deployed)
        shop.before["training"] = snapshots.take(deployed.aws)
        shop.run("training")
        shop.before["transform"] = snapshots.take(deployed.aws)
        yield shop


def _grow_older(deployed: Fleet) -> None:
    runs: list[tuple[Callable[[datetime], Any], float]] = [
        (deployed.train, 0),
        (deployed.transform, 12),
        (deployed.transform, 24),
        (deployed.train, 25),
    ]
    for run, hours in runs:
        run(FIRST_TRAINING + timedelta(hours=hours)).wait()
    deployed.registry.detectors.add_model(
        GONE, Model("gone-1", "", "2026-01-01T00:00:00Z", "", "", {}, "adaptive")
    )


def _load(deployed: Fleet, metric: str) -> None:
    start = FIRST_TRAINING - HISTORY
    count = int((NEXT_AT - start).total_seconds()) // PERIOD
    moments = [start + timedelta(seconds=PERIOD * n) for n in range(count)]
    noise = np.random.default_rng(1).normal(0, 2, count)
    values = 100 + 20 * np.sin(2 * np.pi * np.arange(count) * PERIOD / 86_400) + noise
    spike = int((_SPIKE - start).total_seconds()) // PERIOD
    values[spike : spike + 3] = 400
    deployed.aws.cloudwatch.load_series("Shop", metric, {}, PERIOD, moments, values)


def _names(scoped: Any) -> tuple[Any, ...]:
    return scoped if isinstance(scoped, tuple) else (scoped,)


def _digest(key: str, body: bytes) -> str:
    """Archives carry the time at which they were packed: of them only the presence counts."""
    return "" if key.endswith(".tar.gz") else hashlib.sha256(body).hexdigest()


def _was_sent(call: Any) -> bool:
    """Also one whose answer got lost."""
    return call.error_code in (None, "AnswerLost")
