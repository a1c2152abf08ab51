"""Past runs of a stack, and their outcomes by detector."""

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from botocore.exceptions import ClientError

from cutwatch.aws.s3 import Bucket
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Kind, run_prefix
from cutwatch_cli.stacks.account import error_code

_RUN = re.compile(r"(training|transform)-(\d{8}T\d{6}Z)(-on-demand)?")
_RUNS = "runs/"
WEEK = timedelta(days=7)
# Whatever their age: a monthly training is usually older than a week.
_ALWAYS_READ = 3
_AT_ONCE = 8


@dataclass(frozen=True)
class PastRun:
    """A run, as its id describes it."""

    id: str
    kind: Kind
    scheduled: datetime
    on_demand: bool

    @property
    def label(self) -> str:
        """Description of the run for messages."""
        on_demand = " on demand" if self.on_demand else ""
        return f"{self.kind}{on_demand} of {self.scheduled:%Y-%m-%d %H:%M}"


Ending = tuple[PastRun, Outcome]


def parse_run(identity: str) -> PastRun | None:
    """Parse the id of a run; return None if it is not valid."""
    found = _RUN.fullmatch(identity)
    if not found:
        return None
    try:
        scheduled = datetime.strptime(found[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return PastRun(identity, cast("Kind", found[1]), scheduled, bool(found[3]))


def on_demand_training(transform: str) -> str:
    """Return the id of the training that a transform starts for its untrained detectors."""
    return f"{transform.replace('transform', 'training', 1)}-on-demand"


def past_runs(bucket: Bucket) -> list[PastRun]:
    """List runs newest first, as far back as the bucket keeps their lists of detectors."""
    pages = bucket.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket.name, Prefix=_RUNS, Delimiter="/"
    )
    names = [
        prefix["Prefix"].split("/")[1]
        for page in pages
        for prefix in page.get("CommonPrefixes", [])
    ]
    runs = [run for name in names if (run := parse_run(name))]
    # A transform that had detectors trained ended after their training, which has the same scheduled time.
    return sorted(runs, key=lambda run: (run.scheduled, run.kind == "transform"), reverse=True)


def recent(runs: Sequence[PastRun], since: datetime) -> list[PastRun]:
    """Return runs since a time, and always the newest few of each kind."""
    newest = {
        run
        for kind in ("training", "transform")
        for run in [each for each in runs if each.kind == kind][:_ALWAYS_READ]
    }
    return [run for run in runs if run.scheduled >= since or run in newest]


def endings(registry: Registry, runs: Sequence[PastRun]) -> list[Ending]:
    """Read the outcomes of these runs, in the order of the runs."""
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        found = readers.map(lambda run: registry.outcomes.of_run(run.id), runs)
        return [(run, outcome) for run, own in zip(runs, found, strict=True) for outcome in own]


def by_detector(ended: Iterable[Ending]) -> dict[str, list[Ending]]:
    """Group outcomes by detector, in the same order."""
    result: dict[str, list[Ending]] = {}
    for run, outcome in ended:
        result.setdefault(outcome.detector, []).append((run, outcome))
    return result


def current_names(recorded: Iterable[str], ended: Mapping[str, Sequence[Ending]]) -> set[str]:
    """Return the names of current detectors: those with a record, and those without one that recent runs included.

    A detector without data has no record. It has left detectors.yaml if the newest run of the whole fleet did not include
    it. A run that did not include every detector with a record was restricted to some.
    """
    known = set(recorded)
    met: dict[PastRun, set[str]] = {}
    for name, own in ended.items():
        for run, _ in own:
            met.setdefault(run, set()).add(name)
    whole = [run.scheduled for run, names in met.items() if not run.on_demand and known <= names]
    since = max(whole, default=datetime.min.replace(tzinfo=UTC))
    return known | {name for name, own in ended.items() if own[0][0].scheduled >= since}


def listed_names(bucket: Bucket, run: str) -> list[str] | None:
    """Return the detectors of a run; None before they are listed."""
    try:
        names: list[str] = bucket.read_json(f"{run_prefix(run)}detectors.json")
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
    return names


def known_names(registry: Registry, bucket: Bucket, now: datetime) -> set[str]:
    """Return the names of all current detectors, as far as the stack's runs know."""
    ended = by_detector(endings(registry, recent(past_runs(bucket), now - WEEK)))
    return current_names(registry.detectors.all(), ended)
