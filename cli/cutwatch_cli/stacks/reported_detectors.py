"""What a report tells of a deployed stack's detectors: read from CloudWatch, the registry and the bucket, not changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from cutwatch.console_links import graph_url
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.errors import MalformedObject
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.registry.detector_record import DetectorRecord, Model
from cutwatch.registry.silences import Silence, in_force
from cutwatch.timestamps import parse_timestamp
from cutwatch_cli.report import MOST_DETECTORS, DetectorReport
from cutwatch_cli.report.detector_report import gravity
from cutwatch_cli.report.wording import count, time_in_words
from cutwatch_cli.stacks import run_history as history
from cutwatch_cli.stacks.account import error_code
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.published_datapoints import Datapoints, read_published

# Of transforms, whose outcomes say which cutoff was valid; each costs a query.
_MOST_RUNS = 100
_AT_ONCE = 8
_NAMED = 10

Cutoffs = Mapping[str, Sequence[tuple[datetime, float]]]


@dataclass(frozen=True)
class Reported:
    """The reports of those that could be read, and what is to be said of the others."""

    reports: Sequence[DetectorReport]
    notes: Sequence[str]


@dataclass(frozen=True)
class _Asked:
    """Everything of the stack that its reports share."""

    deployment: Deployment
    since: datetime
    now: datetime
    records: Mapping[str, DetectorRecord]
    events: Mapping[str, Sequence[AnomalyEvent]]


def read_reports(
    deployment: Deployment, names: Sequence[str], since: datetime, now: datetime
) -> Reported:
    """Of the detectors of these names; without names of those with events, the worst `MOST_DETECTORS` of them."""
    registry = deployment.registry
    events: dict[str, list[AnomalyEvent]] = defaultdict(list)
    for each in reversed(registry.events(since, now)):
        events[each.detector].append(each.event)
    asked = _Asked(deployment, since, now, registry.detectors(), events)
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
    return Reported(_reports(asked, kept, read), notes)


def _chosen(asked: _Asked, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The detectors to be reported, worst first, and notes on others."""
    wanted = list(dict.fromkeys(names)) or sorted(
        asked.events, key=lambda name: (-_worst(asked.events[name]), name)
    )
    known = [name for name in wanted if _published(asked, name)]
    notes = [
        f"{name} left out: nothing has been published of it, or it is no longer watched"
        for name in wanted
        if not _published(asked, name)
    ]
    if names or len(known) <= MOST_DETECTORS:
        return known, notes
    rest = known[MOST_DETECTORS:]
    more = f" and {len(rest) - _NAMED:,} more" if len(rest) > _NAMED else ""
    notes.append(
        f"{count(len(rest), 'detector')} with lesser events left out, to be had by name: "
        f"{', '.join(rest[:_NAMED])}{more}"
    )
    return known[:MOST_DETECTORS], notes


def _published(asked: _Asked, name: str) -> bool:
    record = asked.records.get(name)
    return record is not None and record.definition is not None


def _worst(events: Sequence[AnomalyEvent]) -> float:
    return max(map(gravity, events))


def _reports(
    asked: _Asked, watched: Sequence[Detector], found: Mapping[str, Datapoints]
) -> list[DetectorReport]:
    cutoffs = _cutoffs(asked)
    silences = {s.detector: s for s in in_force(asked.deployment.registry.silences(), asked.now)}
    recipes = _recipes(asked, watched)
    return [
        _report(
            asked, detector, found[detector.name], cutoffs, recipes, silences.get(detector.name)
        )
        for detector in watched
    ]


def _report(
    asked: _Asked,
    detector: Detector,
    found: Datapoints,
    cutoffs: Cutoffs,
    recipes: Mapping[str, FeatureRecipe],
    silence: Silence | None,
) -> DetectorReport:
    record = asked.records[detector.name]
    models = sorted(record.models, key=lambda model: model.trained_through)
    trained = [parse_timestamp(model.trained_through) for model in models]
    made = [
        (until, recipes[model.recipe].profile)
        for until, model in zip(trained, models, strict=True)
        if model.recipe in recipes
    ]
    return DetectorReport(
        detector=detector.name,
        title=detector.metric_label,
        start=found.start,
        period_seconds=detector.period,
        values=found.values,
        scores=found.scores,
        anomalies=found.anomalies,
        events=asked.events.get(detector.name, ()),
        cutoffs=cutoffs.get(detector.name, ()),
        usual=made,
        trained_until=[moment for moment in trained if moment >= found.start],
        time_zone=detector.time_zone,
        facts=_facts(detector, record, trained, silence),
        links=_links(asked, detector),
    )


def _links(asked: _Asked, detector: Detector) -> list[str]:
    """Into the console, to the graph of each event."""
    region = asked.deployment.account.region or ""
    return [
        graph_url(
            region,
            detector,
            asked.deployment.namespace,
            parse_timestamp(event.start),
            parse_timestamp(event.end),
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


def _cutoffs(asked: _Asked) -> Cutoffs:
    """Of each detector, from when on which score was anomalous: a transform judges what is new since the one before."""
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


def _recipes(asked: _Asked, watched: Iterable[Detector]) -> dict[str, FeatureRecipe]:
    """By their keys. One that is gone only leaves its expected range out."""
    models = [model for detector in watched for model in asked.records[detector.name].models]
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        read = list(readers.map(lambda model: _recipe(asked.deployment, model), models))
    return {model.recipe: recipe for model, recipe in zip(models, read, strict=True) if recipe}


def _recipe(deployment: Deployment, model: Model) -> FeatureRecipe | None:
    try:
        return FeatureRecipe.from_payload(deployment.bucket.read_json(model.recipe))
    except (MalformedObject, KeyError, TypeError, ValueError):
        return None
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
