"""The functions of metric math, as AWS's "Metric math syntax and functions" describes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from localaws.cloudwatch.metric_store import Floats
from localaws.cloudwatch.reading import Window
from localaws.cloudwatch.time_series import Array, Times, TimeSeries, Value, WrongExpression, union


@dataclass(frozen=True)
class Keyword:
    """A bare word that a function takes: how FILL fills."""

    word: str


Argument = Value | Keyword
KEYWORDS = ("REPEAT", "LINEAR")

_EACH: Mapping[str, Callable[[Floats], Floats]] = {
    "ABS": np.abs,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "LOG": np.log,
    "LOG10": np.log10,
    "RUNNING_SUM": np.cumsum,
}
# Of an array only those that have a datapoint at a time count there, but for AVG, whose missing values count as 0.
_REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "SUM": np.nansum,
    "AVG": lambda values, **axis: np.nanmean(np.nan_to_num(values, nan=0.0), **axis),
    "MIN": np.nanmin,
    "MAX": np.nanmax,
    "STDDEV": np.nanstd,
}
_ARGUMENTS = {"IF": (2, 3), "FILL": (2, 2)}
_ONE = (1, 1)
FUNCTIONS = frozenset({*_EACH, *_REDUCTIONS, "DIFF", "RATE", *_ARGUMENTS})


def call(name: str, arguments: list[Argument], window: Window) -> Value:
    """Call a function; raise WrongExpression for a wrong name or wrong arguments."""
    if name not in FUNCTIONS:
        raise WrongExpression(f"Unknown or unsupported function {name}")
    fewest, most = _ARGUMENTS.get(name, _ONE)
    if not fewest <= len(arguments) <= most:
        raise WrongExpression(f"Function {name} does not take {len(arguments)} arguments")
    if name == "IF":
        return _if(*arguments)
    if name == "FILL":
        return _fill(arguments[0], arguments[1], window)
    return _of_one(name, arguments[0])


def _of_one(name: str, argument: Argument) -> Value:
    if isinstance(argument, float | Keyword):
        raise WrongExpression(f"Function {name} takes a time series or an array of them")
    with np.errstate(all="ignore"):
        if name in _REDUCTIONS:
            return _reduced(name, argument)
        if isinstance(argument, list):
            return [_changed(name, each) for each in argument]
        return _changed(name, argument)


def _changed(name: str, series: TimeSeries) -> TimeSeries:
    if name in _EACH:
        return TimeSeries.finite(series.times, _EACH[name](series.values), series.period)
    differences = np.diff(series.values)
    if name == "RATE":
        differences = differences / np.diff(series.times)
    return TimeSeries.finite(series.times[1:], differences, series.period)


def _reduced(name: str, argument: TimeSeries | Array) -> float | TimeSeries:
    """Reduce a series to a number, and an array to a series."""
    reduce = _REDUCTIONS[name]
    if isinstance(argument, TimeSeries):
        empty = 0.0 if name == "SUM" else np.nan
        return float(reduce(argument.values)) if argument.values.size else empty
    if not argument:
        raise WrongExpression(f"Function {name} takes a time series or an array of them")
    times = union(argument)
    values = np.array([each.at(times, np.nan) for each in argument])
    period = max(each.period for each in argument)
    return TimeSeries.finite(times, reduce(values, axis=0) if times.size else values[0], period)


def _if(condition: Argument, true: Argument, false: Argument | None = None) -> Value:
    if isinstance(condition, TimeSeries):
        times = condition.times
        values = np.where(
            condition.values != 0, _branch(true, times, 0.0), _branch(false, times, np.nan)
        )
        return TimeSeries.finite(times, values, condition.period)
    branches = [each for each in (true, false) if each is not None]
    if not isinstance(condition, float) or not all(isinstance(b, TimeSeries) for b in branches):
        raise WrongExpression("Unsupported argument types for function IF")
    chosen = true if condition else false
    return chosen if isinstance(chosen, TimeSeries) else _empty(true)


def _empty(like: Any) -> TimeSeries:
    return TimeSeries(like.times[:0], like.values[:0], like.period)


def _branch(branch: Argument | None, times: Times, missing: float) -> Floats:
    if isinstance(branch, TimeSeries):
        return branch.at(times, missing)
    if branch is None or isinstance(branch, float):
        return np.full(times.shape, np.nan if branch is None else branch)
    raise WrongExpression("Unsupported argument types for function IF")


def _fill(filled: Argument, filler: Argument, window: Window) -> Value:
    if isinstance(filled, float | Keyword) or isinstance(filler, list):
        raise WrongExpression("Unsupported argument types for function FILL")
    if isinstance(filled, list):
        return [_filled(each, filler, window) for each in filled]
    return _filled(filled, filler, window)


def _filled(series: TimeSeries, filler: float | TimeSeries | Keyword, window: Window) -> TimeSeries:
    """Fill a series over the window; REPEAT needs a datapoint before, LINEAR one on each side."""
    times = np.union1d(_grid(series, window), series.times)
    own = series.at(times, np.nan)
    if isinstance(filler, TimeSeries):
        fill = filler.at(times, np.nan)
    elif isinstance(filler, Keyword):
        fill = _REPEAT_OR_LINEAR[filler.word](series, times)
    else:
        fill = np.full(times.shape, filler)
    return TimeSeries.finite(times, np.where(np.isnan(own), fill, own), series.period)


def _grid(series: TimeSeries, window: Window) -> Times:
    """Return the period starts of a window, in step with the datapoints there are."""
    start = int(window.start) // 60 * 60
    origin = int(series.times[0]) if series.times.size else start
    return np.arange(start + (origin - start) % series.period, window.end, series.period).astype(
        np.int64
    )


def _repeated(series: TimeSeries, times: Times) -> Floats:
    before = np.searchsorted(series.times, times, side="right") - 1
    padded = np.append(series.values, np.nan)
    return padded[before]


def _interpolated(series: TimeSeries, times: Times) -> Floats:
    if not series.times.size:
        return np.full(times.shape, np.nan)
    return np.interp(times, series.times, series.values, left=np.nan, right=np.nan)


_REPEAT_OR_LINEAR = dict(zip(KEYWORDS, (_repeated, _interpolated), strict=True))
