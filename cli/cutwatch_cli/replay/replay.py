"""Replay of the schedule over a metric's history, through the deployed state machines on a local AWS."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.metric_names import ANOMALY, ANOMALY_SCORE
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import run_id
from cutwatch.timestamps import parse_timestamp
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.application import deploy
from cutwatch_cli.replay.schedule import ScheduledRun, schedule
from localaws import LocalAws, Stack

# A replayed history is complete; no datapoints arrive late.
_PARAMETERS = {"DataDelayMinutes": "0"}
_EXECUTION_TIMEOUT = 120.0
# Seconds between the times that a published datapoint can have.
_RESOLUTION = 60

Progress = Callable[[ScheduledRun, int, int], None]


class ReplayError(Exception):
    """One line that names the run that failed, and the reason."""


@dataclass
class Replay:
    """Published values per datapoint (NaN or None where nothing was published), and the outcomes of the runs."""

    scores: npt.NDArray[np.float64]
    anomalies: list[int | None]
    cutoffs: list[tuple[datetime, float]] = field(default_factory=list)
    trained_until: list[datetime] = field(default_factory=list)
    outcomes: list[tuple[ScheduledRun, Outcome]] = field(default_factory=list)
    incidents: dict[str, AnomalyEvent] = field(default_factory=dict)

    @property
    def events(self) -> list[AnomalyEvent]:
        """Incidents in chronological order, merged across windows."""
        return sorted(self.incidents.values(), key=lambda event: event.begins)


def replay(
    series: MetricSeries,
    detector: Detector,
    training_time: timedelta,
    progress: Progress = lambda *_: None,
) -> Replay:
    """Run trainings and transforms over the whole history. Raises `ReplayError` if an execution fails."""
    runs = schedule(series.start, series.end, training_time)
    count = len(series.values)
    result = Replay(np.full(count, np.nan), [None] * count)
    with LocalAws() as aws:
        aws.clock.move_to(runs[0].at)
        stack = deploy(aws, [detector], _PARAMETERS)
        aws.cloudwatch.load_series(
            detector.namespace,
            detector.metric,
            detector.dimensions,
            series.period_seconds,
            series.timestamps,
            series.values,
        )
        registry = Registry(aws.client("dynamodb"), stack.outputs["RegistryTableName"])
        for number, run in enumerate(runs):
            progress(run, number, len(runs))
            scored_from = registry.detectors.get(detector.name).published_through or runs[0].at
            aws.clock.move_to(run.at)
            outcome = _execute(stack, registry, detector, run)
            result.outcomes.append((run, outcome))
            _record_training(registry, detector, result)
            if run.kind == "transform" and outcome.status == "PUBLISHED":
                if outcome.cutoff is not None:
                    result.cutoffs.append((scored_from, outcome.cutoff))
                # Now, for the registry forgets them after a year.
                found = registry.events.between(scored_from, run.at)
                result.incidents |= {each.event.id: each.event for each in found}
        _read_back(aws, stack, detector, series, result)
    return result


def _execute(stack: Stack, registry: Registry, detector: Detector, run: ScheduledRun) -> Outcome:
    (execution,) = stack.fire(f"{run.kind.capitalize()}Rule", at=run.at)
    ended = execution.wait(timeout=_EXECUTION_TIMEOUT)
    outcome = registry.outcomes.get(run_id(run.kind, run.at.replace(microsecond=0)), detector.name)
    if outcome is None or outcome.status == "FAILED" or ended.status != "SUCCEEDED":
        failed = outcome is not None and outcome.status == "FAILED"
        reason = outcome.message if outcome and failed else f"{ended.status}: {ended.cause}"
        raise ReplayError(f"{run.kind} of {run.at:%Y-%m-%d %H:%M} UTC failed: {reason}")
    return outcome


def _record_training(registry: Registry, detector: Detector, result: Replay) -> None:
    models = registry.detectors.get(detector.name).models
    if models and (until := parse_timestamp(models[0].trained_through)) not in result.trained_until:
        result.trained_until.append(until)


def _read_back(
    aws: LocalAws, stack: Stack, detector: Detector, series: MetricSeries, result: Replay
) -> None:
    """Read all published metrics by the back door: as on AWS, those of the last window cannot be queried yet."""
    for name in (ANOMALY, ANOMALY_SCORE):
        published = aws.cloudwatch.stored_series(
            stack.outputs["AnomalyNamespace"], name, {"Detector": detector.name}, _RESOLUTION
        )
        for time, value in published.items():
            position = int((time - series.start).total_seconds()) // series.period_seconds
            if not 0 <= position < len(result.anomalies):
                continue
            if name == ANOMALY_SCORE:
                result.scores[position] = value
            else:
                result.anomalies[position] = int(value)
