"""From the channels of a series to its severities and events: the default threshold, the same for every engine's scores.

Each datapoint is compared with earlier datapoints only: a window that is scored at its end and one that is scored
datapoint by datapoint have the same events. docs/detection.md has the measurements behind the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.baseline import Flags, mean_of_last
from cutwatch.detection.channels import Channel, Driver, Measured
from cutwatch.detection.parameters import DAY, DEFAULT, HOUR, SENSITIVITY
from cutwatch.detectors.detector import Sensitivity
from cutwatch.features.expectation import Expectation
from cutwatch.timeseries.arrays import Epochs, Floats

Positions = NDArray[np.intp]
# First and last position, and whether it follows an event before the window.
Span = tuple[int, int, bool]

# How far before a window an incident may have begun whose level was followed (seconds).
_LOOKBACK = 2 * DAY


@dataclass(frozen=True)
class Event:
    """Positions of an event in its window: beginning, peak and end (included).

    `severity` is the peak in multiples of the cutoff, `first_severity` that with which it began. `follows` says whether
    it would go on with an event that ended shortly before the window.
    """

    onset: int
    peak: int
    end: int
    severity: float
    first_severity: float
    driver: Driver = "level"
    follows: bool = False


@dataclass(frozen=True, eq=False)
class Detection:
    """For every position (n,) its severity, 1.0 being the cutoff, NaN where nothing is known; the events in order."""

    severities: Floats
    events: tuple[Event, ...]


def detect(
    epochs: Epochs, measured: Measured, start: int, sensitivity: Sensitivity = "medium"
) -> Detection:
    """Detect events from epoch second `start` on; earlier positions only show what an event follows."""
    channels = measured.channels
    factor = SENSITIVITY[sensitivity]
    multiples = np.stack([channel.multiples for channel in channels]) / factor
    known = ~np.isnan(multiples)
    severities = np.where(
        known.any(axis=0), np.max(np.where(known, multiples, -np.inf), axis=0), np.nan
    )
    recovered = _recovered(epochs, measured.expectation)
    leading = np.argmax(np.where(known, multiples, -np.inf), axis=0)

    def spans_from(earliest: int, before: Sequence[Span] = ()) -> list[Span]:
        spans: list[Span] = []
        for channel, own in sorted(
            zip(channels, multiples, strict=True), key=lambda each: each[0].late
        ):
            found = _spans(epochs, own, earliest, channel.joined_seconds, recovered)
            if channel.late:
                found = _attached(epochs, found, before, spans, channel.joined_seconds)
            spans += found
        return spans

    earlier = [span for span in spans_from(start - _LOOKBACK) if epochs[span[1]] < start]
    incidents = _united(epochs, earlier, measured.expectation)
    before = incidents[-1][0] if incidents else None
    events = tuple(
        _event(severities, first, last, channels, leading, follows=follows)
        for first, last, follows in _united(
            epochs, spans_from(start, earlier), measured.expectation, before
        )
    )
    return Detection(severities, events)


def _spans(
    epochs: Epochs, multiples: Floats, start: int, joined_seconds: int, recovered: Flags
) -> list[Span]:
    """Return the runs of positions at or above the cutoff: first, last, and whether one before the window is near enough."""
    hot = np.flatnonzero(np.nan_to_num(multiples, nan=-np.inf) >= 1)
    hot = hot[epochs[hot] >= start - joined_seconds]
    runs = np.split(hot, np.flatnonzero(_begins(epochs, hot, multiples, joined_seconds, recovered)))
    spans = []
    for run in runs:
        inside = run[epochs[run] >= start]
        if len(inside):
            spans.append((int(inside[0]), int(inside[-1]), len(inside) < len(run)))
    return spans


def _attached(
    epochs: Epochs,
    spans: Sequence[Span],
    before: Sequence[Span],
    others: Sequence[Span],
    within: int,
) -> list[Span]:
    """Let spans begin where another one ended shortly before, or follow one from `before` the window."""
    attached = []
    for first, last, follows in spans:
        since = epochs[first] - within
        ends = [end for _, end, _ in others if since <= epochs[end] and end < first]
        late = any(since <= epochs[end] for _, end, _ in before)
        attached.append((max(ends, default=first), last, follows or (late and not ends)))
    return attached


def _begins(
    epochs: Epochs, hot: Positions, multiples: Floats, joined_seconds: int, recovered: Flags
) -> Flags:
    """Flag the hot positions that begin a run: after a long pause, or severely after the metric had recovered."""
    if not len(hot):
        return np.zeros(0, bool)
    pauses = np.diff(epochs[hot], prepend=epochs[hot[0]])
    until = np.concatenate([[0], np.cumsum(recovered)])
    between = until[hot] > until[np.concatenate([hot[:1], hot[:-1] + 1])]
    second = between & (multiples[hot] >= DEFAULT.second_incident)
    begins: Flags = (pauses > joined_seconds) | (second & (pauses > DEFAULT.same_incident_seconds))
    return begins


def _recovered(epochs: Epochs, expectation: Expectation) -> Flags:
    """Flag positions (n,) up to which the mean deviation of an hour stayed below one scale for `recovered_hours`."""
    period = int(epochs[1] - epochs[0]) if len(epochs) > 1 else HOUR
    means = mean_of_last(expectation.deviations, max(HOUR // period, 1))
    near = np.nan_to_num(np.abs(means), nan=np.inf) < 1
    size = max(round(DEFAULT.recovered_hours * HOUR / period), 1)
    padded = np.concatenate([np.zeros(size - 1, bool), near])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, size).all(axis=1))


def _united(
    epochs: Epochs, spans: Sequence[Span], expectation: Expectation, before: int | None = None
) -> list[Span]:
    """Join spans that overlap, and spans between which the metric stayed outside its expected range.

    A pause of `same_incident_seconds` before the excursion that leads to a span does not part it from the incident, nor does
    a metric that only returns from a level that was followed. `before` is the onset of an incident before the
    window: the first span that returns from its level follows it. A span lasts as long as its excursion.
    """
    united: list[Span] = []
    onset = before
    began = _run_begins(expectation.outside)
    for first, last, follows in sorted(spans):
        known = united[-1] if united else None
        near = known is None or epochs[first] - epochs[known[1]] <= DAY
        returns = onset is not None and near and expectation.is_return(first, onset)
        if known and (_goes_on(epochs, known[1], first, int(began[first])) or returns):
            over = _excursion_end(expectation, known[0], last)
            united[-1] = (known[0], max(known[1], over), known[2] or follows)
        else:
            onset = onset if returns else first
            over = last if onset is None else _excursion_end(expectation, onset, last)
            united.append((first, over, bool(follows or returns)))
    return united


def _goes_on(epochs: Epochs, last: int, first: int, began: int) -> bool:
    """Return True if a span from `first` on, whose excursion began at `began`, goes on with what ended at `last`."""
    pause = epochs[began] - epochs[last]
    return bool(first <= last + 1 or pause <= DEFAULT.same_incident_seconds)


def _run_begins(flags: Flags) -> Positions:
    """Return for each position (n,) the first one of the flagged run that leads to it; itself if there is none."""
    led = np.concatenate([[False], flags[:-1]])
    begins: Positions = np.maximum.accumulate(np.where(led, 0, np.arange(len(flags))))
    return begins


def _excursion_end(expectation: Expectation, onset: int, last: int) -> int:
    """Return until when the metric stayed beyond the edge of its expected range that it had passed at `last`.

    What only returns from a level that has followed since `onset` is as it was before, and days of an unknown kind do not count.
    """
    side = np.sign(expectation.deviations[last])
    beyond = expectation.outside & expectation.familiar & (np.sign(expectation.deviations) == side)
    end = last
    if not beyond[last] or expectation.is_return(last, onset):
        return end
    while end + 1 < len(beyond) and beyond[end + 1] and not expectation.is_return(end + 1, onset):
        end += 1
    return end


def _event(
    severities: Floats,
    first: int,
    last: int,
    channels: Sequence[Channel],
    leading: NDArray[np.intp],
    *,
    follows: bool,
) -> Event:
    peak = first + int(np.nanargmax(severities[first : last + 1]))
    return Event(
        first,
        peak,
        last,
        float(severities[peak]),
        float(severities[first]),
        channels[int(leading[peak])].driver,
        follows,
    )
