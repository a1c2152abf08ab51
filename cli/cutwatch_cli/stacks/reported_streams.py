"""Reports of a deployed stack's streams: scores from CloudWatch, incidents from the registry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import numpy as np

from cutwatch.aws.limits import metric_retention
from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.errors import CutwatchError
from cutwatch.metric_names import ANOMALY, ANOMALY_SCORE
from cutwatch.registry.silences import Silence, in_force
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.reader import read_many
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import floor_to_period, format_timestamp
from cutwatch.wording import count
from cutwatch_cli.report import DetectorReport
from cutwatch_cli.report.detector_report import STREAM_WORDS
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.published_datapoints import TranslatingCloudWatch
from cutwatch_cli.stacks.recent_incidents import begins, key_in_words, leading_column
from cutwatch_cli.stacks.reported_detectors import Reported

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# CloudWatch keeps datapoints of these periods for 15, 63 and 455 days.
_PERIODS = (60, 300, 3_600)
# A chart is drawn at a longer period if fewer of its periods have a datapoint.
_LEAST_SHARE = 0.5
_MOST_INCIDENTS = 200
_METRICS = (ANOMALY_SCORE, ANOMALY)


@dataclass(frozen=True, eq=False)
class _Scores:
    """The highest score and the incident flag of each period (n,), NaN where no row was scored."""

    start: datetime
    period: int
    scores: Floats
    flags: Floats


def read_stream_reports(
    deployment: Deployment,
    streams: Mapping[str, str],
    incidents: Sequence[RecordedIncident],
    names: Sequence[str],
    since: datetime,
    now: datetime,
    *,
    tables: Collection[str] = (),
) -> Reported:
    """Read the named streams; without names, those with incidents. `streams` are ARNs by name, `incidents` newest first.

    `tables` are the names of those that are watched tables, whose metrics have another dimension.
    """
    wanted = list(dict.fromkeys(names)) or sorted({each.stream for each in incidents})
    silences = {each.detector: each for each in in_force(deployment.registry.silences.all(), now)}
    reports, notes = [], []
    for name, found in _read(deployment, wanted, since, now, tables).items():
        if isinstance(found, CutwatchError):
            notes.append(f"{name} left out: {found}")
            continue
        own = [each for each in incidents if each.stream == name]
        shown = sorted(own, key=lambda each: -each.incident.severity)[:_MOST_INCIDENTS]
        if left_out := len(own) - len(shown):
            notes.append(f"{name}: {count(left_out, 'less severe incident')} left out")
        source = streams.get(name, "its stack was deleted")
        reports.append(_report(name, source, found, shown, silences.get(name)))
    return Reported(reports, notes)


def _report(
    name: str,
    source: str,
    found: _Scores,
    incidents: Sequence[RecordedIncident],
    silence: Silence | None,
) -> DetectorReport:
    ordered = sorted(incidents, key=lambda each: each.incident.begin_time)
    facts = [("Source", source)]
    if silence:
        facts.append(("Silenced until", f"{silence.until:%Y-%m-%d %H:%M}: {silence.reason}"))
    return DetectorReport(
        detector=name,
        title="Highest score of the stream's records, and whether one of them belongs to an incident",
        start=found.start,
        period_seconds=found.period,
        values=found.scores,
        scores=found.flags,
        anomalies=[None if np.isnan(flag) else int(flag) for flag in found.flags.tolist()],
        events=[_event(each) for each in ordered],
        facts=facts,
        axis="Anomaly score",
        words=STREAM_WORDS,
        keys=[key_in_words(each.incident) for each in ordered],
        unended={place for place, each in enumerate(ordered) if not each.ended},
    )


def _event(recorded: RecordedIncident) -> AnomalyEvent:
    """Return an incident as an event of the column with the largest attribution, which is its driver."""
    incident, leading = recorded.incident, leading_column(recorded.incident)
    value, low, high = leading.expected or (None, None, None)
    return AnomalyEvent(
        id=incident.id,
        start=format_timestamp(begins(incident)),
        end=_time(incident.last_time),
        peak_time=_time(incident.peak_time),
        datapoints=incident.rows,
        severity=incident.severity,
        score=incident.score,
        value=leading.value,
        expected=value,
        expected_low=low,
        expected_high=high,
        driver=leading.column,
    )


def _time(epoch: float) -> str:
    return format_timestamp(datetime.fromtimestamp(epoch, UTC))


def _read(
    deployment: Deployment,
    names: Sequence[str],
    since: datetime,
    now: datetime,
    tables: Collection[str],
) -> dict[str, _Scores | CutwatchError]:
    """Read the published metrics of streams at the shortest period that CloudWatch keeps for that long."""
    period = next((each for each in _PERIODS if now - since < metric_retention(each)), _PERIODS[-1])
    start = floor_to_period(since, _PERIODS[-1])
    metrics = [
        Detector(
            name=f"{number}.{metric}",
            namespace=deployment.namespace,
            metric=metric,
            statistic="Maximum",
            dimensions={"Table" if name in tables else "Stream": name},
            period=period,
        )
        for number, name in enumerate(names)
        for metric in _METRICS
    ]
    cloudwatch = TranslatingCloudWatch(deployment.account.client("cloudwatch"))
    found = read_many(cast("CloudWatchClient", cloudwatch), metrics, start, now)
    return {
        name: _scores(found[f"{number}.{ANOMALY_SCORE}"], found[f"{number}.{ANOMALY}"], period)
        for number, name in enumerate(names)
    }


def _scores(
    scores: Series | CutwatchError, flags: Series | CutwatchError, period: int
) -> _Scores | CutwatchError:
    if isinstance(scores, CutwatchError):
        return scores
    if isinstance(flags, CutwatchError):
        return flags
    factor = _factor(scores.values, period)
    highest, flagged = _highest(scores.values, factor), _highest(flags.values, factor)
    return _Scores(scores.start, period * factor, highest, flagged)


def _factor(values: Floats, period: int) -> int:
    """Return the number of periods to draw as one, so that most have a datapoint."""
    factors = [longer // period for longer in _PERIODS if longer >= period]
    dense = (each for each in factors if _share(_highest(values, each)) >= _LEAST_SHARE)
    return next(dense, factors[-1])


def _highest(values: Floats, factor: int) -> Floats:
    """Return the highest of every `factor` values (n / factor, rounded up); NaN where there is none."""
    padded = np.full(-(-len(values) // factor) * factor, np.nan)
    padded[: len(values)] = values
    return cast("Floats", np.fmax.reduce(padded.reshape(-1, factor), axis=1))


def _share(values: Floats) -> float:
    """Return the share of periods that have a value, from the first that has one to the last."""
    known = np.flatnonzero(np.isfinite(values))
    return known.size / (known[-1] - known[0] + 1) if known.size else 0.0
