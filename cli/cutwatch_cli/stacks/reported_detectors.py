"""Reports of a deployed stack's detectors, read from CloudWatch, the registry and the bucket."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from cutwatch.console_links import graph_url
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.pending_scores import PendingScores
from cutwatch.registry.silences import Silence, in_force
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import parse_timestamp
from cutwatch.wording import count, time_in_words
from cutwatch_cli.report import MOST_DETECTORS, DetectorReport
from cutwatch_cli.report.detector_report import severity_rank
from cutwatch_cli.report.expected_range import expected_in_windows
from cutwatch_cli.stacks import run_history as history
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.pending import Pending, pending_notes, pending_of
from cutwatch_cli.stacks.published_datapoints import Datapoints, read_published

# Transforms whose outcomes are read for their cutoffs; each costs a query.
_MOST_RUNS = 100
_AT_ONCE = 8
_NAMED = 10

Cutoffs = Mapping[str, Sequence[tuple[datetime, float]]]


@dataclass(frozen=True)
class Reported:
    """Reports of readable detectors, and notes about the others."""

    reports: Sequence[DetectorReport]
    notes: Sequence[str]


@dataclass(frozen=True)
class _StackData:
    """Data of the stack that all its reports share."""

    deployment: Deployment
    since: datetime
    now: datetime
    records: Mapping[str, DetectorRecord]
    events: Mapping[str, Sequence[AnomalyEvent]]


def read_reports(
    deployment: Deployment, names: Sequence[str], since: datetime, now: datetime
) -> Reported:
    """Read the named detectors; without names, the worst `MOST_DETECTORS` of those with events."""
    registry = deployment.registry
    events: dict[str, list[AnomalyEvent]] = defaultdict(list)
    for each in reversed(registry.events.between(since, now)):
        events[each.detector].append(each.event)
    asked = _StackData(deployment, since, now, registry.detectors.all(), events)
    chosen, notes = _chosen(asked, names)
    watched = [detector for name in chosen if (detector := asked.records[name].detector)]
    if not watched:
        return Reported([], notes)
    found = read_published(
        deployment.account.client("cloudwatch"), deployment.namespace, watched, since, now
    )
    failures = {name: each for name, each in found.items() if isinstance(each, Exception)}
    read = {name: each for name, each in found.items() if isinstance(each, Datapoints)}
    notes += [f"{name} left out: {failure}" for name, failure in failures.items()]
    kept = [detector for detector in watched if detector.name in read]
    pending = {
        detector.name: pending_of(
            read[detector.name], asked.records[detector.name], detector.period, since, now
        )
        for detector in kept
    }
    return Reported(_reports(asked, kept, read, pending), notes + pending_notes(pending))


def _chosen(asked: _StackData, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Choose the detectors to report, worst first, and write notes about the others."""
    wanted = list(dict.fromkeys(names)) or sorted(
        asked.events, key=lambda name: (-_worst(asked.events[name]), name)
    )
    known = [name for name in wanted if _published(asked, name)]
    notes = [
        f"{name} left out: nothing published, or no longer in detectors.yaml"
        for name in wanted
        if not _published(asked, name)
    ]
    if names or len(known) <= MOST_DETECTORS:
        return known, notes
    rest = known[MOST_DETECTORS:]
    more = f" and {len(rest) - _NAMED:,} more" if len(rest) > _NAMED else ""
    notes.append(
        f"{count(len(rest), 'detector')} with less severe events left out; name them to show them: "
        f"{', '.join(rest[:_NAMED])}{more}"
    )
    return known[:MOST_DETECTORS], notes


def _published(asked: _StackData, name: str) -> bool:
    record = asked.records.get(name)
    return record is not None and record.definition is not None


def _worst(events: Sequence[AnomalyEvent]) -> float:
    return max(map(severity_rank, events))


