"""What an invocation of the function does: one bucket, or an invocation for each."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cutwatch.errors import AccessDenied, InvalidInput, Throttled
from cutwatch.live import plan as plans
from cutwatch.live.live_function import LiveFunction
from cutwatch.live.live_store import LiveStore
from cutwatch.live.planning import Planner
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.registry.bucket_turns import BucketTurns
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.settings import LiveSettings
from tests.support.builders import NOON, a_model
from tests.support.fakes import Fake
from tests.support.live_account import FakeObjects, FakeTable

ENTRY = "{name: %s, namespace: Shop, metric: %s, statistic: Sum, engine: lambda, live: %s}"


@dataclass
class Functions(Fake):
    """Lambda's own interface."""

    invoked: list[Any] = field(default_factory=list)
    refused: int | None = None

    def invoke(self, **request: Any) -> None:
        assert request["InvocationType"] == "Event"
        if json.loads(request["Payload"])["bucket"] == self.refused:
            raise Throttled("Invoke", "TooManyRequestsException", "Rate exceeded")
        self.invoked.append((request["FunctionName"], json.loads(request["Payload"])))


class Objects(FakeObjects):
    def write(self, key: str, content: str) -> None:
        self.write_bytes(key, content.encode())


@dataclass
class Detectors(Fake):
    """The registry, which counts how often it is read."""

    reads: int = 0
    error: Exception | None = None

    @property
    def detectors(self) -> "Detectors":
        return self

    def all(self) -> dict[str, DetectorRecord]:
        self.reads += 1
        if self.error:
            raise self.error
        return {"a": DetectorRecord("a", (a_model(),))}


@dataclass
class Metrics(Fake):
    """CloudWatch, which knows the values of one dimension, or refuses to list them."""

    values: tuple[str, ...] = ("x", "y")
    error: Exception | None = None

    def get_paginator(self, _: str) -> "Metrics":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        if self.error:
            raise self.error
        named = [[{"Name": "Queue", "Value": value}] for value in self.values]
        return [{"Metrics": [{"Dimensions": each} for each in named]}]


@dataclass
class Setup:
    """The function with a file of its own."""

    folder: Path
    registry: Detectors = field(default_factory=Detectors)
    functions: Functions = field(default_factory=Functions)
    objects: Any = field(default_factory=Objects)
    cloudwatch: Any = field(default_factory=Metrics)
    table: FakeTable = field(default_factory=FakeTable)

    def write(self, *entries: str) -> None:
        text = "\n".join(f"  - {entry}" for entry in entries)
        (self.folder / "detectors.yaml").write_text(f"detectors:\n{text}\n")

    @property
    def function(self) -> LiveFunction:
        settings = LiveSettings(
            *("cutwatch", "table", "bucket", "Cutwatch", "topic", "operations"),
            notification_severity="low",
            aws_region="us-east-1",
            aws_lambda_function_name="score-metrics",
        )
        nothing: Any = Fake
        registry: Any = self.registry
        store = LiveStore(self.objects)
        table: Any = self.table
        path = self.folder / "detectors.yaml"
        return LiveFunction(
            settings,
            Planner(path, self.cloudwatch, self.objects, registry, store),
            nothing,
            self.functions,
            self.objects,
            store,
            BucketTurns(table),
            SeriesMemory(self.objects),
            lambda _: None,  # type: ignore[arg-type]  # nothing is to be notified
        )


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    found = Setup(tmp_path)
    found.write(ENTRY % ("a", "A", "true"), ENTRY % ("b", "B", "true"), ENTRY % ("c", "C", "false"))
    return found


def test_detectors_that_fit_into_one_bucket_are_scored_here(setup: Setup) -> None:
    answer = setup.function.invoke({}, NOON, lambda: True)
    assert (answer["bucket"], answer["detectors"], answer["scored"]) == (0, 2, 0)
    assert setup.functions.invoked == []


def test_each_bucket_of_more_detectors_has_an_invocation(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans.assign, "__defaults__", (1,))
    answer = setup.function.invoke({"time": "2026-11-02T12:00:00Z"}, NOON, lambda: True)
    assert answer == {"buckets": 2, "detectors": 2}
    assert setup.functions.invoked == [
        ("score-metrics", {"bucket": 0, "run": "2026-11-02T12:00:00Z", "buckets": [0, 1]}),
        ("score-metrics", {"bucket": 1, "run": "2026-11-02T12:00:00Z", "buckets": [0, 1]}),
    ]
    assert setup.function.invoke({"bucket": 1}, NOON, lambda: True)["bucket"] == 1


def test_the_registry_is_read_when_the_plan_is_due_or_the_file_has_changed(setup: Setup) -> None:
    for minutes in (0, 5, 10, 15):
        setup.function.invoke({}, NOON + timedelta(minutes=minutes), lambda: True)
    assert setup.registry.reads == 2
    setup.write(ENTRY % ("a", "A", "true"))
    answer = setup.function.invoke({}, NOON + timedelta(minutes=16), lambda: True)
    assert (setup.registry.reads, answer["detectors"]) == (3, 1)


