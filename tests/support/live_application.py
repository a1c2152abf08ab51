"""The whole function of live detection on services in memory: two detectors, each in a bucket of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from cutwatch.errors import CutwatchError
from cutwatch.live.live_function import LiveFunction
from cutwatch.live.live_store import LiveStore
from cutwatch.live.notifier import LiveNotifier
from cutwatch.live.planning import Planner
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.settings import LiveSettings
from tests.support.builders import a_detector
from tests.support.fakes import Fake
from tests.support.live_account import LiveAccount, Registry
from tests.support.live_scenario import DETECTOR, WINDOW
from tests.support.stream_state import Crash

# A detector that has no model yet.
OTHER = a_detector("visits", metric="Visits", period=3_600, engine="lambda", live=True)
_TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
_SETTINGS = LiveSettings(
    *("cutwatch", "table", "bucket", "Cutwatch", _TOPIC, _TOPIC),
    notification_severity="low",
    aws_region="us-east-1",
    aws_lambda_function_name="score-metrics",
)


@dataclass
class Records(Fake):
    """The detectors of the registry."""

    account: LiveAccount
    interrupt: Callable[[str], None]

    def all(self) -> dict[str, DetectorRecord]:
        self.interrupt("dynamodb read before")
        record = DetectorRecord(
            DETECTOR.name, (self.account.model,), published_through=self.account.start
        )
        self.interrupt("dynamodb read after")
        return {record.name: record}


class LiveApplication:
    """Runs by a rule: a function that plans, and an invocation for each bucket, each in an environment of its own."""

    def __init__(self, folder: Path, interrupt: Callable[[str], None] = lambda _: None) -> None:
        self.account = LiveAccount(WINDOW, DETECTOR, interrupt)
        self.interrupt = interrupt
        self.memory = SeriesMemory(self.account.objects)
        self.file = folder / "detectors.yaml"
        self.file.write_text(
            yaml.safe_dump({"detectors": [each.to_payload() for each in (DETECTOR, OTHER)]})
        )
        self.now = self.account.start
        # Detectors that were put into buckets of their own stay there.
        plan = {
            "made_at": "2026-01-01T00:00:00Z",
            "configuration": "",
            "assigned": {DETECTOR.name: 0, OTHER.name: 1},
            "emptied": [],
        }
        self.account.objects.objects["live/plan.json"] = (json.dumps(plan).encode(), "plan")

    def run(self, now: datetime) -> None:
        """Fire the rule; a crash, or an error, ends an invocation and no other."""
        self.now = now
        self._invoke({"time": "now"})

    def invoke(self, **request: Any) -> None:
        """Lambda's own interface, which the function calls to start the others."""
        self.interrupt("lambda invoke before")
        self._invoke(json.loads(request["Payload"]))
        self.interrupt("lambda invoke after")

    def _invoke(self, event: Any) -> None:
        try:
            self._function().invoke(event, self.now, lambda: True)
        except Crash:
            self.memory = SeriesMemory(self.account.objects)
        except CutwatchError:
            return

    def _function(self) -> LiveFunction:
        account = self.account
        registry: Any = Registry(account.table)
        registry.detectors = Records(account, self.interrupt)
        audience = Audience(account.destinations, account.destinations, _TOPIC, _TOPIC)
        place = StackPlace("cutwatch", "us-east-1", "Cutwatch")
        objects, cloudwatch, store = account.objects, account.cloudwatch, LiveStore(account.objects)
        return LiveFunction(
            _SETTINGS,
            Planner(self.file, cloudwatch, objects, registry, store),
            cloudwatch,
            self,
            objects,
            store,
            registry.bucket_turns,
            self.memory,
            LiveNotifier(audience, registry, place, lambda: self.now),
        )
