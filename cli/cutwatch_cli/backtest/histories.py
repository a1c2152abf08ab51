"""Backtests of detectors over their history in CloudWatch, on all cores."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.deployed_forest import deployed_engine
from cutwatch_cli.backtest.files import FileBacktest, write_rows
from cutwatch_cli.backtest.simulation import Plan, backtest
from cutwatch_cli.csv_files.csv_series import as_cells
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.schedule import default_training_time

History = tuple[Detector, MetricSeries]


@dataclass(frozen=True, eq=False)
class HistoryBacktest(FileBacktest):
    """Backtest of one detector over the history of its metric."""

    @property
    def name(self) -> str:
        """Name of the file of results."""
        return f"{self.detector.name}.csv"

    @property
    def title(self) -> str:
        """Title of the detector's chart."""
        return self.detector.metric_label

    def rows(self) -> Iterable[tuple[str, str, int]]:
        """Return timestamp, value and position of every period."""
        for position, (timestamp, value) in enumerate(as_cells(self.series)):
            yield timestamp, value, position

    def summary(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        of_file = super().summary()
        del of_file["file"]
        return {"detector": self.detector.name, "metric": self.detector.metric_label} | of_file


def backtest_histories(
    histories: Sequence[History], training_time: timedelta | None, plan: Plan, output: Path
) -> Iterator[HistoryBacktest]:
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
) -> HistoryBacktest:
    if training_time is None:
        training_time = default_training_time(series.start, series.end)
    plan = replace(plan, engine=detector.engine)
    result = backtest(series, detector, training_time, plan, deployed_engine(detector))
    done = HistoryBacktest(Path(f"{detector.name}.csv"), series, detector, result)
    write_rows(done, output)
    return done
