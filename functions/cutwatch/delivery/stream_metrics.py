"""Metrics of a stream, stamped now: a replay of old records does not ring.

They are written as lines of CloudWatch's embedded metric format, with the dimension `Stream`.
"""

from collections.abc import Mapping
from math import inf

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from cutwatch.delivery.news import news_since
from cutwatch.detectors.stream import Stream
from cutwatch.metric_names import (
    ANOMALY,
    ANOMALY_SCORE,
    BATCHES_NOT_COMMITTED,
    KEYS_EVICTED,
    KEYS_UNAIDED,
    RECORDS_APPLIED,
    RECORDS_DUPLICATE,
    RECORDS_FAILED,
    RECORDS_LATE,
    RECORDS_REJECTED,
    UNDELIVERED,
)
from cutwatch.streams.batch import BatchReport


def emit(namespace: str, stream: Stream, report: BatchReport) -> None:
    """Write the metrics of a batch; `Anomaly` is 1 if one of its rows is news and belongs to an incident.

    `BatchesNotCommitted` is 1 if a state could not be read or written, and 0 if another environment was only faster.
    `KeysWithoutColdStart` has datapoints only where keys lack the forest that they should begin with.
    """
    more = {BATCHES_NOT_COMMITTED: int(bool(report.refused()))}
    if unaided := report.total("unaided"):
        more[KEYS_UNAIDED] = unaided
    _emit(namespace, "Stream", stream.name, report, more, news_since(stream))


def emit_ended(namespace: str, dimension: str, name: str) -> None:
    """Write that a stream or table has no incident: those that it had ended without a record."""
    metrics = EphemeralMetrics(namespace=namespace, service="")
    metrics.add_dimension(dimension, name)
    metrics.add_metric(ANOMALY, MetricUnit.Count, 0)
    metrics.add_metric(ANOMALY_SCORE, MetricUnit.NoUnit, 0)
    metrics.flush_metrics()


def emit_table(namespace: str, table: str, report: BatchReport) -> None:
    """Write the metrics of a batch of a table's changes, with the dimension `Table`."""
    _emit(namespace, "Table", table, report, {})


def _emit(
    namespace: str,
    dimension: str,
    name: str,
    report: BatchReport,
    more: Mapping[str, int],
    since: float = -inf,
) -> None:
    metrics = EphemeralMetrics(namespace=namespace, service="")
    metrics.add_dimension(dimension, name)
    scored = [row for row in report.rows() if not row.learning]
    if scored:
        is_anomalous = any(row.incident and row.time >= since for row in scored)
        metrics.add_metric(ANOMALY, MetricUnit.Count, int(is_anomalous))
        metrics.add_metric(ANOMALY_SCORE, MetricUnit.NoUnit, max(row.score for row in scored))
    rejected = sum(len(result.rejected) for result in report.results)
    counts = {
        RECORDS_APPLIED: report.total("accepted") + report.total("late") + rejected,
        RECORDS_LATE: report.total("late"),
        RECORDS_REJECTED: rejected,
        RECORDS_DUPLICATE: report.total("duplicates"),
        RECORDS_FAILED: len(report.failed),
        KEYS_EVICTED: sum(len(result.evicted) for result in report.results),
        UNDELIVERED: len(report.undelivered),
    }
    for metric, number in {**counts, **more}.items():
        metrics.add_metric(metric, MetricUnit.Count, number)
    metrics.flush_metrics()
