"""A replay on the terminal, as `demo` and `run` show it."""

from datetime import timedelta
from pathlib import Path

from rich.console import Console

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.shortage import remedies
from cutwatch_cli.commands.exits import FAILURE, end
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.entries.entry import replayable
from cutwatch_cli.replay.presentation import Planted, present, replay_with_progress
from cutwatch_cli.replay.replay import ReplayError
from cutwatch_cli.replay.schedule import default_training_time


def show_replay(
    series: MetricSeries,
    detector: Detector,
    page: Path,
    training_days: float | None = None,
    planted: Planted = (),
) -> None:
    """Replay the schedules over the series, print the events, and write the page."""
    console = Console(highlight=False, soft_wrap=True)
    training_time = (
        default_training_time(series.start, series.end)
        if training_days is None
        else timedelta(days=training_days)
    )
    try:
        result = replay_with_progress(console, series, replayable(detector), training_time)
    except ReplayError as error:
        end(str(error), FAILURE)
    outcomes = [outcome for _, outcome in result.outcomes]
    if not any(outcome.status == "PUBLISHED" for outcome in outcomes):
        first = next(outcome for outcome in outcomes if outcome.status != "TRAINED")
        remedy = (
            f"; use {remedies(series, detector.engine)}"
            if first.status == "TOO_LITTLE_HISTORY"
            else ""
        )
        end(f"nothing was scored: {first.message}{remedy}", FAILURE)
    present(console, series, detector, result, page, planted)
