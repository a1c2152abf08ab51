"""Runs of a table's training."""

from collections.abc import Mapping
from typing import Any

from cutwatch.registry.run import Run, RunRequest, run_id
from cutwatch.timestamps import format_timestamp, parse_timestamp


def open_run(event: Mapping[str, Any], started: str) -> Run:
    """Return the run of an execution's input, whose `time` is the scheduled time, by default its start.

    Executions of one scheduled time are the same run, so nothing is prepared, trained or deployed twice. Raises `InvalidInput`.
    """
    request = RunRequest.from_event("training", event, started)
    scheduled = request.scheduled_time
    now = format_timestamp(parse_timestamp(started, "started"))
    return Run(run_id("training", scheduled), "training", format_timestamp(scheduled), now)
