"""Backtests of many CSV files on all cores, written as CSV and JSON."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.deployed_forest import deployed_engine
from cutwatch_cli.backtest.simulation import (
    DEFAULT_PLAN,
    Backtest,
    Plan,
    backtest,
)
from cutwatch_cli.backtest.simulation import default_training_time as probation
from cutwatch_cli.csv_files.csv_series import CsvError, read_csv
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.schedule import default_training_time
from cutwatch_cli.report import DetectorReport

_HEADER = ("timestamp", "value", "score", "severity", "anomaly", "event")


@dataclass(frozen=True)
class Options:
    """Settings that all files of a backtest share.

    `detector_of` returns the detector of a file with this period. `training_time` is that of the schedule where it is
    None, or that of the Numenta Anomaly Benchmark with `probation`.
    """

    detector_of: Callable[[Path, int], Detector]
    training_time: timedelta | None = None
    plan: Plan = DEFAULT_PLAN
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

    path: Path
    series: MetricSeries
    detector: Detector
    result: Backtest

    @property
    def name(self) -> str:
        """Relative path of the file's results: `<parent folder>/<name>.csv`."""
        return f"{self.path.resolve().parent.name}/{self.path.name}"

    @property
    def title(self) -> str:
        """Title of the file's chart."""
        return str(self.path)

    def rows(self) -> Iterable[tuple[str, str, int]]:
        """Return timestamp, value and position of each row, in the order of the file."""
        for (timestamp, value), position in zip(
            _input_rows(self.path), self.series.positions, strict=True
        ):
            yield timestamp, value, position

    def summary(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            "file": str(self.path),
            "period": self.series.period_seconds,
            "weeks": round(self.result.weeks, 2),
            "datapoints_scored": int(np.count_nonzero(~np.isnan(self.result.scores))),
            "events": len(self.result.events),
            "events_by_sensitivity": dict(self.result.events_by_sensitivity),
        }


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return CSV files, searching directories at any depth. Raises `CsvError` for any other path."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.rglob("*.csv"))
        elif path.is_file():
            found.append(path)
        else:
            raise CsvError(f"{path}: is neither a CSV file nor a directory with CSV files")
    if not found:
        raise CsvError(f"{', '.join(map(str, paths))}: no CSV file there")
    return found


def backtest_file(path: Path, options: Options) -> FileBacktest:
    """Backtest one file. Raises `CsvError` if the file does not contain a metric."""
    series = read_csv(path, options.period)
    detector = options.detector_of(path, series.period_seconds)
    plan = replace(options.plan, engine=detector.engine)
    result = backtest(
        series, detector, options.training_time_of(series), plan, deployed_engine(detector)
    )
    return FileBacktest(path, series, detector, result)


def backtest_files(paths: Sequence[Path], options: Options, output: Path) -> Iterator[FileBacktest]:
    """Backtest files on all cores, write their results, and yield each as it completes."""
    with ProcessPoolExecutor() as pool:
        jobs = [pool.submit(_backtest_and_write, path, options, output) for path in paths]
        for job in as_completed(jobs):
            yield job.result()


def _backtest_and_write(path: Path, options: Options, output: Path) -> FileBacktest:
    done = backtest_file(path, options)
    write_rows(done, output)
    return done


def report_of(done: FileBacktest) -> DetectorReport:
    """Convert a backtest to a detector report."""
    anomalies = done.result.anomalies
    return DetectorReport(
        detector=done.path.stem,
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
    with _create(folder / done.name) as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for timestamp, value, position in done.rows():
            cells = {name: float(column[position]) for name, column in columns.items()}
            if position in raised and cells["event"] > 0:
                cells["event"] = 0.0
            raised.add(position)
            writer.writerow((timestamp, value, *(_cell(cells[name]) for name in columns)))


def write_nab_results(done: FileBacktest, folder: Path) -> None:
    """Write a column `anomaly_score` with each event's severity on the row that raises it, else 0."""
    raised: set[int] = set()
    with _create(folder / done.name) as file:
        writer = csv.writer(file)
        writer.writerow(("timestamp", "anomaly_score"))
        for timestamp, _, position in done.rows():
            event = float(np.nan_to_num(done.result.raised[position]))
            writer.writerow((timestamp, 0.0 if position in raised else event))
            raised.add(position)


def write_summary(done: Sequence[FileBacktest], path: Path) -> None:
    """Write the summaries of all files as one JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([one.summary() for one in done], indent=2) + "\n")


def _create(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", newline="", encoding="utf-8")


def _input_rows(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            cells: Mapping[str, str] = {
                name.strip().lower(): text or "" for name, text in row.items() if name
            }
            yield cells["timestamp"], cells["value"]


def _cell(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.6g}"
