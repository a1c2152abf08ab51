"""The GetMetricData queries of a detector."""

from typing import Any

from cutwatch.aws.cloudwatch import metric_dimensions
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric, prefixed

Query = dict[str, Any]


def result_id(number: int) -> str:
    """The Id of the result of a call's detector with this number."""
    return f"d{number}"


def query_count(detector: Detector) -> int:
    """How many of a call's queries the detector takes."""
    return 1 + len(detector.metrics)


def metric_data_queries(detector: Detector, number: int) -> list[Query]:
    """What one call asks for a detector; only the query with the Id `result_id(number)` returns data.

    Numbers tell the detectors of a call apart. They run from 0 to 499, as validation of expressions assumes.
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
    """What a query asks of one metric."""
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
