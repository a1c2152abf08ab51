"""Runs. All executions of one kind and scheduled time belong to the same run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Literal

from cutwatch.detectors.detector import Engine
from cutwatch.errors import InvalidInput, legible
from cutwatch.payloads import read
from cutwatch.timestamps import parse_timestamp

Kind = Literal["training", "transform"]

# S3 keys and registry keys begin with it.
_ID = re.compile(r"(training|transform)-[0-9A-Za-z-]{1,60}")
_USUAL_ID = "transform-20261102T040000Z"

_INPUTS = ("time", "detectors", "on_demand")
# What else EventBridge and a nested execution put into an input.
_ADDED_BY_AWS = (
    "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID",
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "region",
    "resources",
    "detail",
)

# Before any datapoint of CloudWatch's.
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
# The clocks of EventBridge and Step Functions may differ by seconds.
_CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True)
class RunRequest:
    """The input of an execution: the scheduled event, or the input from an operator or a transform."""

    kind: Kind
    scheduled_time: datetime
    on_demand: bool
    detectors: tuple[str, ...] | None

    @classmethod
    def from_event(cls, kind: Kind, event: Mapping[str, Any], started: str) -> "RunRequest":
        """Read `time`, the scheduled time (by default the execution's start), and `detectors`, to which the run is narrowed."""
        if not isinstance(event, Mapping):
            raise InvalidInput(f"the event is {event!r}; expected an object")
        _refuse_unknown(event)
        names = event.get("detectors")
        if names is not None and not (
            isinstance(names, list) and names and all(isinstance(name, str) for name in names)
        ):
            raise InvalidInput(f"detectors is {names!r}; expected a list of detector names")
        time = parse_timestamp(event.get("time", started)).replace(microsecond=0)
        # A watermark in the future would keep every run until then from publishing anything.
        if not _EARLIEST <= time <= parse_timestamp(started, "started") + _CLOCKS_APART:
            raise InvalidInput(
                f"time is {event.get('time')!r}; expected a time between {_EARLIEST:%Y} and now"
            )
        return cls(kind, time, bool(event.get("on_demand")), tuple(names) if names else None)


@dataclass(frozen=True)
class Run:
    """A run as it travels between states. Retries and repetitions keep its first `now`.

    A `narrowed` run has only the detectors that its input names.
    """

    id: str
    kind: Kind
    scheduled_time: str
    now: str
    on_demand: bool = False
    narrowed: bool = False

    @property
    def scheduled(self) -> datetime:
        """The scheduled time."""
        return parse_timestamp(self.scheduled_time, "scheduled_time")

    @property
    def opened_at(self) -> datetime:
        """The run's fixed "now"."""
        return parse_timestamp(self.now, "now")

    @property
    def names_key(self) -> str:
        """The S3 key of the names of all detectors of the run."""
        return f"{run_prefix(self.id)}detectors.json"

    def batches_key(self, engine: Engine) -> str:
        """Return the S3 key of the batches of an engine's detectors, which the Map reads."""
        return f"{run_prefix(self.id)}{engine}.json"

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Run":
        """Read the payload that `asdict` wrote. Raises `InvalidInput`, also for malformed times."""
        run = read(cls, payload, "run")
        if not _ID.fullmatch(run.id):
            raise InvalidInput(f"run.id is {run.id[:60]!r}; expected such as {_USUAL_ID}")
        if not min(run.scheduled, run.opened_at) >= _EARLIEST:
            raise InvalidInput(
                f"run.scheduled_time is {run.scheduled_time!r} and run.now {run.now!r}; "
                f"expected times since {_EARLIEST:%Y}"
            )
        return run


def _refuse_unknown(event: Mapping[str, Any]) -> None:
    for name in event.keys() - {*_INPUTS, *_ADDED_BY_AWS}:
        near = get_close_matches(str(name), _INPUTS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InvalidInput(
            f"{legible(name)} is not an input of a run; the inputs are {', '.join(_INPUTS)}{hint}"
        )


def run_id(kind: str, scheduled_time: datetime, *, on_demand: bool = False) -> str:
    """Return an id such as `transform-20261101T000000Z`; a training on demand ends with `-on-demand`."""
    return f"{kind}-{scheduled_time:%Y%m%dT%H%M%SZ}{'-on-demand' if on_demand else ''}"


def run_prefix(run: str) -> str:
    """Return the S3 prefix of a run's lists of detectors."""
    return f"runs/{run}/"
