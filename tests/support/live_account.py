"""Live detection on services in memory, each call of which can crash before or after it has worked."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch.errors import ConditionFailed, NotFound
from cutwatch.live.bucket_run import BucketRun, RunReport
from cutwatch.live.live_bucket import LiveBucket, LiveState
from cutwatch.live.live_store import LiveStore
from cutwatch.live.notifier import LiveNotifier
from cutwatch.live.plan import PlannedDetector
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.live.stepping import Stepper
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.registry.bucket_turns import BucketTurns
from cutwatch.registry.event_store import EventStore
from cutwatch.registry.incident_claims import IncidentClaimStore
from cutwatch.registry.silence_store import SilenceStore
from cutwatch.timestamps import format_timestamp
from tests.support.builders import a_model
from tests.support.fakes import Fake
from tests.support.live_backtest import Window
from tests.support.stream_state import FakeBucket

Interrupt = Callable[[str], None]


@dataclass
class FakeObjects(FakeBucket):
    """The data bucket."""

    def read_bytes(self, key: str) -> bytes:
        return self.read_with_etag(key)[0]

    def write_bytes(self, key: str, content: bytes) -> None:
        self._call("write before")
        super().write_bytes(key, content)
        self._call("write after")

    def write(self, key: str, content: str) -> None:
        self.write_bytes(key, content.encode())

    def delete(self, key: str) -> None:
        self._call("delete before")
        self.objects.pop(key, None)
        self._call("delete after")

    def _call(self, name: str) -> None:
        self.interrupt(f"s3 {name}")


@dataclass
class FakeTable(Fake):
    """The registry's table, with the expressions that live detection uses."""

    interrupt: Interrupt = lambda _: None
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def query(
        self, pk: str, sk_prefix: str = "", *, between: tuple[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        first, last = between or (sk_prefix, f"{sk_prefix}~")
        yield from [
            item
            for (own, sk), item in sorted(self.items.items())
            if own == pk and first <= sk <= last
        ]

    def put(self, item: dict[str, Any]) -> None:
        self.interrupt("dynamodb put before")
        self.items[item["pk"], item["sk"]] = item
        self.interrupt("dynamodb put after")

    def delete(self, pk: str, sk: str) -> None:
        self.items.pop((pk, sk), None)

    def update(
        self, pk: str, sk: str, update: str, values: Mapping[str, Any], condition: str = ""
    ) -> dict[str, Any]:
        self.interrupt("dynamodb update before")
        item = self.items.get((pk, sk), {"pk": pk, "sk": sk})
        if condition and not _is_free(item, values):
            raise ConditionFailed("UpdateItem", "ConditionalCheckFailedException", sk)
        for clause in update.removeprefix("SET ").replace("severity, :", "severity|:").split(", "):
            name, _, value = clause.partition(" = ")
            kept = value.startswith("if_not_exists") and name in item
            item[name] = item[name] if kept else values[value.rstrip(")").rpartition(":")[2]]
        self.items[pk, sk] = item
        self.interrupt("dynamodb update after")
        return dict(item)


def _is_free(item: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """What the condition of a claim, or of a bucket's turn, says."""
    if "run" in values:
        return bool(item.get("taken_by", "") < values["run"])
    if "claimed_by" not in item or item["claimed_by"] == values["owner"]:
        return True
    if "live" not in values:
        return False
    return item["claimed_by"] != values["live"] or values["began"] not in item.get("notified", ())


@dataclass
class FakeDestinations(Fake):
    """SNS and EventBridge."""

    interrupt: Interrupt = lambda _: None
    mails: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, **request: Any) -> None:
        self.interrupt("sns publish before")
        self.mails.append(request["Subject"])
        self.texts.append(request["Message"])
        self.interrupt("sns publish after")

    def put_events(self, Entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if Entries:
            self.interrupt("events put before")
        self.events += [json.loads(each["Detail"]) for each in Entries]
        if Entries:
            self.interrupt("events put after")
        return {"Entries": [{} for _ in Entries]}


@dataclass
class FakeCloudWatch(Fake):
    """The datapoints of one metric by epoch second, as they are now; `error` is raised instead, if there is one."""

    values: dict[int, float]
    interrupt: Interrupt = lambda _: None
    error: Exception | None = None
    calls: int = 0
    published: dict[tuple[str, datetime], float] = field(default_factory=dict)

    def put_metric_data(self, **request: Any) -> None:
        self.interrupt("cloudwatch put before")
        self.published |= {
            (each["MetricName"], each["Timestamp"]): each["Value"] for each in request["MetricData"]
        }
        self.interrupt("cloudwatch put after")

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.calls += 1
        self.interrupt("cloudwatch read before")
        if self.error:
            raise self.error
        first, last = (int(request[name].timestamp()) for name in ("StartTime", "EndTime"))
        found = [(at, value) for at, value in sorted(self.values.items()) if first <= at < last]
        self.interrupt("cloudwatch read after")
        return {
            "MetricDataResults": [
                {
                    "Id": query["Id"],
                    "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in found],
                    "Values": [value for _, value in found],
                    "StatusCode": "Complete",
                }
                for query in request["MetricDataQueries"]
            ]
        }


@dataclass
class Registry(Fake):
    """The stores that live detection uses."""

    table: FakeTable

    def __post_init__(self) -> None:
        table: Any = self.table
        self.claims = IncidentClaimStore(table)
        self.events = EventStore(table)
        self.silences = SilenceStore(table)
        self.bucket_turns = BucketTurns(table)


class LiveAccount:
    """One detector, scored live from a window of a backtest on."""

    def __init__(
        self, window: Window, detector: Detector, interrupt: Interrupt = lambda _: None
    ) -> None:
        self.window, self.detector = window, detector
        observed = window.window.observed
        values = zip(observed.epochs.tolist(), observed.values.tolist(), strict=True)
        self.objects = FakeObjects(interrupt=interrupt)
        self.table = FakeTable(interrupt)
        self.destinations = FakeDestinations(interrupt)
        self.cloudwatch = FakeCloudWatch(
            {at: value for at, value in values if value == value},  # noqa: PLR0124 - not a gap
            interrupt,
        )
        self.model = a_model(
            detector=detector,
            recipe="models/recipe.json",
            cutoff=window.threshold.cutoff.to_payload(),
            checkpoint="models/forest.npz",
            engine="lambda",
        )
        recipe = json.dumps(window.recipe.to_payload()).encode()
        self.objects.objects["models/recipe.json"] = (recipe, "recipe")
        self.objects.objects["models/forest.npz"] = (window.checkpoint, "forest")
        self.start = datetime.fromtimestamp(window.window.start, UTC)
        self.planned = [
            PlannedDetector(detector, self.model, "models/forest.npz", format_timestamp(self.start))
        ]
        self.environment()

    def environment(self) -> None:
        """Go on in a new execution environment, with nothing in memory."""
        self.memory = SeriesMemory(self.objects)
        self.store = LiveStore(self.objects)

    def run(self, now: datetime, has_time: Callable[[], bool] = lambda: True) -> RunReport:
        """Score what there is now."""
        stepper = Stepper(self.objects, self.memory, now, timedelta(minutes=15))
        registry: Any = Registry(self.table)
        topic = "arn:aws:sns:us-east-1:123456789012:topic"
        audience = Audience(self.destinations, self.destinations, topic, topic)
        place = StackPlace("cutwatch", "us-east-1", "Cutwatch")
        notifier = LiveNotifier(audience, registry, place, lambda: now)
        run = BucketRun(self.cloudwatch, self.store, stepper, notifier, has_time)
        return run.score(0, self.planned)

    @property
    def stored(self) -> LiveBucket:
        """The bucket as it is stored."""
        try:
            return LiveBucket.from_bytes(self.objects.objects["live/state/0000"][0])
        except KeyError:
            raise NotFound("GetObject", "NoSuchKey", "live/state/0000") from None

    @property
    def state(self) -> LiveState:
        """The detector's stored state."""
        return self.stored.states[self.detector.name]

    @property
    def begun(self) -> list[str]:
        """The ids of the incidents that EventBridge was given as new, in their order."""
        return [each["id"] for each in self.destinations.events if each["change"] == "began"]


def ending(account: LiveAccount) -> Any:
    """Return what must not depend on faults."""
    state = account.state
    series = account.memory.at(state, account.detector)
    return (
        state.through,
        series.scores.tolist(),
        np.nan_to_num(series.observed.values, nan=-1).tolist(),
        {name: (each.severity, each.ended) for name, each in state.incidents.items()},
        set(account.begun),
        sorted((pk, sk) for pk, sk in account.table.items),
    )
