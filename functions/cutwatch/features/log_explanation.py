"""Explanations of unusual log events in words: `POST /cart` took 4.2 s, usually 0.1–0.3 s at this hour."""

import math
from collections.abc import Callable, Mapping, Sequence

from cutwatch.detectors.log_format import LOG_COLUMNS
from cutwatch.errors import legible
from cutwatch.features.log_features import FeatureRow, LogFeatures
from cutwatch.features.log_statistics import Counted, Moments
from cutwatch.features.log_training import hour_of

_MINUTE_IN_SECONDS, _MILLISECONDS = 60, 1_000
_LONGEST_PATH = 80
# Shorter times would need many decimals in seconds.
_LEAST_IN_SECONDS = 0.01
_SPREAD = 2
# A rarity of this many nats, 1 of 20, counts like one standard deviation.
_NATS_OF_A_DEVIATION = 3.0
_CATEGORIES = ("level", "method", "path", "status")
# Columns that say when an event happened do not make it unusual on their own.
_OF_TIME = frozenset({"hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "weekend"})


def most_unusual(row: FeatureRow) -> list[str]:
    """Return the columns of a row, the most unusual first; those of the time are left out."""
    unusual = _unusualness(row)
    return sorted(unusual, key=lambda name: -unusual[name])


def _unusualness(row: FeatureRow) -> dict[str, float]:
    """Return by column how far its value is out, in standard deviations."""
    scale = dict.fromkeys(_CATEGORIES, 1 / _NATS_OF_A_DEVIATION)
    return {
        name: abs(value) * scale.get(name, 1.0)
        for name, value in zip(LOG_COLUMNS, row.values, strict=True)
        if name not in _OF_TIME
    }


def explain(features: LogFeatures, row: FeatureRow, columns: Sequence[str] = (), most: int = 2) -> list[str]:  # fmt: skip
    """Return up to `most` sentences for a row, the most important first; see `reasons`."""
    return [*reasons(features, row, columns).values()][:most]


def reasons(features: LogFeatures, row: FeatureRow, columns: Sequence[str] = ()) -> dict[str, str]:
    """Return sentences for a row by column, the most important first.

    `columns` are those with the largest attributions; without, the most unusual ones are taken. Columns within one standard deviation
    are a reason only if there is no other. Both columns of a response time have one sentence.
    """
    unusual = _unusualness(row)
    ranked = [name for name in columns or most_unusual(row) if name in _SENTENCES]
    chosen = [name for name in ranked if unusual[name] > 1] or ranked[:1]
    found: dict[str, str] = {}
    for name in chosen:
        sentence = _SENTENCES[name](features, row)
        if sentence and sentence not in found.values():
            found[name] = sentence
    return found


def seconds_in_words(seconds: float) -> str:
    """Format a response time: `85 ms`, `4.2 s`, `3 min`."""
    if seconds < 1:
        milliseconds = seconds * _MILLISECONDS
        return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "under 1 ms"
    if seconds < 10 * _MINUTE_IN_SECONDS:
        return f"{seconds:.2g} s" if seconds < _MINUTE_IN_SECONDS else f"{seconds:.0f} s"
    return f"{seconds / _MINUTE_IN_SECONDS:.0f} min"


def request_in_words(row: FeatureRow) -> str:
    """Return method and path template of an event in backquotes."""
    _, method, path, _ = row.categories
    words = [each for each in (method, legible(path)[:_LONGEST_PATH]) if not each.startswith("(")]
    return f"`{' '.join(words)}`" if words else "the request"


def _response_time(features: LogFeatures, row: FeatureRow) -> str:
    event, (_, method, template, _) = row.event, row.categories
    if event.response_time is None:
        return ""
    took = f"{request_in_words(row)} took {seconds_in_words(event.response_time)}"
    known = features.statistics
    hour = hour_of(event.time, features.zone)
    usual = known.usual_time(method, known.known_path(template), hour)
    if usual is None:
        return took
    return f"{took}, usually {_range(usual.low, usual.high, event.response_time)}{' at this hour' * usual.of_hour}"


def _range(low: float, high: float, seconds: float) -> str:
    """Format a range of response times in the unit of the response time that it is compared with."""
    if seconds >= 1 and low >= _LEAST_IN_SECONDS and high < _MINUTE_IN_SECONDS:
        first, second = f"{low:.2g}", f"{high:.2g}"
        return f"{second} s" if first == second else f"{first}–{second} s"
    first, second = seconds_in_words(low), seconds_in_words(high)
    if first == second:
        return first
    unit = second.rpartition(" ")[2]
    return f"{first.removesuffix(' ' + unit)}–{second}"


def _path(features: LogFeatures, row: FeatureRow) -> str:
    known, template = features.statistics, row.categories.path
    if template in known.path.counts:
        return f"{request_in_words(row)} is rare: {_frequency(known.path, template)}"
    return f"{request_in_words(row)} has a path that is new or rarer than every known path"


def _category(name: str) -> Callable[[LogFeatures, FeatureRow], str]:
    def sentence(features: LogFeatures, row: FeatureRow) -> str:
        counted: Counted = getattr(features.statistics, name)
        category = getattr(row.categories, name)
        if category.startswith("("):
            return f"the record has no {name}"
        shown = f"`{legible(category)[:_LONGEST_PATH]}`"
        return f"{name} {shown} is rare: {_frequency(counted, category)}"

    return sentence


def _frequency(counted: Counted, category: str) -> str:
    number = counted.counts.get(category, 0)
    if not number:
        return f"none of {counted.total:,} records in training"
    return f"1 of {round(counted.total / number):,} records in training"


def _request_rate(features: LogFeatures, row: FeatureRow) -> str:
    hour = hour_of(row.event.time, features.zone)
    low, high = _usual(features.statistics.request_rate(hour))
    rate = row.traffic.request_rate
    return f"{rate:.3g} requests a second, usually {low:.2g}–{high:.2g} at this hour"


def _error_rate(features: LogFeatures, row: FeatureRow) -> str:
    failed = row.traffic.errors / row.traffic.requests
    usual = features.statistics.error_rate.mean
    return f"{failed:.0%} of the requests in a minute failed, usually {usual:.1%}"


def _distinct_paths(features: LogFeatures, row: FeatureRow) -> str:
    low, high = _usual(features.statistics.distinct_paths)
    number = row.traffic.distinct_paths
    return f"{number} different paths in a minute, usually {low:.0f}–{high:.0f}"


def _usual(moments: Moments) -> tuple[float, float]:
    """Return the range within two standard deviations of a log(1 + x), in the unit of x."""
    low, high = (moments.mean + sign * _SPREAD * moments.deviation for sign in (-1, 1))
    return max(math.expm1(low), 0.0), math.expm1(high)


_SENTENCES: Mapping[str, Callable[[LogFeatures, FeatureRow], str]] = {
    "response_time": _response_time,
    "response_time_of_path": _response_time,
    "level": _category("level"),
    "method": _category("method"),
    "path": _path,
    "status": _category("status"),
    "request_rate": _request_rate,
    "error_rate": _error_rate,
    "distinct_paths": _distinct_paths,
}
