"""Alarms, evaluated every minute that could change one, however far the clock jumps.

On AWS an alarm is evaluated every minute (an alarm of high resolution every ten seconds, one over more than a day
every hour) over a range that ends then. Here that is done for the minutes at which a datapoint enters the range,
moves to another period of it, or leaves it: when the clock has passed them, and again when data of the current
minute arrive. The current minute counts as over, so that nobody waits for its end.
"""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from localaws.api_response import ApiError
from localaws.cloudwatch import alarm_reasons, metrics_insights
from localaws.cloudwatch.alarm_changes import Change, Contributor, State
from localaws.cloudwatch.alarm_evaluation import (
    Outcome,
    Timing,
    contributor_id,
    has_contributors,
    metric_names,
    move,
    of_group,
    of_one,
    state_of,
)
from localaws.cloudwatch.alarm_records import (
    INITIAL_REASON,
    Record,
    insights_of,
    queries_of,
    rule_of,
    watched_query,
)
from localaws.cloudwatch.alarm_threshold import ALARM, OK, evaluate
from localaws.cloudwatch.metric_queries import Queries
from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.reading import Reader, TellsTime, Window

CONTRIBUTORS_MAX_IN_ALARM = 100
_log = logging.getLogger(__name__)


@dataclass
class _Progress:
    """The progress of an alarm: the end of its last evaluated range, and when the next could differ.

    It is stale while there is data that the last evaluation has not seen.
    """

    evaluated: float = -math.inf
    next_change: float = -math.inf
    stale: bool = False
    contributors: dict[str, Contributor] = field(default_factory=dict)


