"""Backtests of detectors over their history in CloudWatch, on all cores."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.files import FileBacktest, UnreadFile, backtest_series, write_rows
from cutwatch_cli.backtest.inputs import InputFile
from cutwatch_cli.backtest.simulation import Plan
from cutwatch_cli.csv_files.csv_series import CsvError, as_cells
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.schedule import default_training_time

History = tuple[Detector, MetricSeries]


@dataclass(frozen=True, eq=False)
class HistoryBacktest(FileBacktest):
    """Backtest of one detector over the history of its metric."""

    @property
    def title(self) -> str:
        """Title of the chart."""
        return self.detector.metric_label

    def summary(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        of_file = super().summary()
        del of_file["file"]
        return {"detector": self.detector.name, "metric": self.detector.metric_label} | of_file


def backtest_histories(
    histories: Sequence[History], training_time: timedelta | None, plan: Plan, output: Path
) -> Iterator[FileBacktest | UnreadFile]:
    """Backtest histories on all cores, write their results, and yield each as it completes."""
    with ProcessPoolExecutor() as pool:
        jobs = [
            pool.submit(_backtest_and_write, *each, training_time, plan, output)
            for each in histories
        ]
        for job in as_completed(jobs):
            yield job.result()


def _backtest_and_write(
    detector: Detector,
    series: MetricSeries,
    training_time: timedelta | None,
    plan: Plan,
    output: Path,
) -> FileBacktest | UnreadFile:
    if training_time is None:
        training_time = default_training_time(series.start, series.end)
    cells, positions = list(as_cells(series)), list(range(len(series.values)))
    series = replace(series, cells=cells, positions=positions)
    given = InputFile(Path(detector.name), f"{detector.name}.csv", detector.name)
    try:
        done = backtest_series(given, series, detector, training_time, plan)
    except CsvError as error:
        return UnreadFile(given.path, str(error))
    done = HistoryBacktest(given, series, detector, done.result)
    write_rows(done, output)
    return done
