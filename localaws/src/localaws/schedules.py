"""Scheduled rules: their events, and firing them as the clock passes."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from localaws.clock import Clock
from localaws.embedded_ministack import ACCOUNT_ID, account_scope, service

_TICK_SECONDS = 0.2
_Rule = Mapping[str, Any]

_log = logging.getLogger(__name__)


def fire(name: str, at: datetime, region: str) -> list[str]:
    """Hand a rule's targets the scheduled event of this time; return the ARNs of the started executions.

    The rule is named in full, or by its logical id where only one stack has it.
    """
    bus, executions = service("eventbridge"), service("stepfunctions")._executions
    with account_scope(region):
        before = set(executions.keys())
        rule, targets = _find(bus, name)
        for target in targets:
            bus._invoke_target(target, _scheduled_event(rule, at, region), rule)
        return [arn for arn in executions.keys() if arn not in before]  # noqa: SIM118


class Schedules:
    """Fires every enabled rule once for each time of its schedule that the clock passes."""

    def __init__(self, clock: Clock, region: str) -> None:
        self._clock = clock
        self._region = region
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        passed = self._clock.now()
        while not self._stopped.wait(_TICK_SECONDS):
            now = self._clock.now()
            for name, moment in self._due(passed, now):
                _log.info("rule %s fires for %s", name, moment)
                fire(name, moment, self._region)
            passed = now

    def _due(self, passed: datetime, now: datetime) -> list[tuple[str, datetime]]:
        """Return the firings after `passed` and until `now`, in the order of time."""
        with account_scope(self._region):
            rules = [rule for rule in service("eventbridge")._rules.values() if _is_enabled(rule)]
            due = [
                (rule["Name"], moment)
                for rule in rules
                for moment in _moments(rule["ScheduleExpression"], passed, now)
            ]
        return sorted(due, key=lambda firing: firing[1])


def _moments(expression: str, passed: datetime, now: datetime) -> Iterator[datetime]:
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


def _is_enabled(rule: _Rule) -> bool:
    return bool(rule.get("State") == "ENABLED" and rule.get("ScheduleExpression"))


def _find(bus: Any, name: str) -> tuple[Any, list[Any]]:
    named = {rule["Name"]: key for key, rule in bus._rules.items()}
    alike = [known for known in named if f"-{name}-" in known]
    if name not in named and len(alike) != 1:
        raise LookupError(_not_found(name, alike, list(named)))
    key = named[name if name in named else alike[0]]
    return bus._rules[key], bus._targets.get(key) or []


def _not_found(name: str, alike: Sequence[str], known: Sequence[str]) -> str:
    if alike:
        return f"{name} can be any of {', '.join(sorted(alike))}; name one in full"
    rules = f"; there are {', '.join(sorted(known))}" if known else "; nothing is deployed"
    return f"there is no rule {name}{rules}"


def _scheduled_event(rule: _Rule, at: datetime, region: str) -> dict[str, Any]:
    return {
        "EventId": str(uuid4()),
        "Source": "aws.events",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "EventBusName": "default",
        "Time": at.astimezone(UTC).timestamp(),
        "Resources": [rule["Arn"]],
        "Account": ACCOUNT_ID,
        "Region": region,
    }
