"""Output of a replay: progress, tables, and the report page."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cutwatch.detectors.detector import Detector
from cutwatch.timeseries.series import Series
from cutwatch.wording import count
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.replay import Replay, replay
from cutwatch_cli.replay.schedule import ScheduledRun
from cutwatch_cli.report import (
    DetectorReport,
    Page,
    planted_table,
    table,
    write_page,
)
from cutwatch_cli.report.expected_range import expected_in_windows

Planted = Sequence[tuple[datetime, datetime, str]]


def replay_with_progress(
    console: Console, series: MetricSeries, detector: Detector, training_time: timedelta
) -> Replay:
    """Replay, showing the current scheduled run."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs"),
        TimeElapsedColumn(),
    )
    started = time.perf_counter()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting the local AWS", total=None)

        def show(run: ScheduledRun, number: int, count: int) -> None:
            progress.update(
                task, description=f"{run.kind} of {run.at:%Y-%m-%d}", completed=number, total=count
            )

        result = replay(series, detector, training_time, show)
    seconds = time.perf_counter() - started
    console.print(f"{_runs(result)}, through the real state machines, in {seconds:.1f} s.")
    return result


def present(
    console: Console,
    series: MetricSeries,
    detector: Detector,
    result: Replay,
    page: Path,
    planted: Planted = (),
) -> None:
    """Print the events found (and the planted anomalies, if any) and write the page."""
    report = _report_of(series, detector, result, planted)
    for run, outcome in result.outcomes:
        if outcome.status not in ("TRAINED", "PUBLISHED"):
            console.print(f"{run.kind} of {run.at:%Y-%m-%d %H:%M}: {outcome.message}")
    console.print(table(report))
    if planted:
        console.print(planted_table(report))
    subtitle = f"{_runs(result)}, through the real state machines on the local AWS"
    write_page(Page(f"{detector.name}: replay", subtitle, [report], datetime.now(UTC)), page)
    console.print(f"Report: {page}")


def _report_of(
    series: MetricSeries, detector: Detector, result: Replay, planted: Planted
) -> DetectorReport:
    return DetectorReport(
        detector=detector.name,
        title=detector.metric_label,
        start=series.start,
        period_seconds=series.period_seconds,
        values=series.values,
        scores=result.scores.tolist(),
        anomalies=result.anomalies,
        events=result.events,
        cutoffs=result.cutoffs,
        expected=expected_in_windows(
            Series(series.start, series.period_seconds, np.array(series.values)),
            detector,
            [since for since, _ in result.cutoffs],
        ),
        trained_until=result.trained_until,
        planted=planted,
        time_zone=detector.time_zone,
        axis=detector.axis_label,
        unit=detector.value_unit,
        facts=[("Trained", count(len(result.trained_until), "time"))],
        notes=series.notes,
    )


def _runs(result: Replay) -> str:
    """Count the trainings, those on demand included, and the transforms."""
    transforms = [outcome for run, outcome in result.outcomes if run.kind == "transform"]
    datapoints = sum(outcome.datapoints for outcome in transforms)
    return (
        f"{count(len(result.trained_until), 'training')} and {count(len(transforms), 'transform')} over "
        f"{count(datapoints, 'datapoint')}"
    )
