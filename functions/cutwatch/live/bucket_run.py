"""A run over one bucket of live detectors: read, score, commit on condition, then notify."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cutwatch.errors import TRANSIENT, ConditionFailed, CutwatchError
from cutwatch.live.evaluation import Evaluation
from cutwatch.live.live_bucket import LiveBucket, LiveState, OutboxEntry
from cutwatch.live.live_store import LiveStore
from cutwatch.live.plan import PlannedDetector
from cutwatch.live.reading import ToRead, read_all, series_of
from cutwatch.live.stepping import Step, Stepper
from cutwatch.live.unscored import note_failure, remove_others, wait_for_model
from cutwatch.observability import logger
from cutwatch.timeseries.reader import Read

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# Windows begun at a time: their histories are read together, and are large.
_BEGUN_AT_ONCE = 20
# Another environment may write the bucket between reading and writing it, but never for long.
_ATTEMPTS = 3


class Deliver(Protocol):
    """Delivery of an outbox."""

    def __call__(self, outbox: list[OutboxEntry]) -> None:
        """Deliver and remove what is in the outbox; what raises a `CutwatchError` stays in it."""


@dataclass
class RunReport:
    """Detectors that were scored, with their evaluations; errors; the incidents that last."""

    scored: dict[str, Evaluation] = field(default_factory=dict)
    errors: list[CutwatchError] = field(default_factory=list)
    changes: int = 0
    waiting: int = 0
    lasting: Sequence[str] = ()

    def raise_first(self) -> None:
        """Raise the first error, if there is one."""
        for error in self.errors:
            raise error


@dataclass(frozen=True)
class BucketRun:
    """Scores the detectors of a bucket. `has_time` returns False once the invocation must end."""

    cloudwatch: "CloudWatchClient"
    store: LiveStore
    stepper: Stepper
    deliver: Deliver
    has_time: Callable[[], bool] = lambda: True

    def score(self, number: int, planned: Sequence[PlannedDetector]) -> RunReport:
        """Score a bucket; after a lost race, go on from what the winner wrote."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._score(number, planned)
            except ConditionFailed:
                self.store.forget(number)
        return self._score(number, planned)

    def _score(self, number: int, planned: Sequence[PlannedDetector]) -> RunReport:
        report, taken = RunReport(), self.store.take(number)
        was_undelivered = bool(taken.bucket.outbox)
        self._deliver(taken.bucket.outbox, report)
        before = taken.bucket
        after = before.copy()
        remove_others(after, [each.name for each in planned])
        self._delete(before.superseded, after, report)
        self._step_all(planned, after, report)
        report.changes = len(after.outbox) - len(before.outbox)
        taken.bucket = after
        if taken.etag is None or was_undelivered or after != before:
            self.store.save(taken)
        self._deliver(after.outbox, report)
        report.lasting = [name for name, state in after.states.items() if state.lasting]
        return report

    def _deliver(self, outbox: list[OutboxEntry], report: RunReport) -> None:
        if not outbox:
            return
        try:
            self.deliver(outbox)
        except CutwatchError as error:
            logger.error("not delivered yet", reason=f"{type(error).__name__}: {error}")
            report.errors.append(error)

    def _delete(self, keys: Sequence[str], bucket: LiveBucket, report: RunReport) -> None:
        """Delete series that no state has needed since the last run."""
        for key in keys:
            try:
                self.stepper.bucket.delete(key)
            except CutwatchError as error:
                report.errors.append(error)
            else:
                bucket.superseded.remove(key)

    def _step_all(
        self, planned: Sequence[PlannedDetector], bucket: LiveBucket, report: RunReport
    ) -> None:
        states = bucket.states
        ranges = {each.name: self.stepper.to_read(each, states.get(each.name)) for each in planned}
        for each in planned:
            if each.model is None and self.stepper.begins(each, states.get(each.name)):
                wait_for_model(bucket, each)
        due = [each for each in planned if ranges[each.name]]
        begun = [each for each in due if self.stepper.begins(each, states.get(each.name))]
        going = [each for each in due if each not in begun]
        self._step(going, ranges, bucket, report)
        for first in range(0, len(begun), _BEGUN_AT_ONCE):
            group = begun[first : first + _BEGUN_AT_ONCE]
            if self.has_time():
                self._step(group, ranges, bucket, report)
            else:
                report.waiting += len(group)

    def _step(
        self,
        planned: Sequence[PlannedDetector],
        ranges: Mapping[str, ToRead | None],
        bucket: LiveBucket,
        report: RunReport,
    ) -> None:
        read = read_all(
            self.cloudwatch, [found for each in planned if (found := ranges[each.name])]
        )
        for each in planned:
            if not self.has_time():
                report.waiting += 1
                continue
            earlier = bucket.states.get(each.name)
            try:
                step = self._stepped(each, earlier, read)
            except Exception as error:  # noqa: BLE001 - whatever the defect, it costs one detector
                self._failed(each, error, bucket, report)
                continue
            _take_in(each.name, step, bucket, report)

    def _stepped(self, planned: PlannedDetector, state: LiveState | None, read: Read) -> Step:
        series = series_of(read, planned.name)
        if state is None or self.stepper.begins(planned, state):
            return self.stepper.begin(planned, state, series)
        return self.stepper.go_on(planned, state, series)

    def _failed(
        self, planned: PlannedDetector, error: Exception, bucket: LiveBucket, report: RunReport
    ) -> None:
        reason, passes = f"{type(error).__name__}: {error}", isinstance(error, TRANSIENT)
        logger.error("not scored", detector=planned.name, reason=reason)
        note_failure(bucket, planned, reason, self.stepper.now, passes=passes)
        if isinstance(error, TRANSIENT):
            report.errors.append(error)


def _take_in(name: str, step: Step, bucket: LiveBucket, report: RunReport) -> None:
    bucket.states[name] = step.state
    bucket.outbox += step.entries
    if step.superseded and step.superseded != step.state.series:
        bucket.superseded.append(step.superseded)
    if step.evaluation:
        report.scored[name] = step.evaluation