def test_without_live_detectors_there_is_nothing_to_do(setup: Setup) -> None:
    setup.write(ENTRY % ("a", "A", "false"))
    assert setup.function.invoke({}, NOON, lambda: True) == {"buckets": 0, "detectors": 0}
    assert setup.registry.reads == 0


def test_an_environment_scores_the_bucket_in_its_memory_and_every_bucket_is_scored_once(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans.assign, "__defaults__", (1,))
    environments = [setup.function, setup.function]
    scored = []
    for minutes in (0, 5, 10):
        now = NOON + timedelta(minutes=minutes)
        setup.functions.invoked.clear()
        setup.function.invoke({}, now, lambda: True)
        events = [event for _, event in setup.functions.invoked]
        # Lambda sends the first event to the first environment, and the next time to the other one.
        pairs = zip(environments, events if minutes == 0 else events[::-1], strict=True)
        scored.append([each.invoke(event, now, lambda: True)["bucket"] for each, event in pairs])
    assert scored == [[0, 1], [0, 1], [0, 1]]

    again = environments[0].invoke(events[0], now, lambda: True)
    assert again == {"bucket": None}


def test_a_bucket_that_no_environment_has_in_memory_is_taken_by_one_that_has_scored_its_own(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans.assign, "__defaults__", (1,))
    setup.function.invoke({}, NOON, lambda: True)
    only = setup.function
    events = [event for _, event in setup.functions.invoked]
    assert [only.invoke(each, NOON, lambda: True)["bucket"] for each in events[::-1]] == [1, 0]


@pytest.mark.parametrize("event", [{"run": 5}, {"buckets": "0"}, {"buckets": [-1]}])
def test_a_turn_that_cannot_be_one_is_refused(setup: Setup, event: Any) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        setup.function.invoke({"bucket": 0, **event}, NOON, lambda: True)


def test_an_invocation_that_cannot_be_started_stops_no_other(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans.assign, "__defaults__", (1,))
    setup.functions.refused = 0
    with pytest.raises(Throttled):
        setup.function.invoke({}, NOON, lambda: True)
    assert [event["bucket"] for _, event in setup.functions.invoked] == [1]


def test_a_plan_that_cannot_be_renewed_is_used_as_it_is(setup: Setup) -> None:
    setup.function.invoke({}, NOON, lambda: True)
    setup.registry.error = Throttled("Scan", "ThrottlingException", "Rate exceeded")
    answer = setup.function.invoke({}, NOON + timedelta(hours=1), lambda: True)
    assert answer["detectors"] == 2


def test_without_any_plan_the_first_one_must_be_made(setup: Setup) -> None:
    setup.registry.error = Throttled("Scan", "ThrottlingException", "Rate exceeded")
    with pytest.raises(Throttled):
        setup.function.invoke({}, NOON, lambda: True)


def test_detectors_of_a_template_that_cannot_be_expanded_stay_live(setup: Setup) -> None:
    setup.write(
        "{name: q, namespace: Shop, metric: A, statistic: Sum, engine: lambda, live: true, for_each: Queue}"
    )
    assert setup.function.invoke({}, NOON, lambda: True)["detectors"] == 2
    setup.cloudwatch.error = AccessDenied("ListMetrics", "AccessDenied", "no")
    assert setup.function.invoke({}, NOON + timedelta(hours=1), lambda: True)["detectors"] == 2
    setup.cloudwatch.error = None
    setup.cloudwatch.values = ("x",)
    assert setup.function.invoke({}, NOON + timedelta(hours=2), lambda: True)["detectors"] == 1


def test_a_bucket_without_detectors_is_scored_until_its_state_is_empty(setup: Setup) -> None:
    setup.function.invoke({}, NOON, lambda: True)
    setup.write(ENTRY % ("a", "A", "false"))
    later = [
        setup.function.invoke({}, NOON + timedelta(minutes=minutes), lambda: True)
        for minutes in (5, 21)
    ]
    assert later[0]["detectors"] == 0
    assert LiveStore(setup.objects).load(0).bucket.is_empty
    assert later[1] == {"buckets": 0, "detectors": 0}


@pytest.mark.parametrize("bucket", [-1, "0", True, 1.5])
def test_a_bucket_that_cannot_be_one_is_refused(setup: Setup, bucket: Any) -> None:
    with pytest.raises(InvalidInput, match="expected the number of a bucket"):
        setup.function.invoke({"bucket": bucket}, NOON, lambda: True)


def test_the_state_of_a_detector_without_a_model_says_so(setup: Setup) -> None:
    setup.function.invoke({}, NOON, lambda: True)
    states = LiveStore(setup.objects).load(0).bucket.states
    assert {name: state.problem for name, state in states.items()} == dict.fromkeys(
        ("a", "b"), "no usable model yet; the next transform trains one"
    )
    assert replace(states["a"], problem=None).through == 0