def _reports(
    asked: _StackData,
    watched: Sequence[Detector],
    found: Mapping[str, Datapoints],
    pending: Pending,
) -> list[DetectorReport]:
    cutoffs = _cutoffs(asked)
    silences = {
        s.detector: s for s in in_force(asked.deployment.registry.silences.all(), asked.now)
    }
    return [
        _report(
            asked,
            detector,
            found[detector.name],
            cutoffs,
            silences.get(detector.name),
            pending[detector.name],
        )
        for detector in watched
    ]


def _report(
    asked: _StackData,
    detector: Detector,
    found: Datapoints,
    cutoffs: Cutoffs,
    silence: Silence | None,
    pending: Sequence[PendingScores],
) -> DetectorReport:
    record = asked.records[detector.name]
    models = sorted(record.models, key=lambda model: model.trained_through)
    trained = [parse_timestamp(model.trained_through) for model in models]
    series = Series(found.start, detector.period, found.values)
    scored = min([_first_scored(found, series), *(each.start for each in pending)])
    events = asked.events.get(detector.name, ())
    found = found.with_events(events, detector.period)
    own_cutoffs = [(max(since, scored), cutoff) for since, cutoff in cutoffs.get(detector.name, ())]
    expected = expected_in_windows(series, detector, [since for since, _ in own_cutoffs])
    early = max(int((asked.since - found.start).total_seconds()) // detector.period, 0)
    return DetectorReport(
        detector=detector.name,
        title=detector.metric_label,
        start=series.time_at(early),
        period_seconds=detector.period,
        values=found.values[early:],
        scores=found.scores[early:],
        anomalies=found.anomalies[early:],
        events=events,
        cutoffs=own_cutoffs,
        expected=expected.since(early),
        trained_until=[time for time in trained if time >= asked.since],
        time_zone=detector.time_zone,
        axis=detector.axis_label,
        unit=detector.value_unit,
        facts=_facts(detector, record, trained, silence),
        links=_links(asked, detector),
        pending=[(each.start, each.end) for each in pending],
    )


def _first_scored(found: Datapoints, series: Series) -> datetime:
    """Return the time of the first scored datapoint: a report may begin long before the first window."""
    scored = np.isfinite(found.scores)
    return series.time_at(int(scored.argmax())) if scored.any() else series.end


def _links(asked: _StackData, detector: Detector) -> list[str]:
    """Return console links to the graphs of the events."""
    region = asked.deployment.account.region or ""
    return [
        graph_url(
            region,
            detector,
            asked.deployment.namespace,
            event.begins,
            event.ends,
        )
        for event in asked.events.get(detector.name, ())
    ]


def _facts(
    detector: Detector,
    record: DetectorRecord,
    trained: Sequence[datetime],
    silence: Silence | None,
) -> list[tuple[str, str]]:
    zone = ZoneInfo(detector.time_zone)
    facts: list[tuple[str, str]] = [
        ("Engine", detector.engine),
        ("Sensitivity", detector.sensitivity),
    ]
    if trained:
        facts.append(("Trained until", ", ".join(time_in_words(t, zone) for t in trained)))
    if record.published_through:
        facts.append(("Published through", time_in_words(record.published_through, zone)))
    if silence:
        facts.append(("Silenced until", f"{time_in_words(silence.until, zone)}: {silence.reason}"))
    return facts


def _cutoffs(asked: _StackData) -> Cutoffs:
    """Return the cutoffs by detector, each with the time from which it applied: the end of the previous transform."""
    transforms = [
        run
        for run in history.past_runs(asked.deployment.bucket)
        if run.kind == "transform" and asked.since <= run.scheduled <= asked.now
    ]
    found: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    since: dict[str, datetime] = {}
    ended = history.endings(asked.deployment.registry, transforms[:_MOST_RUNS])
    for run, outcome in sorted(ended, key=lambda ending: ending[0].scheduled):
        if outcome.cutoff is not None:
            found[outcome.detector].append(
                (since.get(outcome.detector, asked.since), outcome.cutoff)
            )
        if outcome.status == "PUBLISHED":
            since[outcome.detector] = run.scheduled - asked.deployment.data_delay
    return found
