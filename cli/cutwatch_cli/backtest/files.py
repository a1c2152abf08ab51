"""Backtests of many CSV files on all cores, written as CSV and JSON."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.deployed_forest import deployed_engine
from cutwatch_cli.backtest.inputs import NAB_HEADER, RESULT_HEADER, InputFile, is_result
from cutwatch_cli.backtest.shortage import nothing_scored
from cutwatch_cli.backtest.simulation import (
    DEFAULT_PLAN,
    Backtest,
    Plan,
    backtest,
)
from cutwatch_cli.backtest.simulation import default_training_time as probation
from cutwatch_cli.csv_files.csv_series import CsvError, read_csv
from cutwatch_cli.csv_files.reading import DEFAULT_OPTIONS, ReadingOptions
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.schedule import default_training_time
from cutwatch_cli.report import DetectorReport


@dataclass(frozen=True)
class Options:
    """Settings that all files of a backtest share.

    `detector_of` returns the detector of a file with this series. `training_time` is that of the schedule where it is
    None, or that of the Numenta Anomaly Benchmark with `probation`.
    """

    detector_of: Callable[[Path, MetricSeries], Detector]
    training_time: timedelta | None = None
    plan: Plan = DEFAULT_PLAN
    reading: ReadingOptions = DEFAULT_OPTIONS
    period: int | None = None
    probation: bool = False

    def training_time_of(self, series: MetricSeries) -> timedelta:
        """Return the time that is used for training only."""
        if self.training_time is not None:
            return self.training_time
        if self.probation:
            return probation(series)
        return default_training_time(series.start, series.end)


@dataclass(frozen=True, eq=False)
class FileBacktest:
    """Backtest of one file."""

    input: InputFile
    series: MetricSeries
    detector: Detector
    result: Backtest

    @property
    def scored(self) -> int:
        """Number of datapoints with a score."""
        return int(np.count_nonzero(~np.isnan(self.result.scores)))

    @property
    def title(self) -> str:
        """Title of the chart."""
        return str(self.input.path)

    @property
    def notes(self) -> list[str]:
        """Sentences about what reading made of the file, and about a metric that is unpredictable."""
        remark = self.result.remark
        return [*self.series.notes, *([f"{remark[0].upper()}{remark[1:]}."] if remark else [])]

    def summary(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            "file": str(self.input.path),
            "results": self.input.results,
            "period": self.series.period_seconds,
            "time_zone": self.detector.time_zone,
            "weeks": round(self.result.weeks, 2),
            "datapoints_scored": self.scored,
            "events": len(self.result.events),
            "events_by_sensitivity": dict(self.result.events_by_sensitivity),
            "notes": self.notes,
        }


@dataclass(frozen=True)
class UnreadFile:
    """A file without a backtest, and the reason, which begins with the path."""

    path: Path
    reason: str

    def summary(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {"file": str(self.path), "error": self.reason}


def backtest_file(given: InputFile, options: Options) -> FileBacktest:
    """Backtest one file. Raises `CsvError` if it does not contain a metric, or nothing of it was scored."""
    path = given.path
    if is_result(path):
        raise CsvError(
            f"{path}: contains the results of a backtest; name the file it was made from"
        )
    series = read_csv(path, options.reading, options.period)
    detector = options.detector_of(path, series)
    return backtest_series(given, series, detector, options.training_time_of(series), options.plan)


def backtest_series(
    given: InputFile,
    series: MetricSeries,
    detector: Detector,
    training_time: timedelta,
    plan: Plan,
) -> FileBacktest:
    """Backtest a series with the detector's engine. Raises `CsvError` if nothing of it was scored."""
    plan = replace(plan, engine=detector.engine)
    result = backtest(series, detector, training_time, plan, deployed_engine(detector))
    done = FileBacktest(given, series, detector, result)
    if not done.scored:
        raise CsvError(f"{given.path}: {nothing_scored(series, training_time, plan.engine)}")
    return done


def backtest_files(
    inputs: Sequence[InputFile], options: Options, output: Path
) -> Iterator[FileBacktest | UnreadFile]:
    """Backtest files on all cores, write their results, and yield each as it completes.

    A file that cannot be read or scored does not affect the others.
    """
    with ProcessPoolExecutor() as pool:
        jobs = [pool.submit(_backtest_and_write, each, options, output) for each in inputs]
        for job in as_completed(jobs):
            yield job.result()


def _backtest_and_write(
    given: InputFile, options: Options, output: Path
) -> FileBacktest | UnreadFile:
    path = given.path
    try:
        done = backtest_file(given, options)
        write_rows(done, output)
    except (ValueError, OSError) as error:
        reason = str(error)
        return UnreadFile(path, reason if reason.startswith(str(path)) else f"{path}: {reason}")
    return done


def report_of(done: FileBacktest) -> DetectorReport:
    """Convert a backtest to a detector report."""
    anomalies = done.result.anomalies
    return DetectorReport(
        detector=done.input.label,
        title=done.title,
        start=done.series.start,
        period_seconds=done.series.period_seconds,
        values=done.series.values,
        scores=done.result.scores.tolist(),
        anomalies=[None if np.isnan(flag) else int(flag) for flag in anomalies.tolist()],
        events=done.result.events,
        cutoffs=done.result.cutoffs,
        expected=done.result.expected,
        trained_until=done.result.trained_until,
        time_zone=done.detector.time_zone,
        axis=done.detector.axis_label,
        unit=done.detector.value_unit,
        notes=done.notes,
    )


def write_rows(done: FileBacktest, folder: Path) -> None:
    """Write one row per input row, in input order; cells are empty where nothing was scored."""
    columns = {
        "score": done.result.scores,
        "severity": done.result.severities,
        "anomaly": done.result.anomalies,
        "event": done.result.raised,
    }
    raised: set[int] = set()
    with _create(folder / done.input.results) as file:
        writer = csv.writer(file)
        writer.writerow(RESULT_HEADER)
        for (timestamp, value), position in zip(
            done.series.cells, done.series.positions, strict=True
        ):
            cells = {name: float(column[position]) for name, column in columns.items()}
            if position in raised and cells["event"] > 0:
                cells["event"] = 0.0
            raised.add(position)
            writer.writerow((timestamp, value, *(_cell(cells[name]) for name in columns)))


def write_nab_results(done: FileBacktest, folder: Path) -> None:
    """Write a column `anomaly_score` with each event's severity on the row that raises it, else 0."""
    raised: set[int] = set()
    with _create(folder / done.input.results) as file:
        writer = csv.writer(file)
        writer.writerow(NAB_HEADER)
        for (timestamp, _), position in zip(done.series.cells, done.series.positions, strict=True):
            event = float(np.nan_to_num(done.result.raised[position]))
            writer.writerow((timestamp, 0.0 if position in raised else event))
            raised.add(position)


def write_summary(done: Sequence[FileBacktest | UnreadFile], path: Path) -> None:
    """Write the summaries of all files as one JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([one.summary() for one in done], indent=2) + "\n")


def _create(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", newline="", encoding="utf-8")


def _cell(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.6g}"
