"""Backtests of many CSV files on all cores, written as CSV and JSON."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.simulation import (
    DEFAULT_PLAN,
    Backtest,
    Plan,
    backtest,
    default_training_time,
)
from cutwatch_cli.csv_files.csv_series import CsvError, read_csv
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.report import DetectorReport

_HEADER = ("timestamp", "value", "score", "severity", "anomaly", "event")


@dataclass(frozen=True)
class Options:
    """Settings that all files of a backtest share; each file supplies its own metric and period."""

    detector: Detector
    training_time: timedelta | None
    plan: Plan = DEFAULT_PLAN


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

    def summary(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            "file": str(self.path),
            "period": self.series.period_seconds,
            "weeks": round(self.result.weeks, 2),
            "datapoints_scored": int(np.count_nonzero(~np.isnan(self.result.scores))),
            "events": len(self.result.events),
            "events_by_sensitivity": dict(self.result.events_by_sensitivity),
            "remark": self.result.remark,
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
    series = read_csv(path)
    detector = replace(options.detector, period=series.period_seconds)
    training_time = options.training_time or default_training_time(series)
    result = backtest(series, detector, training_time, options.plan)
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
        title=str(done.path),
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
        for (timestamp, value), position in zip(
            _input_rows(done.path), done.series.positions, strict=True
        ):
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
        for (timestamp, _), position in zip(
            _input_rows(done.path), done.series.positions, strict=True
        ):
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
