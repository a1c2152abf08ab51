"""Replay of a metric's history whose last weeks are scored live, by the deployed functions on a local AWS."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.detection.anomaly_event import SEVERITIES, AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.live.live_store import LiveStore
from cutwatch.registry.incident_claims import LIVE
from cutwatch.registry.registry import Registry
from cutwatch.timestamps import parse_timestamp
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.application import LIVE_TEMPLATE, staged
from cutwatch_cli.replay.replay import ReplayError
from cutwatch_cli.replay.schedule import ScheduledRun, default_training_time, schedule
from localaws import LocalAws

if TYPE_CHECKING:
    from localaws import Stack
    from localaws.ministack_patches.mails import Mail

_EXECUTION_TIMEOUT = 120.0
# A transform starts this long after the datapoints of its window, by default.
_DATA_DELAY = timedelta(minutes=15)
_AFTER_THE_BOUNDARY = timedelta(minutes=2)
_NEWS = re.compile(r"^Cutwatch (low|medium|high): ")
_BEGINS = re.compile(r"^  Time      \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d) to ", re.MULTILINE)

Progress = Callable[[str, int, int], None]


@dataclass
class LiveReplay:
    """Incidents with the run that notified each first, and seconds from an anomalous datapoint's end to its mail."""

    events: list[AnomalyEvent] = field(default_factory=list)
    notified_live: set[str] = field(default_factory=set)
    delays: list[float] = field(default_factory=list)
    notified_twice: int = 0
    live_runs: int = 0

    def delay(self, percentile: float) -> float | None:
        """Return a percentile of the delays in seconds; None without a mail."""
        return float(np.percentile(self.delays, percentile)) if self.delays else None


def replay_live(
    series: MetricSeries,
    detector: Detector,
    live_from: datetime,
    minutes: int,
    progress: Progress = lambda *_: None,
) -> LiveReplay:
    """Run trainings and transforms over the whole history, and live detection every `minutes` from `live_from` on.

    Raises `ReplayError` if an execution or a live run fails.
    """
    with LocalAws() as aws:
        running = _Running(aws, series, detector, minutes)
        for number, (at, act) in enumerate(steps := running.steps(live_from)):
            progress(f"{at:%Y-%m-%d}", number, len(steps))
            act()
        return running.result()


class _Running:
    def __init__(
        self, aws: LocalAws, series: MetricSeries, detector: Detector, minutes: int
    ) -> None:
        self._aws, self._series, self._detector, self._minutes = aws, series, detector, minutes
        self._runs = schedule(
            series.start, series.end, default_training_time(series.start, series.end)
        )
        aws.clock.move_to(self._runs[0].at)
        with staged([detector]) as template:
            self._base: Stack = aws.deploy(template, stack_name="cutwatch")
            self._live: Stack = aws.deploy(
                template.parent / LIVE_TEMPLATE,
                stack_name="cutwatch-live",
                parameters={"BaseStack": "cutwatch", "LiveMinutes": str(minutes)},
            )
        aws.cloudwatch.load_series(
            detector.namespace,
            detector.metric,
            detector.dimensions,
            series.period_seconds,
            series.timestamps,
            series.values,
        )
        self._lambda = aws.client("lambda")
        self._store = LiveStore(Bucket(aws.client("s3"), self._base.outputs["DataBucketName"]))
        self._registry = Registry(aws.client("dynamodb"), self._base.outputs["RegistryTableName"])
        self._result = LiveReplay()
        self._mails = 0

    def steps(self, live_from: datetime) -> list[tuple[datetime, Callable[[], None]]]:
        """Return what happens when, in the order of time."""
        batch = [(run.at + _DATA_DELAY, self._batch(run)) for run in self._runs]
        every = timedelta(minutes=self._minutes)
        count = (self._series.end - live_from) // every + 1
        first = live_from + _AFTER_THE_BOUNDARY
        live = [(first + number * every, self._run_live) for number in range(count)]
        timed = [(at, self._at(at, act)) for at, act in (*batch, *live)]
        return sorted(timed, key=lambda step: step[0])

    def _at(self, at: datetime, act: Callable[[], None]) -> Callable[[], None]:
        def acted() -> None:
            self._aws.clock.move_to(at)
            act()
            self._note_mails()

        return acted

    def _batch(self, run: ScheduledRun) -> Callable[[], None]:
        def execute() -> None:
            (execution,) = self._base.fire(f"{run.kind.capitalize()}Rule", at=run.at + _DATA_DELAY)
            ended = execution.wait(timeout=_EXECUTION_TIMEOUT)
            if ended.status != "SUCCEEDED":
                raise ReplayError(
                    f"{run.kind} of {run.at:%Y-%m-%d %H:%M} UTC failed: {ended.cause}"
                )

        return execute

    def _run_live(self) -> None:
        answer = self._lambda.invoke(
            FunctionName=self._live.outputs["ScoreMetricsFunction"], Payload=b"{}"
        )
        content: Any = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise ReplayError(
                f"the live run of {self._aws.clock.now():%Y-%m-%d %H:%M} UTC failed: {content}"
            )
        self._result.live_runs += 1

    def _note_mails(self) -> None:
        """Measure the delay of each new mail about an incident that live detection notified."""
        mails = self._aws.mails.all()
        new, self._mails = mails[self._mails :], len(mails)
        for mail in new:
            if not (_NEWS.match(mail.subject) and "now." in mail.text.partition("\n")[0]):
                continue
            sent, begun = datetime.fromisoformat(mail.at).astimezone(UTC), _begins(mail.text)
            self._result.delays += [
                (sent - self._cause(each.event, mail.text)).total_seconds()
                for state in self._store.load(0).bucket.states.values()
                for each in state.incidents.values()
                if f"{each.event.begins:%Y-%m-%d %H:%M}" in begun
            ]

    def _cause(self, event: AnomalyEvent, text: str) -> datetime:
        """Return the end of the datapoint that a mail is about: the incident's first, or the one that made it more severe."""
        period = timedelta(seconds=self._detector.period)
        if "more severe" in text:
            return parse_timestamp(event.peak_time) + period
        return event.begins + period

    def result(self) -> LiveReplay:
        """Return what was found and how it was notified."""
        series, registry = self._series, self._registry
        found = registry.events.between(series.start, series.end)
        claims = registry.claims.between(self._detector.name, series.start, series.end)
        self._result.events = [each.event for each in reversed(found)]
        self._result.notified_live = {each.event.id for each in claims if each.owner == LIVE}
        self._result.notified_twice = repeated(mailed_news(self._aws.mails.all()))
        return self._result


def _begins(text: str) -> list[str]:
    """Return the beginnings of the incidents that a mail lists."""
    return _BEGINS.findall(text)


def mailed_news(mails: Iterable["Mail"]) -> list[tuple[str, list[str]]]:
    """Return the severity of each mail about incidents that began or became more severe, with their beginnings."""
    return [
        (match[1], _begins(mail.text)) for mail in mails if (match := _NEWS.match(mail.subject))
    ]


def repeated(mails: Sequence[tuple[str, Sequence[str]]]) -> int:
    """Count how often an incident was mailed again at no higher severity; each mail has its severity and the beginnings."""
    known: dict[str, int] = {}
    again = 0
    for severity, begins in mails:
        rank = SEVERITIES.index(severity)
        for begin in begins:
            again += rank <= known.get(begin, -1)
            known[begin] = max(rank, known.get(begin, -1))
    return again
