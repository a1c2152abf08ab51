"""Statistics of the distribution of a period's samples: percentiles, trimmed and winsorized ones, percentile ranks.

AWS documents their syntax and meaning under CloudWatch statistics definitions. CloudWatch estimates them from a
histogram; here they are exact, with a sample that lies across a percentage counted in part.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from localaws.cloudwatch.metric_store import Floats

# Samples ascending, and how often each occurred.
Distribution = Callable[[Floats, Floats], float]

_ONE_BOUND = re.compile(r"(p|tm|wm|tc|ts)(100(?:\.0{1,10})?|\d{1,2}(?:\.\d{1,10})?)", re.ASCII)
_NUMBER = r"\d+(?:\.\d{1,10})?"
_PERCENTAGES = re.compile(rf"(TM|WM|TC|TS)\((?:({_NUMBER})%)?:(?:({_NUMBER})%)?\)", re.ASCII)
_VALUES = re.compile(rf"(TM|TC|TS|PR)\(({_NUMBER})?:({_NUMBER})?\)", re.ASCII)
_IQM = (25.0, 75.0)


class _Bounds(NamedTuple):
    low: float
    high: float


def distribution_statistic(name: str) -> Distribution:
    """Return the function of a statistic. Raises `ValueError` for one that CloudWatch does not have."""
    if name == "IQM":
        return _of_percentages("TM", _Bounds(*_IQM))
    if match := _ONE_BOUND.fullmatch(name):
        bound = float(match[2])
        if match[1] == "p":
            return lambda values, counts: _percentile(values, counts, bound)
        return _of_percentages(match[1].upper(), _Bounds(0, bound))
    if match := _PERCENTAGES.fullmatch(name):
        return _of_percentages(match[1], _bounds(name, match[2], match[3], 100))
    if match := _VALUES.fullmatch(name):
        return _of_values(match[1], _bounds(name, match[2], match[3], np.inf))
    raise ValueError(name)


def _bounds(name: str, low: str | None, high: str | None, most: float) -> _Bounds:
    if low is None and high is None:
        raise ValueError(name)
    bounds = _Bounds(float(low or 0) if low else -np.inf, float(high) if high else most)
    if not bounds.low < bounds.high <= most:
        raise ValueError(name)
    return bounds


def _percentile(values: Floats, counts: Floats, percentile: float) -> float:
    return float(np.percentile(np.repeat(values, counts.astype(np.int64)), percentile))


def _of_percentages(kind: str, bounds: _Bounds) -> Distribution:
    if kind == "WM":
        return lambda values, counts: _winsorized_mean(values, counts, bounds)
    return lambda values, counts: _trimmed(kind, values, _weights_between(counts, bounds), counts)


def _of_values(kind: str, bounds: _Bounds) -> Distribution:
    """Return a statistic of the samples above the lower bound, up to and including the upper one."""

    def statistic(values: Floats, counts: Floats) -> float:
        inside = (values > bounds.low) & (values <= bounds.high)
        return _trimmed(kind, values, np.where(inside, counts, 0), counts)

    return statistic


def _weights_between(counts: Floats, bounds: _Bounds) -> Floats:
    """Return the part of each sample's count between two percentages of all samples."""
    ends = np.cumsum(counts)
    low, high = (ends[-1] * max(bound, 0) / 100 for bound in bounds)
    weights: Floats = np.clip(ends, low, high) - np.clip(ends - counts, low, high)
    return weights


def _trimmed(kind: str, values: Floats, weights: Floats, counts: Floats) -> float:
    weight, total = float(weights.sum()), float(np.dot(weights, values))
    match kind:
        case "TC":
            return weight
        case "TS":
            return total
        case "PR":
            return 100 * weight / float(counts.sum())
        case _:
            return total / weight if weight else np.nan


def _winsorized_mean(values: Floats, counts: Floats, bounds: _Bounds) -> float:
    low, high = (_percentile(values, counts, max(bound, 0)) for bound in bounds)
    return float(np.average(np.clip(values, low, high), weights=counts))
