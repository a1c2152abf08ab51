"""Live detection next to its base stack, and one scenario: an incident that live runs notify, one that the audit finds."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cutwatch.aws.s3 import Bucket
from cutwatch.live.live_bucket import LiveBucket
from cutwatch.live.live_store import LiveStore
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import run_id
from cutwatch_cli.replay.application import LIVE_TEMPLATE, staged
from cutwatch_cli.replay.live_replay import mailed_news, repeated
from localaws import LocalAws, Stack
from localaws.calls import Call
from localaws.ministack_patches.mails import Mail
from tests.support import snapshots
from tests.support.fleet import detector
from tests.support.snapshots import Snapshot

STACK = "cutwatch-live"
PERIOD = timedelta(minutes=15)
# The detector that has the incidents, and one without any, which is in another bucket.
USERS, CALM = "users", "calm"
DETECTORS = tuple(
    detector(
        name,
        period=int(PERIOD.total_seconds()),
        history_days=5,
        engine="lambda",
        live=True,
        publish="all" if name == USERS else "events",
    )
    for name in (USERS, CALM)
)
START = datetime(2026, 6, 1, 3, tzinfo=UTC)
TRAINED = START + timedelta(days=7)
# The first incident, which live runs see as it goes on; the rule is off during the second one.
FIRST, SECOND = TRAINED + timedelta(hours=9), TRAINED + timedelta(hours=20)
AUDIT = TRAINED + timedelta(hours=26)
_AFTER = timedelta(minutes=2)
# The datapoint, in periods after the first incident begins, that is wrong in the next run and right in the one after it.
_WRONG = 11
# Live or by a transform, an incident is notified when it is found, and when it is over.
_CHANGES = {"began": "found", "ended": "over", "withdrawn": "over"}
# Ends of the newest datapoints in runs: before the incident, in it, after it.
_RUNS = [FIRST + number * PERIOD for number in (-1, 2, 8, _WRONG + 1, _WRONG + 2, _WRONG + 3)]
_RUNS_AFTER_THE_AUDIT = [AUDIT + number * PERIOD for number in (4, 5, 6)]


@dataclass(frozen=True)
class Standing:
    """What a scenario has left behind, as far as it must not depend on faults."""

    states: Mapping[str, Any]
    stored: frozenset[str]
    claims: Mapping[str, tuple[str, str]]
    incidents: Mapping[str, tuple[str, str]]
    scores: Mapping[int, float]
    audit: str
    told: Counter[str] = field(compare=False)
    told_twice: int = field(compare=False)


@dataclass
class LiveShop:
    """The deployed stacks, and what they looked like after the first transform."""

    aws: LocalAws
    base: Stack
    live: Stack
    usual: float
    trained: Snapshot | None = None
    _mails: list[Mail] = field(default_factory=list)

    def train(self) -> None:
        """Train both detectors, and put each into a bucket of its own."""
        self._transform(TRAINED)
        plan = '{"made_at": "2026-01-01T00:00:00Z", "configuration": "", "assigned": {"users": 0, "calm-q": 1}, "emptied": []}'
        Bucket(self.aws.client("s3"), self._bucket).write("live/plan.json", plan)
        self.trained = snapshots.take(self.aws)

    def rewind(self) -> None:
        """Have everything be as it was after the first transform."""
        assert self.trained is not None
        self.aws.faults.clear()
        self.aws.cool_down()
        self.aws.clock.move_to(TRAINED)
        snapshots.put_back(self.aws, self.trained)
        self.aws.calls.clear()
        self._mails.clear()
        self.aws.mails.listener = self._mails.append

    def run(self) -> None:
        """Score live, then audit, then go on live in the window that the audit has begun."""
        for end in _RUNS:
            self._score(end)
        self._transform(AUDIT)
        for end in _RUNS_AFTER_THE_AUDIT:
            self._score(end)

    def audit_again(self) -> None:
        """Run the transform of the next day."""
        self._transform(AUDIT + timedelta(days=1))

    def _score(self, end: datetime) -> None:
        wrong = FIRST + _WRONG * PERIOD
        # Samples that move the average, and move it back.
        put = {wrong + PERIOD: 700.0, wrong + 2 * PERIOD: 2 * self.usual - 700.0}.get(end)
        if put is not None:
            self.aws.cloudwatch.load_series("Shop", USERS, {}, 900, [wrong], [put])
        self.aws.clock.move_to(end + _AFTER)
        self.aws.fire(self.live.physical_id("EveryFewMinutes"))

    def _transform(self, end: datetime) -> None:
        at = end + PERIOD
        self.aws.clock.move_to(at)
        (execution,) = self.base.fire("TransformRule", at=at)
        execution.wait()

    def standing(self) -> Standing:
        """Return what the scenario has left behind."""
        aws = self.aws
        store = LiveStore(Bucket(aws.client("s3"), self._bucket))
        registry = Registry(aws.client("dynamodb"), self.base.outputs["RegistryTableName"])
        claims = registry.claims.between(USERS, START, AUDIT + timedelta(days=2))
        incidents = registry.events.between(TRAINED, AUDIT + timedelta(days=2))
        outcome = registry.outcomes.get(run_id("transform", AUDIT + PERIOD), USERS)
        return Standing(
            {
                name: _comparable(bucket, name)
                for each in store.stored()
                for bucket in [LiveBucket.from_bytes(store.bucket.read_bytes(store.key(each.number)))]
                for name in (*bucket.states, "")
            },
            frozenset(each.key for each in store.bucket.list("live/series/")),
            {each.event.id: (each.owner, each.severity) for each in claims},
            {each.event.id: (each.event.start, each.event.end) for each in incidents},
            self._scores(),
            f"{outcome.status}: {outcome.message}" if outcome else "none",
            Counter([*self._changes(), *(mail.subject.split(":")[0] for mail in self.mails)]),
            repeated(mailed_news(self.mails)),
        )  # fmt: skip

    @property
    def mails(self) -> list[Mail]:
        """Mails about incidents."""
        return [each for each in self._mails if "NotificationTopic" in each.topic]

    def calls(self) -> list[Call]:
        """Calls since the scenario was rewound."""
        return [*self.aws.calls]

    def _changes(self) -> Iterator[str]:
        """Yield the changes on the bus that EventBridge took, also where the answer got lost."""
        for call in self.aws.calls.of("events", "PutEvents"):
            if call.error_code in (None, "AnswerLost"):
                for entry in call.parameters["Entries"]:
                    detail = json.loads(entry["Detail"])
                    yield f"{_CHANGES.get(detail.get('change', 'began'), 'changed')} {detail['id']}"

    def _scores(self) -> dict[int, float]:
        """Return the scores that were published of the detector with the incidents."""
        own = {
            key: parts
            for key, parts in snapshots.take(self.aws).datapoints.items()
            if key.name == "AnomalyScore" and dict(key.dimensions).get("Detector") == USERS
        }
        return {
            int(time): max_
            for parts in own.values()
            for part in parts
            for time, max_ in zip(part.times.tolist(), part.maxima.tolist(), strict=True)
        }

    @property
    def _bucket(self) -> str:
        return self.base.outputs["DataBucketName"]


def _comparable(bucket: LiveBucket, name: str) -> Any:
    if not name:
        return (len(bucket.outbox), sorted(bucket.superseded))
    state = bucket.states[name]
    values = np.nan_to_num(state.values, nan=-1).tolist()
    return {**state.to_payload(), "values": values}


def _make_a_template(file: Path) -> None:
    """Let the second detector come from a template, so that it has to be listed."""
    document = yaml.safe_load(file.read_text())
    document["detectors"][1] |= {"for_each": "Queue"}
    file.write_text(yaml.safe_dump(document))


@contextmanager
def opened_live_shop() -> Iterator[LiveShop]:
    """Deploy both stacks, with two metrics, and train."""
    with LocalAws() as aws:
        aws.clock.move_to(TRAINED)
        with staged(DETECTORS, {"FirstWindowDays": "1"}) as template:
            _make_a_template(template.parent / "functions" / "detectors.yaml")
            base = aws.deploy(template, stack_name="cutwatch")
            live = aws.deploy(
                template.parent / LIVE_TEMPLATE,
                stack_name=STACK,
                parameters={
                    "BaseStack": "cutwatch",
                    "LiveMinutes": "15",
                    "NotificationSeverity": "low",
                },
            )
        count = int((AUDIT + timedelta(days=2) - START) / PERIOD)
        times = [START + number * PERIOD for number in range(count)]
        noise = np.random.default_rng(1).normal(0, 2, count)
        usual = 100 + 20 * np.sin(2 * np.pi * np.arange(count) * PERIOD.total_seconds() / 86_400)
        users = usual + noise
        for begins, datapoints in ((FIRST, 3), (SECOND, 3)):
            at = int((begins - START) / PERIOD)
            users[at : at + datapoints] = 400
        aws.cloudwatch.load_series("Shop", USERS, {}, 900, times, users)
        aws.cloudwatch.load_series("Shop", CALM, {"Queue": "q"}, 900, times, usual + noise)
        shop = LiveShop(aws, base, live, float(users[int((FIRST - START) / PERIOD) + _WRONG]))
        shop.train()
        yield shop
