"""GetMetricStatistics: several statistics of one metric."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localaws.api_response import ApiError
from localaws.cloudwatch.metric_queries import check_period
from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.reading import Reader, Window
from localaws.cloudwatch.statistics import check_statistic

_MAX_DATAPOINTS = 1_440


def get_metric_statistics(parameters: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    for name in ("Namespace", "MetricName", "StartTime", "EndTime", "Period"):
        if name not in parameters:
            raise ApiError("MissingParameter", f"The parameter {name} is required.")
    period = parameters["Period"]
    check_period(period)
    window = Window.of(parameters["StartTime"], parameters["EndTime"])
    if window.start >= window.end:
        raise ApiError(
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        )
    requested = int((window.end - window.start) / period)
    if requested > _MAX_DATAPOINTS:
        raise ApiError(
            "InvalidParameterCombination",
            f"You have requested up to {requested:,} datapoints, which exceeds the limit of "
            f"{_MAX_DATAPOINTS:,}. You may reduce the datapoints requested by increasing Period, or "
            "decreasing the time range.",
        )
    return {
        "Label": parameters["MetricName"],
        "Datapoints": _datapoints(parameters, reader, period, window),
    }


def _datapoints(
    parameters: Mapping[str, Any], reader: Reader, period: int, window: Window
) -> list[dict[str, Any]]:
    simple = parameters.get("Statistics", [])
    extended = parameters.get("ExtendedStatistics", [])
    if not simple and not extended:
        raise ApiError(
            "InvalidParameterCombination",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        )
    key, unit = MetricKey.from_request(parameters), parameters.get("Unit")
    datapoints: dict[int, dict[str, Any]] = {}
    for statistic in (*simple, *extended):
        check_statistic(statistic)
        for time, value in zip(*reader.read(key, statistic, period, window, unit), strict=True):
            datapoint = datapoints.setdefault(
                int(time),
                {"Timestamp": datetime.fromtimestamp(int(time), UTC), "Unit": unit or "None"},
            )
            if statistic in extended:
                datapoint.setdefault("ExtendedStatistics", {})[statistic] = float(value)
            else:
                datapoint[statistic] = float(value)
    return list(datapoints.values())
