"""Taxi rides of the Numenta Anomaly Benchmark, written to a table: the rule of AWS's published example beside both engines.

    PYTHONPATH=functions:cli:localaws/src:. .venv/bin/python benchmarks/taxi.py ../shared/data/nab

Whatever needs training gets the first half, and the second half is judged. The published rule tells of every record above the mean plus
three standard deviations of the training scores, with the transaction's id as a column; the engines tell of incidents.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from cutwatch.detectors.stream import ForestSettings
from cutwatch.detectors.watched_table import TableCutoff, WatchedTable
from cutwatch.endpoints.cutoff_store import VariantCutoff
from cutwatch.endpoints.cutoffs import cutoff_of
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.key_states import KeyStates
from cutwatch.streams.record import RawRecord, Record
from cutwatch.streams.scoring import Arrived
from cutwatch.tables.detection import TableDetection
from cutwatch.tables.forest_scoring import change_scorer
from cutwatch.tables.forest_state import TableBucket
from cutwatch.tables.state import TableState
from cutwatch.timestamps import parse_timestamp
from cutwatch_cli.tables.ridership import Ride, Ridership, read_rides
from localaws.sagemaker import random_cut_forest
from localaws.sagemaker.random_cut_forest import Hyperparameters

SERIES = "realKnownCause/nyc_taxi.csv"
HALF_HOUR_SECONDS = 1_800
WEEKS_OF = 7 * 24 * 3_600
Columns = Callable[[Ride], tuple[float, ...]]
Span = tuple[float, float]


@dataclass(frozen=True)
class Told:
    """Spans of what was told, in epoch seconds, and how many records a second were judged."""

    spans: Sequence[Span]
    rate: float


def rides_only(ride: Ride) -> tuple[float, ...]:
    return (ride.rides,)


def with_difference(ride: Ride) -> tuple[float, ...]:
    return (ride.rides, ride.difference)


def with_id(ride: Ride) -> tuple[float, ...]:
    # Ids of the published table ascend.
    return (ride.time.timestamp() / HALF_HOUR_SECONDS, ride.rides)


def scores_of(rides: Ridership, columns: Columns) -> tuple[np.ndarray, np.ndarray, float]:
    """Scores of the training data and of the live rides, by the endpoint's algorithm, and its rate."""
    training = np.array([columns(each) for each in rides.training])
    live = np.array([columns(each) for each in rides.live])
    forest = random_cut_forest.load(
        random_cut_forest.train(training, Hyperparameters(training.shape[1], 100, 256))
    )
    known = np.array(random_cut_forest.score(forest, training))
    started = time.perf_counter()
    found = np.array(random_cut_forest.score(forest, live))
    return known, found, len(live) / (time.perf_counter() - started)


def published_rule(rides: Ridership, columns: Columns) -> Told:
    known, found, rate = scores_of(rides, columns)
    cutoff = known.mean() + 3 * known.std()
    told = [ride.time.timestamp() for ride, score in zip(rides.live, found, strict=True) if score > cutoff]  # fmt: skip
    return Told([(each, each + HALF_HOUR_SECONDS) for each in told], rate)


def endpoint(rides: Ridership, columns: Columns, sigmas: float) -> Told:
    known, found, rate = scores_of(rides, columns)
    names = ("ridecount", "difference")[: len(columns(rides.live[0]))]
    rule = TableCutoff(sigmas=sigmas)
    value = cutoff_of(rule, known)
    training = np.array([columns(each) for each in rides.training])
    middle, low, high = np.percentile(training, (50, 5, 95), axis=0)
    table = WatchedTable("taxi", "rides", {name: name for name in names}, cutoff=rule)
    ranges = tuple(zip(middle.tolist(), low.tolist(), high.tolist(), strict=True))
    cutoff = VariantCutoff("model", table.fingerprint, names, value.value, value.mean, value.standard_deviation, ranges, len(known), "")  # fmt: skip
    detection, state = TableDetection(table), TableState()
    changes: list[IncidentChange] = []
    for number, (ride, score) in enumerate(zip(rides.live, found.tolist(), strict=True)):
        record = Record("", ride.time.timestamp(), columns(ride), str(number), number)
        detection.row(state, record, score, cutoff, changes)
    return Told(_spans(changes, state), rate)


