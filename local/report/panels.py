"""The two panels of the picture: the metric above, its score below."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from local.report import style
from local.report.detector_report import (
    DetectorReport,
    Event,
    Flags,
    Floats,
    gravity,
    stretches,
)
from local.report.scales import SECONDS_A_DAY, date_number, scale_values

NUMBER_LANE = 0.13  # of the metric's height, above it, for the numbers of the events
NUMBER_SPACING = 0.0205  # of the width; events nearer than this to a graver one stay unnumbered
NARROWEST_BAND = 0.004  # of the width, so that a short gap in a long history is seen
MOST_WIDENING = 0.06  # of the width, for all bands of one kind together

Spans = list[tuple[float, float]]


def draw_metric(axes: Axes, report: DetectorReport, numbered: list[Event]) -> None:
    """The metric with its anomalous datapoints, and whatever else is known about its time."""
    times, values = date_numbers(report), report.value_array
    _shade_context(axes, report, times)
    _shade_planted(axes, report)
    axes.plot(times, values, color=style.METRIC, linewidth=0.8, label="metric")
    alone = _isolated(report.missing)
    axes.plot(times[alone], values[alone], ".", color=style.METRIC, markersize=1.5)
    _emphasise_anomalies(axes, times, np.where(report.anomalous, values, np.nan))
    scale_values(axes, _known(values), headroom=NUMBER_LANE, ticks=5)
    _number_events(axes, numbered, times)


def draw_score(axes: Axes, report: DetectorReport) -> None:
    """The score, the cutoff that held at the time, and the trainings that set it."""
    times, scores = date_numbers(report), report.score_array
    cutoffs = _cutoff_line(report, times)
    _shade_context(axes, report, times)
    axes.plot(times, scores, color=style.SCORE, linewidth=0.7)
    _emphasise_anomalous_scores(axes, report, times)
    axes.plot(times, cutoffs, color=style.CUTOFF, linewidth=1.1, dashes=(4, 2), label="cutoff")
    scale_values(axes, _known(np.concatenate([scores, cutoffs])), headroom=0.04, ticks=4)
    _mark_trainings(axes, report)


def date_numbers(report: DetectorReport) -> Floats:
    """The timestamps as matplotlib counts them."""
    return np.array([date_number(moment) for moment in report.timestamps])


def _shade_context(axes: Axes, report: DetectorReport, times: Floats) -> None:
    learning = _spans(report.unscored, times, report)
    _band(axes, learning, label="not scored", facecolor=style.LEARNING, zorder=0)
    missing = _widened(_spans(report.missing, times, report), times)
    _band(axes, missing, label="no data", **style.MISSING_BAND)


def _shade_planted(axes: Axes, report: DetectorReport) -> None:
    windows = [
        (date_number(start), date_number(end) - date_number(start))
        for start, end, _ in report.planted
    ]
    times = np.asarray(axes.get_xlim())
    _band(axes, _widened(windows, times), label="planted", facecolor=style.PLANTED, alpha=0.25)


def _band(axes: Axes, spans: Spans, label: str, **look: Any) -> None:
    if spans:
        full_height = axes.get_xaxis_transform()
        axes.broken_barh(spans, (0, 1), transform=full_height, label=label, linewidth=0, **look)


def _spans(flags: Flags, times: Floats, report: DetectorReport) -> Spans:
    period = report.period_seconds / SECONDS_A_DAY
    return [
        (float(times[first]), float(times[end - 1] - times[first]) + period)
        for first, end in stretches(flags)
    ]


def _widened(spans: Spans, times: Floats) -> Spans:
    narrowest = min(NARROWEST_BAND, MOST_WIDENING / max(1, len(spans)))
    narrowest *= float(times[-1] - times[0])
    return [
        (start - max(0.0, narrowest - width) / 2, max(width, narrowest)) for start, width in spans
    ]


def _emphasise_anomalies(axes: Axes, times: Floats, values: Floats) -> None:
    axes.plot(times, values, color=style.ANOMALY, linewidth=1.6)
    axes.plot(
        *(times, values, "o"),
        color=style.ANOMALY,
        markersize=3.4,
        markeredgecolor="white",
        markeredgewidth=0.4,
        label="anomaly",
    )


def _emphasise_anomalous_scores(axes: Axes, report: DetectorReport, times: Floats) -> None:
    flags = np.pad(report.anomalous, 1)
    beside = flags[:-2] | flags[1:-1] | flags[2:]
    scores = np.where(beside, report.score_array, np.nan)
    axes.plot(times, scores, color=style.ANOMALY, linewidth=1.2, zorder=3)


def _number_events(axes: Axes, numbered: list[Event], times: Floats) -> None:
    spacing = NUMBER_SPACING * float(times[-1] - times[0])
    taken: list[float] = []
    for event in sorted(numbered, key=gravity, reverse=True):
        place = date_number(event.peak_at)
        if all(abs(place - other) >= spacing for other in taken):
            taken.append(place)
            _number(axes, event, place)


def _number(axes: Axes, event: Event, place: float) -> None:
    axes.annotate(
        str(event.number),
        xy=(place, 0 if np.isnan(event.value) else event.value),
        xytext=(place, 0.945),
        textcoords=axes.get_xaxis_transform(),
        ha="center",
        va="center",
        color="white",
        size=7,
        weight="bold",
        bbox={"boxstyle": "circle,pad=0.28", "color": style.ANOMALY, "linewidth": 0},
        arrowprops={"arrowstyle": "-", "color": style.ANOMALY, "alpha": 0.55, "lw": 0.6},
    )


def _cutoff_line(report: DetectorReport, times: Floats) -> Floats:
    since = [date_number(moment) for moment, _ in report.cutoffs]
    cutoffs = np.array([np.nan, *(cutoff for _, cutoff in report.cutoffs)])
    return cutoffs[np.searchsorted(np.array(since), times, side="right")]


def _mark_trainings(axes: Axes, report: DetectorReport) -> None:
    axes.plot(
        [date_number(moment) for moment in report.trained_until],
        [1.0] * len(report.trained_until),
        *("v",),
        transform=axes.get_xaxis_transform(),
        color=style.CUTOFF,
        markersize=5,
        clip_on=False,
        label="trained",
    )


def _isolated(missing: Flags) -> Flags:
    around = np.pad(missing, 1, constant_values=True)
    return ~missing & around[:-2] & around[2:]


def _known(numbers: Floats) -> Floats:
    return numbers[np.isfinite(numbers)]
