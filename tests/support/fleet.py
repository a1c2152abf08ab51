"""A deployed application with metrics to watch, on the local AWS."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from cutwatch.detectors.detector import Detector
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import run_id
from cutwatch_cli.replay.application import deploy
from localaws import Execution, LocalAws, Stack
from tests.support.operator_environment import operator_environment

# Coarser than most metrics: tests of a workflow pay for each row several times, and none is about how many there are.
PERIOD = 900
TAGS = {"team": "shop"}
HISTORY_DAYS = 3
FIRST_TRAINING = datetime(2026, 6, 1, 3, tzinfo=UTC)
START = FIRST_TRAINING - timedelta(days=HISTORY_DAYS)
WEEK = timedelta(weeks=1)
FIRST_TRANSFORM = FIRST_TRAINING + WEEK
DATAPOINTS = int((FIRST_TRANSFORM + WEEK - START).total_seconds()) // PERIOD


def detector(name: str, **fields: Any) -> Detector:
    defaults = {
        "namespace": "Shop",
        "metric": name,
        "statistic": "Average",
        "period": PERIOD,
        "history_days": HISTORY_DAYS,
    }
    return Detector(name=name, **{**defaults, **fields})


def usual(seed: int = 1, *, period: int = PERIOD) -> npt.NDArray[np.float64]:
    """A day's rhythm with noise, from `START` until two weeks after the first training."""
    positions = np.arange(DATAPOINTS * PERIOD // period)
    noise = np.random.default_rng(seed).normal(0, 2, len(positions))
    return 100 + 20 * np.sin(2 * np.pi * positions * period / 86_400) + noise


def with_spike(at: datetime, datapoints: int = 3, height: float = 400.0) -> npt.NDArray[np.float64]:
    values = usual()
    first = int((at - START).total_seconds()) // PERIOD
    values[first : first + datapoints] = height
    return values


@dataclass
class Fleet:
    """What a test drives and looks at; an execution may take `patience` real seconds."""

    aws: LocalAws
    stack: Stack
    registry: Registry
    patience: float = 300

    def operators_environment(self) -> dict[str, str]:
        """In which the command line reaches this account, and no configuration of whoever runs the tests."""
        return operator_environment(self.aws) | {"CUTWATCH_STACK": self.stack.name}

    def load(self, watched: Detector, values: npt.NDArray[np.float64]) -> None:
        """Give a metric values from `START` on, one in each of the detector's periods."""
        period = watched.period
        moments = [START + timedelta(seconds=period * n) for n in range(len(values))]
        self.aws.cloudwatch.load_series(
            watched.namespace, watched.metric, watched.dimensions, period, moments, values
        )

    def train(self, at: datetime = FIRST_TRAINING) -> Execution:
        return self._fire("TrainingRule", at)

    def transform(self, at: datetime = FIRST_TRANSFORM) -> Execution:
        return self._fire("TransformRule", at)

    def check_freshness(self, at: datetime) -> None:
        """Fire the daily rule and wait until its function has published, which EventBridge does not."""
        self._move_to(at)
        function = self.stack.physical_id("CheckFreshness")
        before = self._published_by(function)
        self.stack.fire("FreshnessRule", at=at)
        deadline = time.monotonic() + self.patience
        while self._published_by(function) == before:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{function} has published nothing")
            time.sleep(0.05)

    def _published_by(self, function: str) -> int:
        put = self.aws.calls.of("cloudwatch", "PutMetricData")
        return sum(call.caller.endswith(f"/{function}") for call in put)

    def alarms(self) -> dict[str, str]:
        """The state of every alarm, by its name less that of the stack."""
        pages = self.aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
        return {
            alarm["AlarmName"].removeprefix("cutwatch-"): alarm["StateValue"]
            for page in pages
            for alarm in page["MetricAlarms"]
        }

    def _move_to(self, at: datetime) -> None:
        if datetime.now(UTC) < at:
            self.aws.clock.move_to(at)

    def _fire(self, rule: str, at: datetime) -> Execution:
        self._move_to(at)
        (execution,) = self.stack.fire(rule, at=at)
        execution.wait(timeout=self.patience)
        return execution

    def outcome(self, kind: str, at: datetime, name: str, *, on_demand: bool = False) -> Outcome:
        found = self.registry.outcomes.get(run_id(kind, at, on_demand=on_demand), name)
        assert found is not None
        return found

    def maxima(self, metric: str, name: str | None, end: datetime) -> Mapping[datetime, float]:
        """The Maximum that was put at every timestamp of the two weeks before `end`, readable already or not."""
        namespace = self.stack.outputs["AnomalyNamespace"]
        dimensions = {"Detector": name} if name else {}
        stored = self.aws.cloudwatch.stored_series(namespace, metric, dimensions, 60)
        return {time: value for time, value in stored.items() if end - 2 * WEEK <= time < end}


@contextmanager
def fleet(
    detectors: Sequence[Detector], *, region: str = "us-east-1", **parameters: str
) -> Iterator[Fleet]:
    with LocalAws(region=region) as aws:
        aws.clock.move_to(FIRST_TRAINING)
        stack = deploy(aws, detectors, {"DataDelayMinutes": "0", **parameters}, TAGS)
        registry = Registry(aws.client("dynamodb"), stack.outputs["RegistryTableName"])
        yield Fleet(aws, stack, registry)
