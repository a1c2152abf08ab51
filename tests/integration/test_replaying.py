from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import numpy as np
import pytest
import typer

from cutwatch.detectors.detector import Detector
from cutwatch.registry.outcome import Outcome
from cutwatch_cli.commands import replaying
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.replay import Replay
from cutwatch_cli.replay.schedule import ScheduledRun

START = datetime(2026, 3, 1, tzinfo=UTC)
DETECTOR = Detector(name="m", namespace="N", metric="m", statistic="Average")


def show(status: Literal["PUBLISHED", "TOO_LITTLE_HISTORY"]) -> None:
    outcomes = [
        (ScheduledRun("training", START), Outcome("m", "TOO_LITTLE_HISTORY", "60 complete rows")),
        (ScheduledRun("transform", START), Outcome("m", status, "no model yet")),
    ]
    result = Replay(np.full(400, np.nan), [None] * 400, outcomes=outcomes)
    with (
        patch.object(replaying, "replay_with_progress", return_value=result),
        patch.object(replaying, "present"),
    ):
        replaying.show_replay(MetricSeries(300, START, [1.0] * 400), DETECTOR, Path("page.html"))


def test_a_replay_that_scored_nothing_is_a_failure_that_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as ended:
        show("TOO_LITTLE_HISTORY")

    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == (
        "cutwatch: nothing was scored: 60 complete rows; use --training-days 0.77, or --engine lambda "
        "--training-days 0.39, or a history of at least 1,334 datapoints\n"
    )


def test_a_replay_that_scored_something_succeeds() -> None:
    show("PUBLISHED")
