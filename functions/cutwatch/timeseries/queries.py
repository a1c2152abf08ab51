"""The GetMetricData queries of a detector."""

from typing import Any

from cutwatch.aws.cloudwatch import metric_dimensions
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric, prefixed

Query = dict[str, Any]


def result_id(number: int) -> str:
    """Return the Id of a detector's result, by the detector's number in the call."""
    return f"d{number}"


def query_count(detector: Detector) -> int:
    """Return the number of queries that the detector needs."""
    return 1 + len(detector.metrics)


def metric_data_queries(detector: Detector, number: int) -> list[Query]:
    """Return a detector's queries of one call; only the query with the Id `result_id(number)` returns data.

    `number` is unique in a call, from 0 to 499, as validation of expressions assumes.
    """
    result = {"Id": result_id(number), "ReturnData": True}
    if not detector.expression:
        return [result | metric_stat(detector.sources[0], detector.period)]
    prefix = f"{result_id(number)}_"
    expression = prefixed(detector.expression, detector.metrics, prefix)
    return [
        result | {"Expression": expression, "Period": detector.period},
        *(
            {"Id": f"{prefix}{name}", "ReturnData": False} | metric_stat(metric, detector.period)
            for name, metric in detector.metrics.items()
        ),
    ]


def metric_stat(metric: SourceMetric, period: int) -> Query:
    """Return a query's `MetricStat`."""
    return {
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.metric,
                "Dimensions": metric_dimensions(metric.dimensions),
            },
            "Period": period,
            "Stat": metric.statistic,
        }
    }
