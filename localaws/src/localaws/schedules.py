"""Scheduled rules and schedules: their events, and firing them as the clock passes."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

from localaws.clock import Clock
from localaws.embedded_ministack import ACCOUNT_ID, account_scope, service

_TICK_SECONDS = 0.2
_RULES, _SCHEDULES = "aws.events", "aws.scheduler"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Scheduled:
    """A rule of EventBridge or a schedule of EventBridge Scheduler."""

    record: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]
    source: str

    @property
    def name(self) -> str:
        return str(self.record["Name"])

    @property
    def expression(self) -> str:
        return self.record.get("ScheduleExpression") or ""

    @property
    def is_enabled(self) -> bool:
        return bool(self.record.get("State") == "ENABLED" and self.expression)


def fire(name: str, at: datetime, region: str) -> list[str]:
    """Hand a rule's or a schedule's targets the event of this time; return the ARNs of the started executions.

    It is named in full, or by its logical id where only one stack has it.
    """
    bus, executions = service("eventbridge"), service("stepfunctions")._executions
    started: list[str] = []
    with account_scope(region):
        found = _find(name)
        for target in found.targets:
            before = set(executions.keys())
            bus._invoke_target(target, _scheduled_event(found, at, region), found.record)
            started += _first_since(before, target["Arn"], executions)
    return started


def _first_since(before: Collection[str], machine: str, executions: Any) -> list[str]:
    """Return the first new execution of a state machine, if any; it may have started others by now."""
    found = (
        arn
        for arn, execution in list(executions.items())
        if arn not in before and machine.startswith(execution["stateMachineArn"])
    )
    return list(islice(found, 1))


class Schedules:
    """Fires every enabled rule and schedule once for each of its times that the clock passes."""

    def __init__(
        self, clock: Clock, region: str, fire_at: Callable[[str, datetime], object]
    ) -> None:
        self._clock = clock
        self._region = region
        self._fire = fire_at
        self._passed = clock.now()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    @property
    def passed(self) -> datetime:
        """Return the time of the clock until which everything due has been fired."""
        return self._passed

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            now = self._clock.now()
            for name, moment in self._due(self._passed, now):
                _log.info("rule %s fires for %s", name, moment)
                self._fire(name, moment)
            self._passed = now

    def _due(self, passed: datetime, now: datetime) -> list[tuple[str, datetime]]:
        """Return the firings after `passed` and until `now`, in the order of time."""
        with account_scope(self._region):
            due = [
                (each.name, moment)
                for each in _all()
                if each.is_enabled
                for moment in _moments(each.expression, passed, now)
            ]
        return sorted(due, key=lambda firing: firing[1])


def _all() -> list[_Scheduled]:
    bus, scheduler = service("eventbridge"), service("scheduler")
    rules = [
        _Scheduled(rule, bus._targets.get(key) or [], _RULES) for key, rule in bus._rules.items()
    ]
    schedules = [
        _Scheduled(schedule, [schedule["Target"]], _SCHEDULES)
        for schedule in scheduler._schedules.values()
    ]
    return rules + schedules


def _moments(expression: str, passed: datetime, now: datetime) -> Iterator[datetime]:
    once = service("scheduler")._at_time_epoch(expression)
    if once is not None:
        if passed.timestamp() < once <= now.timestamp():
            yield datetime.fromtimestamp(once, UTC)
        return
    yield from _repeated(expression, passed, now)


def _repeated(expression: str, passed: datetime, now: datetime) -> Iterator[datetime]:
    bus = service("eventbridge")
    interval = bus._parse_rate_seconds(expression)
    fields = None if interval else bus._parse_cron_fields(expression)
    while interval or fields:
        following = (
            _next_multiple(passed, interval) if interval else bus._cron_next_fire(fields, passed)
        )
        if following is None or following > now:
            return
        yield following
        passed = following


def _next_multiple(passed: datetime, interval: float) -> datetime:
    """Return the next time of a rate; it counts from the epoch, not from the rule's creation as on AWS, to be predictable."""
    seconds = passed.timestamp()
    return passed + timedelta(seconds=interval - seconds % interval)


def _find(name: str) -> _Scheduled:
    named = {each.name: each for each in _all()}
    alike = [known for known in named if f"-{name}-" in known]
    if name not in named and len(alike) != 1:
        raise LookupError(_not_found(name, alike, list(named)))
    return named[name if name in named else alike[0]]


def _not_found(name: str, alike: Sequence[str], known: Sequence[str]) -> str:
    if alike:
        return f"{name} can be any of {', '.join(sorted(alike))}; name one in full"
    rules = f"; there are {', '.join(sorted(known))}" if known else "; nothing is deployed"
    return f"there is no rule {name}{rules}"


def _scheduled_event(scheduled: _Scheduled, at: datetime, region: str) -> dict[str, Any]:
    return {
        "EventId": str(uuid4()),
        "Source": scheduled.source,
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "EventBusName": "default",
        "Time": at.astimezone(UTC).timestamp(),
        "Resources": [scheduled.record["Arn"]],
        "Account": ACCOUNT_ID,
        "Region": region,
    }