def learning_forest(rides: Ridership, columns: Columns) -> Told:
    """The training data are changes too: the forest learns them, and what it tells of them does not count."""
    names = ("ridecount", "difference")[: len(columns(rides.live[0]))]
    table = WatchedTable("taxi", "rides", {name: name for name in names}, engine="forest", forest=ForestSettings(trees=100))  # fmt: skip
    scorer, bucket = change_scorer(table), TableBucket(0, KeyStates(table.as_stream))
    changes: list[IncidentChange] = []
    rate = 0.0
    for part in (rides.training, rides.live):
        started = time.perf_counter()
        arrived = [_arrived(number, ride, columns) for number, ride in enumerate(part)]
        changes = scorer.score(bucket, arrived).changes
        rate = len(part) / (time.perf_counter() - started)
    spans = {each.incident.id: _span(each) for each in changes}
    first = rides.live[0].time.timestamp()
    return Told([span for span in spans.values() if span[0] >= first], rate)


def _arrived(number: int, ride: Ride, columns: Columns) -> Arrived:
    at = ride.time.timestamp()
    lane = f"{at:.0f}:{number}"
    return Arrived((Record("", at, columns(ride), lane, number),), RawRecord(b"", lane, number, at))


def _spans(changes: Sequence[IncidentChange], state: TableState) -> list[Span]:
    spans = {each.incident.id: _span(each) for each in changes}
    spans |= {each.incident.id: (each.incident.begin_time, each.incident.last_time + HALF_HOUR_SECONDS) for each in state.incidents.values()}  # fmt: skip
    return list(spans.values())


def _span(change: IncidentChange) -> Span:
    return change.incident.begin_time, change.incident.last_time + HALF_HOUR_SECONDS


def windows(folder: Path, rides: Ridership) -> list[Span]:
    """The labelled windows that lie in the live half."""
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())[SERIES]
    found = [(_seconds(begin), _seconds(end)) for begin, end in labels]
    return [(begin, end) for begin, end in found if end > rides.live[0].time.timestamp()]


def _seconds(text: str) -> float:
    return parse_timestamp(text.partition(".")[0].replace(" ", "T") + "Z").timestamp()


def main(folder: Annotated[Path, typer.Argument(help="The folder of NAB's data and labels.")]) -> None:  # fmt: skip
    rides = read_rides(folder / "data" / SERIES)
    labelled = windows(folder, rides)
    weeks = len(rides.live) * HALF_HOUR_SECONDS / WEEKS_OF
    contenders: dict[str, Callable[[], Told]] = {
        "published rule, with the id": lambda: published_rule(rides, with_id),
        "published rule, rides only": lambda: published_rule(rides, rides_only),
        "engine: endpoint, rides only": lambda: endpoint(rides, rides_only, 3.0),
        "engine: endpoint, rides and difference, 4 sigmas": lambda: endpoint(rides, with_difference, 4.0),
        "engine: forest, rides only": lambda: learning_forest(rides, rides_only),
        "engine: forest, rides and difference": lambda: learning_forest(rides, with_difference),
    }  # fmt: skip
    table = Table("rule", "notifications", f"windows found of {len(labelled)}", "notifications outside", "outside a week", "records/s")  # fmt: skip
    for name, run in contenders.items():
        told = run()
        inside = [[begin < each[1] and end > each[0] for begin, end in told.spans] for each in labelled]  # fmt: skip
        outside = len(told.spans) - sum(map(any, zip(*inside, strict=True)))
        table.add_row(name, f"{len(told.spans):,}", str(sum(map(any, inside))), f"{outside:,}", f"{outside / weeks:.1f}", f"{told.rate:,.0f}")  # fmt: skip
    Console(width=140).print(table)


if __name__ == "__main__":
    typer.run(main)
