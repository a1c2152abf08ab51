"""Outcomes of detectors with too little data to train on or to score, before any job starts."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cutwatch.aws.limits import METRIC_MAX_AGE, metric_retention
from cutwatch.detectors.detector import Detector, Engine
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run, run_id
from cutwatch.timeseries.reader import is_known
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import Window
from cutwatch.timestamps import format_timestamp
from cutwatch.wording import span_in_words

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# Fewer rows do not show the normal behaviour of a metric. SageMaker deals them out to at least 50 trees, and a tree of
# fewer than 4 rows cannot tell them apart: docs/detection.md has the measurement.
MINIMUM_TRAINING_ROWS: dict[Engine, int] = {"lambda": 100, "sagemaker": 200}


def up_to_date(detector: Detector, published_through: datetime | None, window: Window) -> Outcome:
    """Return the outcome of a detector without a datapoint that can still be published up to the end of its window."""
    through = format_timestamp(published_through) if published_through else "its training data"
    if published_through and published_through < window.end:
        until, days = format_timestamp(window.end), METRIC_MAX_AGE.days
        reason = (
            f"all from {through} to {until} is older than the {days} days that CloudWatch accepts"
        )
        return Outcome(detector.name, "UP_TO_DATE", f"nothing to publish: {reason}")
    return Outcome(detector.name, "UP_TO_DATE", f"nothing to publish since {through}")


def no_longer_kept(detector: Detector, end: datetime) -> Outcome:
    """Return the outcome of a history that lies wholly beyond CloudWatch's retention."""
    period = span_in_words(timedelta(seconds=detector.period))
    return Outcome(
        detector.name,
        "TOO_LITTLE_HISTORY",
        f"{detector.metric_label}: CloudWatch keeps datapoints of {period} for {metric_retention(detector.period).days} days, "
        f"and training ends before that, at {format_timestamp(end)}",
    )


def untrained(registry: Registry, run: Run, detector: Detector, failed: str | None) -> Outcome:
    """Return the outcome of a detector without a model, from the outcome of its training on demand.

    `failed` is the reason for which that training failed as a whole; None if it did not.
    """
    training = run_id("training", run.scheduled, on_demand=True)
    reason = registry.outcomes.get(training, detector.name)
    if reason is None:
        why = f"failed: {failed}" if failed else "left no outcome"
        return Outcome(detector.name, "FAILED", f"no usable model, and {training} {why}")
    return Outcome(detector.name, reason.status, f"no model yet: {reason.message}")


def why_not_train(detector: Detector, observed: Series, rows: int) -> Outcome | None:
    """Return the outcome of a history that is too short to train on; None if it is long enough."""
    needed = MINIMUM_TRAINING_ROWS[detector.engine]
    if rows >= needed:
        return None
    enough = MINIMUM_TRAINING_ROWS["lambda"]
    hint = f"; with engine: lambda it needs {enough}" if enough <= rows else ""
    return Outcome(
        detector.name,
        "TOO_LITTLE_HISTORY",
        f"{detector.metric_label}: {rows} complete rows from {observed.reported} datapoints "
        f"before {format_timestamp(observed.end)}; training needs {needed}{hint}",
    )


def why_not_score(
    cloudwatch: "CloudWatchClient", detector: Detector, window: Window, observed: Series, rows: int
) -> Outcome | None:
    """Return the outcome of a window without rows to score; None if there are rows or if gaps count as anomalies."""
    if rows or detector.missing_data == "anomalous":
        return None
    reported = observed.since(window.start).reported
    if reported == 0:
        return no_data(cloudwatch, detector, window)
    return Outcome(
        detector.name,
        "NO_DATA",
        f"{reported} datapoints from {format_timestamp(window.start)} to {format_timestamp(window.end)}, "
        f"none outside exclusions with {detector.shingle_size} in a row",
    )


def no_data(cloudwatch: "CloudWatchClient", detector: Detector, window: Window) -> Outcome:
    """Return the outcome of a window without a datapoint."""
    label = detector.metric_label
    if is_known(cloudwatch, detector):
        sentence = f"CloudWatch has no datapoints of {label}"
    else:
        sentence = (
            f"CloudWatch knows no metric {label}, or it has been silent for two weeks; "
            "check namespace, metric and dimensions"
        )
    asked = f"{format_timestamp(window.start)} to {format_timestamp(window.end)}"
    return Outcome(detector.name, "NO_DATA", f"{sentence} (asked for {asked})")
