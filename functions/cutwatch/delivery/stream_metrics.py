"""Metrics of a stream, stamped now: a replay of old records does not ring.

They are written as lines of CloudWatch's embedded metric format, with the dimension `Stream`.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from cutwatch.metric_names import (
    ANOMALY,
    ANOMALY_SCORE,
    KEYS_EVICTED,
    RECORDS_APPLIED,
    RECORDS_DUPLICATE,
    RECORDS_LATE,
    RECORDS_REJECTED,
    UNDELIVERED,
)
from cutwatch.streams.batch import BatchReport


def emit(namespace: str, stream: str, report: BatchReport) -> None:
    """Write the metrics of a batch; `Anomaly` is 1 if one of its rows belongs to an incident."""
    metrics = EphemeralMetrics(namespace=namespace, service="")
    metrics.add_dimension("Stream", stream)
    scored = [row for row in report.rows() if not row.learning]
    if scored:
        metrics.add_metric(ANOMALY, MetricUnit.Count, int(any(row.incident for row in scored)))
        metrics.add_metric(ANOMALY_SCORE, MetricUnit.NoUnit, max(row.score for row in scored))
    rejected = sum(len(result.rejected) for result in report.results)
    counts = {
        RECORDS_APPLIED: report.total("accepted") + report.total("late") + rejected,
        RECORDS_LATE: report.total("late"),
        RECORDS_REJECTED: rejected,
        RECORDS_DUPLICATE: report.total("duplicates"),
        KEYS_EVICTED: sum(len(result.evicted) for result in report.results),
        UNDELIVERED: len(report.undelivered),
    }
    for name, number in counts.items():
        metrics.add_metric(name, MetricUnit.Count, number)
    metrics.flush_metrics()
