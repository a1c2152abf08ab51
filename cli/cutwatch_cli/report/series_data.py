"""A detector's columns in the page: typed arrays with their bytes grouped by significance, deflated, in base64.

Bytes of the same significance are similar in neighbouring datapoints, so they compress to about half the size.
"""

import zlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np

from cutwatch.detectors.unit import symbol
from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.report.detector_report import DetectorReport, stretches

# Single precision is enough if its error is at most this share of the metric's range.
_INVISIBLE = 1e-5
# Bits of a score's fraction to keep: four digits, more than any report prints.
_SCORE_BITS = 12
_FRACTION_BITS = 23

Column = tuple[str, bytes]


def column_data(report: DetectorReport) -> tuple[list[str], str]:
    """Return the types of the columns (`f4` or `f8`, little-endian), and their bytes.

    They are value, score, and where something is expected, the expected value and its distances to the range's edges.
    """
    columns = [
        _of_values(report.value_array),
        _of_scores(report.score_array),
        *_of_expected(report),
    ]
    content = b"".join(content for _, content in columns)
    return [kind for kind, _ in columns], b64encode(zlib.compress(content, 9)).decode()


def description(report: DetectorReport) -> dict[str, Any]:
    """Return everything else for the page's script: times in epoch seconds, stretches as [first, end) of positions."""
    return {
        "zone": report.time_zone,
        "start": int(report.epochs[0]),
        "period": report.period_seconds,
        "count": len(report.epochs),
        "opening": report.opening,
        "axis": report.axis,
        "words": [report.words.value, report.words.score, report.words.score_axis],
        "unit": symbol(report.unit),
        "anomalous": stretches(report.anomalous),
        "unscored": stretches(report.unscored),
        "unreadable": stretches(report.unreadable),
        "missing": stretches(report.missing),
        "cutoffs": [[_position(report, since), cutoff] for since, cutoff in report.cutoffs],
        "trained": _seconds(report.trained_until),
        "planted": [[*_seconds((start, end)), kind] for start, end, kind in report.planted],
        "events": [
            [*_seconds((event.begins, event.ends)), event.severity, event.severity_word]
            for event in report.events
        ],
    }


def _of_values(values: Floats) -> Column:
    known = values[np.isfinite(values)]
    if not _fits_single(known):
        return "f8", _by_significance(values.astype("<f8"))
    single = known.astype(np.float32).astype(float)
    spread = float(np.ptp(known)) if known.size else 0.0
    if known.size and np.abs(single - known).max() > _INVISIBLE * spread:
        return "f8", _by_significance(values.astype("<f8"))
    return _single(values)


def _of_expected(report: DetectorReport) -> list[Column]:
    """Distances need few digits, even next to large values."""
    expected = report.expected
    if expected is None:
        return []
    below, above = expected.values - expected.low, expected.high - expected.values
    return [_of_values(expected.values), _of_scores(below), _of_scores(above)]


def _fits_single(values: Floats) -> bool:
    """Return True if single precision can hold the values; CloudWatch's reach 2^360."""
    return bool((np.abs(values[np.isfinite(values)]) <= np.finfo(np.float32).max).all())


def _of_scores(scores: Floats) -> Column:
    if not _fits_single(scores):
        return _of_values(scores)
    bits = scores.astype("<f4").view("<u4")
    dropped = np.uint32(_FRACTION_BITS - _SCORE_BITS)
    half = np.uint32(1 << (int(dropped) - 1))
    rounded = ((bits + half) >> dropped) << dropped
    return "f4", _by_significance(np.where(np.isnan(scores), bits, rounded).astype("<u4"))


def _single(values: Floats) -> Column:
    return "f4", _by_significance(values.astype("<f4"))


def _by_significance(column: Any) -> bytes:
    content: bytes = column.view(np.uint8).reshape(len(column), -1).T.tobytes()
    return content


def _position(report: DetectorReport, time: Any) -> int:
    """Return the position of the first datapoint at or after a time."""
    return int(np.searchsorted(report.epochs, int(time.timestamp())))


def _seconds(times: Sequence[Any]) -> list[int]:
    return [int(time.timestamp()) for time in times]
