"""The past time that `events` and `report` show."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cutwatch_cli.stacks.deployment import Deployment

Since = Annotated[
    str,
    typer.Option("--since", help="Time to look back, such as 2w, 14d, 12h or 90m.", metavar="TIME"),
]


@dataclass(frozen=True)
class TimeRange:
    """The time from `start` until now."""

    start: datetime
    now: datetime

    @classmethod
    def until(cls, now: datetime, span: timedelta) -> "TimeRange":
        """Return the time range that looks back from the account's time."""
        return cls(now - span, now)

    def __str__(self) -> str:
        return f"since {self.start:%Y-%m-%d %H:%M} UTC"


def look_back(since: str) -> timedelta:
    """Parse the option `--since`; exit if it is not valid."""
    from cutwatch_cli.stacks.durations import parse_duration

    try:
        span = parse_duration(since, "--since")
        TimeRange.until(datetime.now(UTC), span)
    except (ValueError, OverflowError) as error:
        end(str(error), USAGE_ERROR)
    return span


def check_scored(
    deployment: "Deployment", names: "Sequence[str]", streams: "Collection[str]", shown: TimeRange
) -> None:
    """Exit if a name is unknown, or if no transform ran: then the absence of events means nothing.

    Streams do not wait for a transform; without names, a stack that has streams only gets a note.
    """
    from cutwatch_cli.stacks import run_history as history
    from cutwatch_cli.stacks.deployment import check_known

    registry, bucket = deployment.registry, deployment.bucket
    if names:
        known = history.known_names(registry, bucket, shown.now)
        kind = "detector or stream" if streams else "detector"
        check_known(names, known.union(streams), kind=kind)
        if set(names) <= set(streams):
            return
    transforms = [run for run in history.past_runs(bucket) if run.kind == "transform"]
    if any(run.scheduled >= shown.start for run in transforms):
        return
    newest = f"the newest is the {transforms[0].label} UTC" if transforms else "there is none"
    missing = f"no transform ran {shown}; {newest}"
    if names or not streams:
        end(missing, FAILURE)
    if transforms:
        note(missing)
