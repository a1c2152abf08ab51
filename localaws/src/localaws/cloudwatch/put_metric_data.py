"""PutMetricData with CloudWatch's rules."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from localaws.api_request import service_model
from localaws.api_response import ApiError
from localaws.cloudwatch.metric_store import MetricKey, Sample
from localaws.limits import (
    METRIC_DIMENSION_MAX_LENGTH,
    METRIC_MAX_AGE,
    METRIC_MAX_AHEAD,
    METRIC_MAX_DIMENSIONS,
    METRIC_NAME_MAX_LENGTH,
    PUT_METRIC_DATA_MAX_DATUMS,
    PUT_METRIC_DATA_MAX_VALUES_PER_DATUM,
    RESERVED_NAMESPACE_PREFIX,
    visibility_delay,
)

_LARGEST_VALUE = 2.0**360
_IMPLEMENTED = {"Namespace", "MetricData"}
_KINDS_OF_VALUE = {"Value", "Values", "StatisticValues"}

_Parameters = Mapping[str, Any]


def parse(parameters: _Parameters, now: datetime) -> Mapping[MetricKey, list[Sample]]:
    """Return the samples of a request by metric, after all of the request has been checked."""
    for name in sorted(parameters.keys() - _IMPLEMENTED):
        raise invalid(f"The local CloudWatch does not implement {name} of PutMetricData.")
    namespace = _namespace(parameters)
    datums = _sized(parameters.get("MetricData", []), "MetricData", PUT_METRIC_DATA_MAX_DATUMS)
    if not datums:
        raise ApiError("MissingParameter", "The parameter MetricData is required.")
    samples: dict[MetricKey, list[Sample]] = defaultdict(list)
    for index, datum in enumerate(datums, 1):
        key, parsed = _parse_datum(datum, namespace, f"MetricData.member.{index}", now)
        samples[key] += parsed
    return samples


def _namespace(parameters: _Parameters) -> str:
    namespace = _text(parameters, "Namespace", "Namespace", METRIC_NAME_MAX_LENGTH)
    if namespace.startswith((RESERVED_NAMESPACE_PREFIX, ":")):
        raise invalid(f"The value {namespace} for parameter Namespace is invalid.")
    return namespace


def _parse_datum(
    datum: _Parameters, namespace: str, at: str, now: datetime
) -> tuple[MetricKey, list[Sample]]:
    name = _text(datum, "MetricName", f"{at}.MetricName", METRIC_NAME_MAX_LENGTH)
    key = MetricKey.of(namespace, name, _dimensions(datum, at))
    time, unit = _time(datum, at, now), datum.get("Unit", "None")
    readable = _readable(time, now)
    if unit not in _units():
        raise invalid(f"The value {unit} for parameter {at}.Unit is invalid.")
    if len(datum.keys() & _KINDS_OF_VALUE) != 1:
        raise ApiError(
            "InvalidParameterCombination",
            f"The parameters {at}.Value, {at}.Values and {at}.StatisticValues are mutually "
            "exclusive and you have to specify one.",
        )
    if "StatisticValues" in datum:
        return key, [_statistics(datum, at, time, unit)._replace(readable=readable)]
    return key, [
        Sample(time, value * count, count, value, value, unit, readable)
        for value, count in _values(datum, at)
    ]


def _dimensions(datum: _Parameters, at: str) -> dict[str, str]:
    at = f"{at}.Dimensions"
    given = _sized(datum.get("Dimensions", []), at, METRIC_MAX_DIMENSIONS)
    dimensions = {}
    for index, item in enumerate(given, 1):
        member = f"{at}.member.{index}"
        name = _text(item, "Name", f"{member}.Name", METRIC_NAME_MAX_LENGTH)
        dimensions[name] = _text(item, "Value", f"{member}.Value", METRIC_DIMENSION_MAX_LENGTH)
    return dimensions


def _time(datum: _Parameters, at: str, now: datetime) -> int:
    timestamp = datum.get("Timestamp", now)
    if timestamp < now - METRIC_MAX_AGE:
        raise invalid(
            f"The parameter {at}.Timestamp must specify a time no more than two weeks in the past."
        )
    if timestamp > now + METRIC_MAX_AHEAD:
        raise invalid(
            f"The parameter {at}.Timestamp must specify a time no more than two hours in the future."
        )
    resolution = datum.get("StorageResolution", 60)
    if resolution not in (1, 60):
        raise invalid(f"The value {resolution} for parameter {at}.StorageResolution is invalid.")
    return int(timestamp.timestamp() // resolution * resolution)


def _readable(time: int, now: datetime) -> int:
    delay = visibility_delay(now - datetime.fromtimestamp(time, UTC))
    return math.ceil((now + delay).timestamp()) if delay else 0


def _values(datum: _Parameters, at: str) -> list[tuple[float, float]]:
    """Return values with their counts."""
    given = datum["Values"] if "Values" in datum else [datum["Value"]]
    _sized(given, f"{at}.Values", PUT_METRIC_DATA_MAX_VALUES_PER_DATUM)
    values = [_number(value, f"{at}.Value") for value in given]
    counts = [_number(count, f"{at}.Counts") for count in datum.get("Counts", [1] * len(values))]
    if len(counts) != len(values):
        raise invalid(f"The parameters {at}.Values and {at}.Counts must have the same size.")
    return list(zip(values, counts, strict=True))


def _statistics(datum: _Parameters, at: str, time: int, unit: str) -> Sample:
    at = f"{at}.StatisticValues"
    statistics = {
        name: _number(value, f"{at}.{name}") for name, value in datum["StatisticValues"].items()
    }
    if statistics.get("SampleCount", 0) <= 0:
        raise invalid(f"The parameter {at}.SampleCount must be greater than 0.")
    total, count = statistics["Sum"], statistics["SampleCount"]
    return Sample(time, total, count, statistics["Minimum"], statistics["Maximum"], unit)


def _number(value: Any, at: str) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > _LARGEST_VALUE:
        raise invalid(f"The value {value} for parameter {at} is invalid.")
    return number


def _text(parameters: _Parameters, name: str, at: str, longest: int) -> str:
    text = parameters.get(name)
    if not text:
        raise ApiError("MissingParameter", f"The parameter {at} is required.")
    if len(text) > longest or not text.isascii() or not text.strip():
        raise invalid(f"The value {text} for parameter {at} is invalid.")
    return str(text)


def _sized(items: Sequence[Any], at: str, most: int) -> Sequence[Any]:
    if len(items) > most:
        raise invalid(f"The collection {at} must not have a size greater than {most}.")
    return items


@cache
def _units() -> frozenset[str]:
    return frozenset(service_model("cloudwatch").shape_for("StandardUnit").metadata["enum"])


def invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValue", message)
