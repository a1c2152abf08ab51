"""The picture of a report: a metric with its anomalies, its score with the cutoff."""

from datetime import datetime, timedelta
from pathlib import Path
from textwrap import shorten

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from local.report import style
from local.report.detector_report import DetectorReport, Event, events
from local.report.panels import draw_metric, draw_score
from local.report.scales import scale_time
from local.report.wording import count, span_in_words

MARGIN = 0.012
LEFT, RIGHT, BOTTOM, TOP = 0.07, 0.968, 0.07, 0.785
LONGEST_TITLE = 90
LEGEND_ORDER = (
    *("metric", "anomaly", "cutoff", "trained"),
    *("not scored", "no data", "planted"),
)


def draw(report: DetectorReport, path: Path) -> None:
    """Write the picture as a PNG."""
    with mpl.rc_context(style.SETTINGS):
        figure = Figure(figsize=style.SIZE_INCHES)
        FigureCanvasAgg(figure)
        metric, score = _panels(figure, report)
        found = events(report)
        draw_metric(metric, report, found)
        draw_score(score, report)
        _write_heading(figure, report, found)
        _write_legend(figure, metric, score)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=style.DOTS_PER_INCH)


def _panels(figure: Figure, report: DetectorReport) -> tuple[Axes, Axes]:
    grid = figure.add_gridspec(
        2, 1, height_ratios=(2.1, 1), hspace=0.16, left=LEFT, right=RIGHT, bottom=BOTTOM, top=TOP
    )
    metric = figure.add_subplot(grid[0])
    score = figure.add_subplot(grid[1], sharex=metric)
    scale_time(metric, report.timestamps[0], report.timestamps[-1] + report.period, report.zone)
    metric.tick_params(labelbottom=False)
    for axes, caption in ((metric, report.unit), (score, "Anomaly score")):
        axes.annotate(
            *(caption, (0, 1)),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            color=style.QUIET_TEXT,
            size=8,
        )
    return metric, score


def _write_heading(figure: Figure, report: DetectorReport, found: list[Event]) -> None:
    title = shorten(report.title, LONGEST_TITLE, placeholder=" …")
    figure.text(MARGIN, 0.955, title, size=12, weight="bold", va="center")
    figure.text(
        MARGIN, 0.903, _summary(report, found), size=8.5, color=style.QUIET_TEXT, va="center"
    )


def _summary(report: DetectorReport, found: list[Event]) -> str:
    first, last = report.timestamps[0], report.timestamps[-1] + report.period
    anomalous = count(int(report.anomalous.sum()), "anomalous datapoint")
    return (
        f"{count(len(found), 'event')}, {anomalous} in {_length(last - first)}, "
        f"{_day(report, first)} to {_day(report, last - timedelta(seconds=1))} "
        f"({report.time_zone})"
    )


def _length(span: timedelta) -> str:
    return count(span.days, "day") if span.days else span_in_words(span)


def _day(report: DetectorReport, moment: datetime) -> str:
    local = moment.astimezone(report.zone)
    return f"{local.day} {local:%B %Y}"


def _write_legend(figure: Figure, metric: Axes, score: Axes) -> None:
    handles = {
        label: handle
        for axes in (metric, score)
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    labels = sorted(handles, key=LEGEND_ORDER.index)
    figure.legend(
        [handles[label] for label in labels],
        labels,
        loc="center left",
        bbox_to_anchor=(MARGIN, 0.85),
        ncols=len(labels),
        handlelength=1.6,
        handletextpad=0.5,
        columnspacing=1.6,
        borderaxespad=0,
        borderpad=0,
    )