class Alarms:
    """Evaluates the alarms that `records` gives, and hands each change on to `announce`, in their order."""

    def __init__(
        self,
        reader: Reader,
        clock: TellsTime,
        records: Callable[[], Mapping[str, Record]],
        announce: Callable[[Change], None],
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._records = records
        self._announce = announce
        self._evaluating = threading.RLock()
        self._announcing = threading.Lock()
        self._changes: deque[Change] = deque()
        self._progress: dict[str, _Progress] = {}
        self._touching = threading.Lock()
        self._touched: set[tuple[str, str]] = set()

    def touch(self, key: MetricKey) -> None:
        """Note that there are new datapoints of a metric."""
        with self._touching:
            self._touched.add((key.namespace, key.name))

    def renew(self, name: str) -> None:
        """Evaluate an alarm afresh that has been put; an updated alarm keeps its contributors."""
        with self._evaluating:
            known = self._progress.get(name)
            self._progress[name] = _Progress(contributors=known.contributors if known else {})

    def forget(self, name: str) -> None:
        with self._evaluating:
            self._progress.pop(name, None)

    def catch_up(self, *, again: bool = True) -> None:
        """Evaluate every alarm for each time that has passed, and publish the changes.

        Without `again`, what has been evaluated for the current time is left for later, new data or not.
        """
        with self._evaluating:
            with self._touching:
                touched, self._touched = self._touched, set()
            records = self._records()
            for name in self._progress.keys() - records.keys():
                del self._progress[name]
            for name, record in list(records.items()):
                progress = self._progress.setdefault(name, _Progress())
                progress.stale |= not touched.isdisjoint(metric_names(record))
                self._catch_up(record, progress, again=again)
        self._tell()

    def contributors(self, name: str) -> list[Contributor]:
        """Return the time series of an alarm that are in ALARM, the first to be so first."""
        with self._evaluating:
            return list(self._progress.get(name, _Progress()).contributors.values())

    def _tell(self) -> None:
        """Announce changes in the order of evaluation, in one thread at a time."""
        while self._changes and self._announcing.acquire(blocking=False):
            try:
                while self._changes:
                    self._tell_one(self._changes.popleft())
            finally:
                self._announcing.release()

    def _tell_one(self, change: Change) -> None:
        try:
            self._announce(change)
        except Exception:  # noqa: BLE001 - whoever put a datapoint is not to suffer for it
            _log.exception("a change of alarm %s could not be published", change.alarm["AlarmName"])

    def _catch_up(self, record: Record, progress: _Progress, *, again: bool) -> None:
        timing = Timing.of(record)
        end = timing.end(self._clock.now().timestamp())
        if end == progress.evaluated and not again:
            return
        if not progress.stale and progress.evaluated <= end < progress.next_change:
            progress.evaluated = end
            return
        for moment in self._due(record, progress, timing, end):
            self._evaluate(record, progress, timing, int(moment))
        progress.evaluated, progress.stale = end, False
        later = self._moments(record, timing, end, math.inf)
        progress.next_change = float(later[0]) if len(later) else math.inf

    def _due(
        self, record: Record, progress: _Progress, timing: Timing, end: int
    ) -> Sequence[float]:
        """Return the ends of the ranges to evaluate until `end`, where a new alarm, or a clock moved back, begins."""
        if math.isinf(progress.evaluated) or end < progress.evaluated:
            return [end]
        passed = self._moments(record, timing, progress.evaluated, end)
        return [progress.evaluated, *passed] if progress.stale else passed

    def _moments(
        self, record: Record, timing: Timing, after: float, until: float
    ) -> Sequence[float]:
        """Return the ends of ranges that hold other datapoints than the range before, in order."""
        times = self._reader.times(self._keys(record), after - timing.span - timing.step)
        entered = np.unique(times // timing.step * timing.step + timing.step)
        steps = timing.span // timing.period
        if math.isinf(until):
            passed = np.clip((after - entered) // timing.period + 1, 0, steps)
            following = entered + passed * timing.period
            return np.sort(following[following > after])[:1].tolist()  # type: ignore[no-any-return]
        shifts = np.arange(steps + 1) * timing.period
        if entered.size * shifts.size > (until - after) / timing.step:
            every = np.arange(after + timing.step, until + 1, timing.step)
            return every.tolist() if entered.size else []
        ends = np.unique(entered[:, None] + shifts)
        return ends[(ends > after) & (ends <= until)].tolist()  # type: ignore[no-any-return]

    def _keys(self, record: Record) -> Iterable[MetricKey]:
        for query in queries_of(record):
            if "MetricStat" in query:
                yield MetricKey.from_request(query["MetricStat"]["Metric"])
        insights = insights_of(record)
        if insights is not None:
            parsed = metrics_insights.parse(insights["Expression"])
            yield from metrics_insights.matching(parsed, self._reader)

    def _evaluate(self, record: Record, progress: _Progress, timing: Timing, end: int) -> None:
        at = datetime.fromtimestamp(min(end, self._clock.now().timestamp()), UTC)
        queries = Queries(
            queries_of(record),
            Window(end - timing.span, end),
            self._reader.at(datetime.fromtimestamp(end, UTC)),
        )
        try:
            if has_contributors(record):
                outcome = self._of_contributors(record, progress, queries, timing, end, at)
            else:
                outcome = of_one(record, queries, timing, end, at)
        except ApiError as error:
            _log.warning("alarm %s cannot be evaluated: %s", record["AlarmName"], error)
            record["EvaluationState"] = "EVALUATION_ERROR"
            return
        record.pop("EvaluationState", None)
        if outcome.partial:
            record["EvaluationState"] = "PARTIAL_DATA"
        self._move(record, outcome, at)

    def _of_contributors(
        self,
        record: Record,
        progress: _Progress,
        queries: Queries,
        timing: Timing,
        end: int,
        at: datetime,
    ) -> Outcome:
        rule = rule_of(record)
        found = queries.insights(watched_query(record)["Id"])
        names = [contributor_id(group) for group in found.groups]
        states = {
            name: of_group(rule, group, timing, end, progress.contributors.get(name))
            for name, group in zip(names, found.groups, strict=True)
        }
        reasons = {name: reason for name, (_, reason) in states.items()}
        breaching = [
            progress.contributors.get(name)
            or Contributor(name, dict(group.attributes), reasons[name], at)
            for name, group in zip(names, found.groups, strict=True)
            if states[name][0] == ALARM
        ]
        self._move_contributors(
            record, progress, breaching[:CONTRIBUTORS_MAX_IN_ALARM], reasons, at
        )
        if not found.groups:
            state = evaluate([None] * rule.range, rule).state
            return Outcome(state, alarm_reasons.no_series_reason(rule.missing))
        reason = alarm_reasons.contributors_reason(
            len(breaching), len(found.groups), CONTRIBUTORS_MAX_IN_ALARM
        )
        return Outcome(ALARM if breaching else OK, reason, partial=found.partial)

    def _move_contributors(
        self,
        record: Record,
        progress: _Progress,
        breaching: Sequence[Contributor],
        reasons: Mapping[str, str],
        at: datetime,
    ) -> None:
        in_alarm = {contributor.id: contributor for contributor in breaching}
        for name, contributor in progress.contributors.items():
            if name not in in_alarm:
                old = State(ALARM, contributor.reason, contributor.since)
                new = State(OK, reasons.get(name, "No data was returned for this contributor"), at)
                self._changes.append(Change(dict(record), old, new, contributor))
        for name, contributor in in_alarm.items():
            if name not in progress.contributors:
                new = State(ALARM, contributor.reason, at)
                self._changes.append(Change(dict(record), State(OK, "", at), new, contributor))
        progress.contributors = in_alarm

    def _move(self, record: Record, outcome: Outcome, at: datetime) -> None:
        """Let an alarm change its state; while the state stays, only its reason may change."""
        old = state_of(record)
        if outcome.state is None:
            return
        new = State(outcome.state, outcome.reason, at, outcome.reason_data)
        if outcome.state != old.value:
            move(record, new)
            self._changes.append(Change(dict(record), old, state_of(record)))
        elif old.reason == INITIAL_REASON or has_contributors(record):
            record["StateReason"] = outcome.reason
