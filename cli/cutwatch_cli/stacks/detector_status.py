"""Status of one detector, with its problems in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.quota_waits import QuotaWait
from cutwatch.registry.run import Kind
from cutwatch.registry.silences import Silence
from cutwatch.timestamps import format_timestamp, parse_timestamp
from cutwatch.wording import span_in_words
from cutwatch_cli.stacks.live_detectors import LiveDetector
from cutwatch_cli.stacks.run_history import Ending, PastRun, parse_run

_NO_SUCCESS = {
    "FAILED": "failed",
    "NO_DATA": "found no data",
    "TOO_LITTLE_HISTORY": "found too little history",
}


@dataclass(frozen=True)
class DetectorStatus:
    """Status of a detector. Times are aware; `last` is the newest run with an outcome of the detector, and the outcome.

    `cutoff` is the anomaly score from which the newest published transform classified datapoints as anomalous.
    """

    name: str
    engine: str | None
    trained: datetime | None
    cutoff: float | None
    published_through: datetime | None
    last: Ending | None
    events: int
    silence: Silence | None
    quota_wait: QuotaWait | None
    problems: tuple[str, ...]
    live: LiveDetector | None = None

    def to_payload(self, now: datetime) -> dict[str, Any]:
        """Return the status as JSON values."""
        run, outcome = self.last or (None, None)
        return {
            "detector": self.name,
            "engine": self.engine,
            "model_trained_at": _formatted(self.trained),
            "cutoff": self.cutoff,
            "published_through": _formatted(self.published_through),
            "hours_since_published_through": _hours(self.published_through, now),
            "last_run": run.id if run else None,
            "last_outcome": outcome.status if outcome else None,
            "last_message": outcome.message if outcome else None,
            "events_last_week": self.events,
            "silenced_until": _formatted(self.silence.until if self.silence else None),
            "waiting_for_quota": _wait_payload(self.quota_wait) if self.quota_wait else None,
            "live": self.live.to_payload() if self.live else None,
            "problems": list(self.problems),
        }


def status_of(
    record: DetectorRecord,
    ended: Sequence[Ending],
    events: int,
    silence: Silence | None,
    quota_wait: QuotaWait | None,
    now: datetime,
    stale_after: timedelta,
    live: LiveDetector | None = None,
) -> DetectorStatus:
    """Combine the registry's record, outcomes of recent runs (newest first) and the number of last week's events."""
    newest = record.models[0] if record.models else None
    return DetectorStatus(
        record.name,
        newest.engine if newest else None,
        parse_timestamp(newest.scheduled_time) if newest else None,
        next((outcome.cutoff for _, outcome in ended if outcome.cutoff is not None), None),
        record.published_through,
        ended[0] if ended else None,
        events,
        silence,
        quota_wait,
        (*_problems(record, ended, quota_wait, now, stale_after), *_live_problems(live, now)),
        live,
    )


def _live_problems(live: LiveDetector | None, now: datetime) -> Iterator[str]:
    if live and (problem := live.why_late(now)):
        yield problem


def _problems(
    record: DetectorRecord,
    ended: Sequence[Ending],
    quota_wait: QuotaWait | None,
    now: datetime,
    stale_after: timedelta,
) -> Iterator[str]:
    if quota_wait:
        yield _waiting(quota_wait, now)
    if not record.models:
        yield "no model"
    yield from _last_failures(ended)
    through = record.published_through
    if through is None and record.models:
        yield "nothing published yet"
    elif through and now - through > stale_after:
        yield (
            f"nothing published for {span_in_words(now - through)}, more than two transform intervals"
        )


def _waiting(wait: QuotaWait, now: datetime) -> str:
    run = parse_run(wait.run)
    return (
        f"{run.label if run else wait.run} has waited {span_in_words(now - wait.since)} (since "
        f"{wait.since:%Y-%m-%d %H:%M}) for a quota of {wait.instance_type}: {wait.message}"
    )


def _wait_payload(wait: QuotaWait) -> dict[str, str]:
    return {
        "run": wait.run,
        "instance_type": wait.instance_type,
        "since": format_timestamp(wait.since),
        "message": wait.message,
    }


def _last_failures(ended: Sequence[Ending]) -> list[str]:
    """Describe the newest failures of each kind of run; a transform that repeats its training's reason is left out."""
    newest = [ending for kind in get_args(Kind) if (ending := _newest(ended, kind))]
    failed = [(run, outcome) for run, outcome in newest if outcome.status in _NO_SUCCESS]
    messages = [outcome.message for _, outcome in failed]
    return [
        f"{run.label} {_NO_SUCCESS[outcome.status]}: {outcome.message}"
        for position, (run, outcome) in enumerate(failed)
        if not any(outcome.message in later for later in messages[position + 1 :])
    ]


def _newest(ended: Sequence[Ending], kind: Kind) -> tuple[PastRun, Outcome] | None:
    return next((ending for ending in ended if ending[0].kind == kind), None)


def _formatted(time: datetime | None) -> str | None:
    return format_timestamp(time) if time else None


def _hours(time: datetime | None, now: datetime) -> float | None:
    return round((now - time) / timedelta(hours=1), 1) if time else None
