"""The whole fan-out of live detection really run: a plan, an invocation for each bucket, every detector read and scored.

Services are in memory. There is an execution environment for each bucket; in the first run none has anything in memory, and
in the second one Lambda sends the invocations to other ones. The detectors come from templates of 1,000 values and share
the datapoints of one metric.

PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/live_fleet.py                                   # 1,000 at 5 minutes
PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/live_fleet.py --period 60 --trees 2 --detectors 1000 10000
"""

import argparse
import json
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from cutwatch.detectors.detector import Detector
from cutwatch.forests.learning_forest import LearningForest
from cutwatch.live.live_bucket import LiveBucket
from cutwatch.live.live_function import LiveFunction
from cutwatch.live.live_store import LiveStore, series_key
from cutwatch.live.notifier import LiveNotifier
from cutwatch.live.plan import PlannedDetector, assign
from cutwatch.live.planning import Planner
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.observability import logger
from cutwatch.registry.detector_record import DetectorRecord, Model
from cutwatch.settings import LiveSettings
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.demo_data import active_users
from tests.support.live_account import FakeCloudWatch, FakeDestinations, LiveAccount, Registry
from tests.support.live_backtest import windows_of

OF_A_TEMPLATE = 1_000
# A detector's window is half a week old on average.
AGE = timedelta(days=3.5)
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"


@dataclass
class Metrics(FakeCloudWatch):
    """One metric's datapoints for every value of a dimension."""

    listed: int = 0

    def get_paginator(self, _: str) -> "Metrics":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        for number in range(OF_A_TEMPLATE):
            if number % 500 == 0:
                self.listed += 1
            yield {"Metrics": [{"Dimensions": [{"Name": "Queue", "Value": f"q{number:03d}"}]}]}


@dataclass
class Records:
    """The registry's detectors, which all have the same model."""

    model: Model
    start: datetime

    def all(self) -> "Records":
        return self

    def get(self, name: str) -> DetectorRecord:
        return DetectorRecord(name, (self.model,), published_through=self.start)


