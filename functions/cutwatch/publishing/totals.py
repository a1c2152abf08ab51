"""The totals of a run as metrics."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cutwatch.aws.cloudwatch import Datum, datum, publish
from cutwatch.metric_names import (
    ANOMALOUS_DATAPOINTS,
    ANOMALOUS_DATAPOINTS_TOGETHER,
    DETECTORS_FAILED,
    DETECTORS_WITHOUT_DATA,
    FAILED_RUNS_NOTIFIED,
    LIVE_MISSED,
    MAX_ANOMALY_SCORE,
    NEW_EVENTS,
)
from cutwatch.runs.summary import Summary

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# The period of the alarms on failed executions.
_ALARM_PERIOD = timedelta(minutes=5)


def publish_totals(
    cloudwatch: "CloudWatchClient", namespace: str, summary: Summary, now: datetime
) -> None:
    """Publish totals without dimensions at the time `now`: alarms ignore datapoints of the past."""
    publish(cloudwatch, namespace, _totals(summary, now))


def _totals(summary: Summary, now: datetime) -> list[Datum]:
    outcomes = summary.outcomes
    totals = {
        DETECTORS_FAILED: len(summary.failed),
        DETECTORS_WITHOUT_DATA: sum(outcome.status == "NO_DATA" for outcome in outcomes),
    }
    if summary.run.kind == "transform":
        totals[ANOMALOUS_DATAPOINTS] = sum(outcome.anomalous_datapoints for outcome in outcomes)
        totals[NEW_EVENTS] = sum(outcome.new_events for outcome in outcomes)
    missed = [o.live_missed for o in outcomes if o.live_missed is not None]
    if missed:
        totals[LIVE_MISSED] = sum(missed)
    largest: dict[str, list[float | None]] = {
        MAX_ANOMALY_SCORE: [outcome.max_anomaly_score for outcome in outcomes],
        ANOMALOUS_DATAPOINTS_TOGETHER: [outcome.datapoints_together for outcome in outcomes],
    }
    known = {name: [v for v in values if v is not None] for name, values in largest.items()}
    maxima = {name: max(values) for name, values in known.items() if values}
    return [datum(name, value, now) for name, value in (totals | maxima).items()]


def publish_failure(
    cloudwatch: "CloudWatchClient", namespace: str, summary: Summary, stack: str, now: datetime
) -> None:
    """Publish that people were notified of a failed run, so that the alarm on failed executions leaves it out.

    `now` is the present time. Publish it for the next period too: the execution ends within minutes, and the windows of
    alarms move.
    """
    dimensions = {"Run": summary.run.kind, "Stack": stack}
    times = (now, now + _ALARM_PERIOD)
    publish(cloudwatch, namespace, [datum(FAILED_RUNS_NOTIFIED, 1, at, dimensions) for at in times])
