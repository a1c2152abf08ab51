"""Publishing: scores to 0/1 and score per datapoint, a summary stamped "now", the watermark, the outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.aws_limits import METRIC_MAX_AGE
from cutwatch.bucket import Bucket
from cutwatch.cutoff import Cutoff
from cutwatch.detector import Detector
from cutwatch.errors import NotFound
from cutwatch.metrics import (
    ANOMALOUS_DATAPOINTS,
    ANOMALY,
    ANOMALY_SCORE,
    MAX_ANOMALY_SCORE,
    Datum,
    datum,
    publish,
)
from cutwatch.moments import format_moment, parse_moment
from cutwatch.outcomes import Anomaly, Outcome
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.series import Series
from cutwatch.storage import find_description, read_epochs, read_scores

_LISTED_ANOMALIES = 20


@dataclass(frozen=True, eq=False)
class JudgedWindow:
    """What is published of a window: epoch seconds, 0/1, and scores (NaN where a gap itself is the anomaly), each (n,)."""

    epochs: NDArray[np.int64]
    anomalies: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def max_score(self) -> float | None:
        """The highest score, if anything was scored."""
        return None if np.isnan(self.scores).all() else float(np.nanmax(self.scores))

    def since(self, epoch: int) -> "JudgedWindow":
        """The part from this epoch second on."""
        keep = self.epochs >= epoch
        return JudgedWindow(self.epochs[keep], self.anomalies[keep], self.scores[keep])


def publish_window(
    cloudwatch: Any,
    registry: Registry,
    bucket: Bucket,
    run: Run,
    dataset: Mapping[str, Any],
    scores_prefix: str | None,
    namespace: str,
    now: datetime,
) -> Outcome:
    """Judge a scored window and publish it; `scores_prefix` is None where there was nothing to score.

    Datapoints that have become too old for CloudWatch are counted in the outcome's message, not published.
    """
    description = find_description(bucket, dataset["prefix"])
    if description is None:
        raise NotFound("GetObject", "NoSuchKey", f"no dataset below {dataset['prefix']}")
    epochs, scores = np.empty(0, np.int64), np.empty(0)
    if scores_prefix is not None:
        epochs = read_epochs(bucket, dataset["prefix"])
        scores = read_scores(bucket, scores_prefix, dataset["files"], dataset["rows"])
    observed = observed_series(description)
    judged = judge(description, observed, epochs, scores)
    publishable = judged.since(int((now - METRIC_MAX_AGE).timestamp()) + 60)
    lost = description["lost_periods"] + len(judged.epochs) - len(publishable.epochs)
    outcome = _outcome(description, observed, publishable, lost)
    datums = _datapoint_datums(publishable, outcome.detector) + summary_datums(outcome, run.moment)
    publish(cloudwatch, namespace, datums)
    registry.record_outcome(run.id, run.moment, outcome)
    registry.advance_watermark(outcome.detector, parse_moment(description["end"]))
    return outcome


def observed_series(description: Mapping[str, Any]) -> Series:
    """The series a dataset was made from, gaps as NaN."""
    values = np.array([np.nan if v is None else v for v in description["values"]], np.float64)
    start = parse_moment(description["series_start"])
    return Series(start, description["detector"]["period"], values)


def judge(
    description: Mapping[str, Any],
    observed: Series,
    epochs: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> JudgedWindow:
    """0/1 for every row of the window (lead-in left out) and, under `anomalous`, for every gap in it."""
    detector = Detector.from_payload(description["detector"])
    start = int(parse_moment(description["start"]).timestamp())
    scored = JudgedWindow(epochs, np.zeros(len(epochs), np.int64), scores).since(start)
    anomalies = _cutoff(description, scored.scores).judge(scored.scores)
    if detector.missing_data != "anomalous":
        return JudgedWindow(scored.epochs, anomalies, scored.scores)
    gaps = observed.epochs[observed.missing & (observed.epochs >= start)]
    all_epochs = np.concatenate([scored.epochs, gaps])
    order = np.argsort(all_epochs, kind="stable")
    return JudgedWindow(
        all_epochs[order],
        np.concatenate([anomalies, np.ones(len(gaps), np.int64)])[order],
        np.concatenate([scored.scores, np.full(len(gaps), np.nan)])[order],
    )


def _cutoff(description: Mapping[str, Any], scores: NDArray[np.float64]) -> Cutoff:
    frozen = Cutoff.from_payload(description["cutoff"])
    if description["cutoff_method"] == "training" or not len(scores):
        return frozen
    return Cutoff.of_scores(scores, frozen.sigmas)


def _outcome(
    description: Mapping[str, Any], observed: Series, judged: JudgedWindow, lost: int
) -> Outcome:
    anomalous = int(judged.anomalies.sum())
    message = f"{anomalous} of {len(judged.epochs)} datapoints anomalous"
    if lost:
        message += f"; {lost} datapoints lost, older than the two weeks that CloudWatch accepts"
    return Outcome(
        detector=description["detector"]["name"],
        status="PUBLISHED",
        message=message,
        datapoints=len(judged.epochs),
        anomalous_datapoints=anomalous,
        max_anomaly_score=judged.max_score,
        anomalies=tuple(_anomalies(observed, judged))[:_LISTED_ANOMALIES],
    )


def _anomalies(observed: Series, judged: JudgedWindow) -> list[Anomaly]:
    """Runs of anomalous datapoints, most anomalous first; one quiet datapoint ends a run."""
    positions = np.flatnonzero(judged.anomalies)
    breaks = np.flatnonzero(np.diff(judged.epochs[positions]) > observed.period) + 1
    runs = [run for run in np.split(positions, breaks) if len(run)]
    found = [_anomaly(observed, judged, run) for run in runs]
    return sorted(found, key=lambda anomaly: -(anomaly.peak_score or np.inf))


def _anomaly(observed: Series, judged: JudgedWindow, run: NDArray[np.intp]) -> Anomaly:
    scores = judged.scores[run]
    scored = ~np.isnan(scores)
    peak = run[int(np.nanargmax(scores))] if scored.any() else run[0]
    value = observed.values[np.searchsorted(observed.epochs, judged.epochs[peak])]
    return Anomaly(
        start=_iso(judged.epochs[run[0]]),
        end=_iso(judged.epochs[run[-1]]),
        peak_time=_iso(judged.epochs[peak]),
        peak_score=float(judged.scores[peak]) if scored.any() else None,
        peak_value=None if np.isnan(value) else float(value),
        datapoints=len(run),
    )


def _iso(epoch: np.int64) -> str:
    return format_moment(datetime.fromtimestamp(int(epoch), UTC))


def _datapoint_datums(judged: JudgedWindow, detector: str) -> list[Datum]:
    dimensions = {"Detector": detector}
    datums = []
    for epoch, anomaly, score in zip(
        judged.epochs.tolist(), judged.anomalies.tolist(), judged.scores.tolist(), strict=True
    ):
        moment = datetime.fromtimestamp(epoch, UTC)
        datums.append(datum(ANOMALY, anomaly, moment, dimensions))
        if not np.isnan(score):
            datums.append(datum(ANOMALY_SCORE, score, moment, dimensions))
    return datums


def summary_datums(outcome: Outcome, now: datetime) -> list[Datum]:
    """What alarms read, stamped now: alarms never look at back-filled datapoints."""
    dimensions = {"Detector": outcome.detector}
    datums = [datum(ANOMALOUS_DATAPOINTS, outcome.anomalous_datapoints, now, dimensions)]
    if outcome.max_anomaly_score is not None:
        datums.append(datum(MAX_ANOMALY_SCORE, outcome.max_anomaly_score, now, dimensions))
    return datums