@dataclass
class Fleet:
    """Live detectors whose windows have begun, and what their runs call."""

    size: int
    folder: Path
    account: LiveAccount
    invoked: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begun(cls, size: int, period: int, folder: Path) -> "Fleet":
        """Begin the window of one detector and copy its state to all others."""
        series = active_users().series
        every = period // series.period_seconds
        series = MetricSeries(period, series.start, series.values[::every])
        pattern = Detector(
            name="t",
            namespace="Shop",
            metric="Orders",
            statistic="Sum",
            period=period,
            engine="lambda",
            live=True,
        )
        _, windows = windows_of(series, pattern, timedelta(weeks=5))
        account = LiveAccount(windows[0], pattern)
        account.run(account.start + AGE)
        fleet = cls(size, folder, account)
        fleet._write_file(pattern)
        fleet._copy(pattern)
        return fleet

    def _templates(self, pattern: Detector) -> list[Detector]:
        count = -(-self.size // OF_A_TEMPLATE)
        return [
            replace(pattern, name=f"t{number}", metric=f"Orders{number}") for number in range(count)
        ]

    def _write_file(self, pattern: Detector) -> None:
        entries = [
            {**each.to_payload(), "for_each": "Queue", "limit": OF_A_TEMPLATE}
            for each in self._templates(pattern)
        ]
        text = yaml.safe_dump({"detectors": entries})
        (self.folder / "detectors.yaml").write_text(text)

    def _copy(self, pattern: Detector) -> None:
        objects, state = self.account.objects, self.account.state
        content = objects.objects[state.series or ""]
        detectors = [
            replace(each, name=f"{each.name}-q{number:03d}", dimensions={"Queue": f"q{number:03d}"})
            for each in self._templates(pattern)
            for number in range(OF_A_TEMPLATE)
        ]
        assigned = assign([each.name for each in detectors], {})
        buckets: dict[int, LiveBucket] = {}
        for each in detectors:
            basis = PlannedDetector.of(each, self._record(each)).basis
            key = series_key(each.name, basis, state.stored_through)
            objects.objects[key] = content
            own = replace(state, basis=basis, series=key, incidents={}, definition=None)
            buckets.setdefault(assigned[each.name], LiveBucket()).states[each.name] = own
        for number, bucket in buckets.items():
            objects.objects[LiveStore(objects).key(number)] = (bucket.to_bytes(), f'"{number}"')

    def _record(self, detector: Detector) -> DetectorRecord:
        return DetectorRecord(detector.name, (self._model(),), published_through=self.account.start)

    def _model(self) -> Model:
        return self.account.model

    def invoke(self, **request: Any) -> None:
        self.invoked.append(json.loads(request["Payload"]))

    def run(
        self, how: str, now: datetime, period: int, environments: list[LiveFunction]
    ) -> list[LiveFunction]:
        """Run over all detectors and print what it took; return the environments, of which there is one for each bucket."""
        calls: Counter[str] = Counter()
        account = self.account
        account.cloudwatch = Metrics(account.cloudwatch.values, lambda call: calls.update([call]))
        account.objects.interrupt = lambda call: calls.update([call])
        account.table.interrupt = lambda call: calls.update([call])
        self.invoked.clear()
        started = time.process_time()
        self.function(now).invoke({}, now, lambda: True)
        planned = time.process_time() - started
        environments = environments or [self.function(now) for _ in self.invoked]
        longest, scored = 0.0, 0
        started = time.process_time()
        for environment, event in zip(
            environments, random.Random(0).sample(self.invoked, len(self.invoked)), strict=True
        ):
            before = time.process_time()
            function = replace(environment, cloudwatch=account.cloudwatch)
            scored += function.invoke(event, now, lambda: True)["scored"]
            longest = max(longest, time.process_time() - before)
        scoring = time.process_time() - started
        each = scoring / max(scored, 1) * 1_000
        hourly = 3_600 / period * scoring + 4 * planned
        counted = {
            name.removesuffix(" before"): count
            for name, count in sorted(calls.items())
            if name.endswith("before")
        }
        print(
            f"{how}: {len(self.invoked)} invocations, {scored:,} detectors scored, the longest in {longest:.1f} s of processor"
        )
        print(
            f"  plan {planned:.1f} s, scoring {scoring:.1f} s, {each:.1f} ms a detector, {hourly:.0f} s an hour"
        )
        print(f"  calls: {counted}, ListMetrics {account.cloudwatch.listed}")
        return environments

    def function(self, now: datetime) -> LiveFunction:
        """Return the function in a new execution environment."""
        account = self.account
        registry: Any = Registry(account.table)
        registry.detectors = Records(self._model(), account.start)
        destinations = FakeDestinations()
        audience = Audience(destinations, destinations, TOPIC, TOPIC)
        settings = LiveSettings(
            *("cutwatch", "table", "bucket", "Cutwatch", TOPIC, TOPIC),
            notification_severity="medium",
            aws_region="us-east-1",
            aws_lambda_function_name="score-metrics",
        )
        store = LiveStore(account.objects)
        place = StackPlace("cutwatch", "us-east-1", "Cutwatch")
        return LiveFunction(
            settings,
            Planner(
                self.folder / "detectors.yaml", account.cloudwatch, account.objects, registry, store
            ),
            account.cloudwatch,
            self,
            account.objects,
            store,
            registry.bucket_turns,
            SeriesMemory(account.objects),
            LiveNotifier(audience, registry, place, lambda: now),
        )


def measure(size: int, period: int) -> None:
    """Print what two runs over all detectors take, with the plan made again."""
    with TemporaryDirectory() as folder:
        fleet = Fleet.begun(size, period, Path(folder))
        first = fleet.account.start + AGE + timedelta(seconds=period, minutes=2)
        print(f"load {os.getloadavg()[0]:.0f}; {size:,} detectors at {period // 60} min")
        environments = fleet.run("nothing in memory", first, period, [])
        fleet.run("warm", first + timedelta(seconds=period), period, environments)


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", type=int, nargs="+", default=[1_000])
    parser.add_argument("--period", type=int, default=5, help="minutes")
    parser.add_argument(
        "--trees", type=int, help="of the forests, for how a fleet grows in short time"
    )
    arguments = parser.parse_args()
    logger.setLevel(logging.ERROR)
    if arguments.trees:
        untrained: Any = LearningForest.untrained
        shingle_size, _, *others = untrained.__func__.__defaults__
        untrained.__func__.__defaults__ = (shingle_size, arguments.trees, *others)
    for size in arguments.detectors:
        measure(size, arguments.period * 60)


if __name__ == "__main__":
    main()
