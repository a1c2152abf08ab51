"""Gain of a stream by the forest of a detector: `python benchmarks/cold_start.py --nab NAB`.

    OMP_NUM_THREADS=1 PYTHONPATH=functions:cli .venv/bin/python benchmarks/cold_start.py --nab NAB

The first half of each file of the Numenta Anomaly Benchmark is the history of a detector with `engine: lambda` and `features: [value]`,
and the other half comes as a stream: with the detector's forest, without it, and without it with the default forest. An alarm is the row
that begins an incident. Windows that begin in the first half do not count.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from labelled import FIVE_MINUTES, LabelledMetric, load_nab
from rich.console import Console
from rich.table import Table

from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.detector_record import Model
from cutwatch.streams.copied_forest import copied_forest
from cutwatch.streams.detector_forest import DetectorForest
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.timeseries.series import Series

NAB_RECORD = RecordFormat("timestamp", {"value": "value"}, format="csv", columns=("timestamp", "value"))  # fmt: skip
BEGUN = Stream("nab", "nab", NAB_RECORD, forest=DETECTOR_FOREST, cold_start="nab")
SAME_FOREST = replace(BEGUN, cold_start="")
USUAL_FOREST = replace(SAME_FOREST, forest=ForestSettings())
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ARRIVAL = 2e9


class Outcome(NamedTuple):
    """Records without a score, labelled windows that were found, and false alarms."""

    mute: int
    found: int
    false: int


def trained(values: Sequence[float], seed: int) -> DetectorForest:
    """Return the forest after a training on a history."""
    series = Series(_START, FIVE_MINUTES, np.array(values, np.float64))
    recipe = FeatureRecipe.fit(series, ("value",), 1, "UTC", "lambda")
    checkpoint = ForestCheckpoint.untrained(1, 1, seed)
    checkpoint.score(recipe.transform(series), int(series.end.timestamp()))
    model = Model("nab", "", "", "", "", {}, "adaptive", "lambda", "nab")
    return copied_forest(BEGUN, model, checkpoint.to_bytes(), "", recipe.to_payload())


def outcome(
    stream: Stream, metric: LabelledMetric, lines: Sequence[bytes], first: DetectorForest | None
) -> Outcome:
    """Return the outcome of the second half of a file as a stream."""
    half = len(lines) // 2
    records = [RawRecord(line, "0", number, _ARRIVAL) for number, line in enumerate(lines)][half:]
    scorer = StreamScorer(stream, first=first)
    result = scorer.score(KeyBucket.empty(stream, 0), scorer.by_bucket(records)[0])
    began = {change.incident.id for change in result.changes if change.kind == "began"}
    alarms = []
    for row in result.rows:
        if row.incident in began:
            began.remove(row.incident)
            alarms.append(int(row.origin[1]))
    windows = [each for each in metric.events if each[0] >= half]
    return Outcome(
        mute=sum(row.learning for row in result.rows),
        found=sum(any(a <= each <= b for each in alarms) for a, b in windows),
        false=sum(not any(a <= each <= b for a, b in metric.events) for each in alarms),
    )


def outcomes(metric: LabelledMetric, seed: int) -> list[Outcome]:
    """Return the outcomes of one file with the forest of the detector, without it, and with the default forest."""
    lines = metric.path.read_bytes().splitlines()[1:]
    history = [float(line.rpartition(b",")[2]) for line in lines[: len(lines) // 2]]
    others = [replace(each, name=f"nab-{seed}") for each in (SAME_FOREST, USUAL_FOREST)]
    begun = outcome(BEGUN, metric, lines, trained(history, seed))
    return [begun, *(outcome(each, metric, lines, None) for each in others)]


def main(
    nab: Annotated[Path, typer.Option(help="The Numenta Anomaly Benchmark: data/, labels/.")],
    file: Annotated[
        str, typer.Option(help="Part of the names of the files to show.")
    ] = "ec2_request",
    seeds: Annotated[int, typer.Option(help="Forests per file.")] = 3,
) -> None:
    metrics = load_nab(nab)
    table = Table(
        title=f"Second halves of {len(metrics)} files as streams, {seeds} seeds", box=None
    )
    for heading in ("files", "keys begin with", "records without a score", "windows", "found", "false alarms"):  # fmt: skip
        table.add_column(heading, justify="right")
    everything = {each.path: [outcomes(each, seed) for seed in range(seeds)] for each in metrics}
    for title, chosen in (
        ("all", metrics),
        (file, [each for each in metrics if file in each.path.name]),
    ):
        windows = sum(a >= each.rows // 2 for each in chosen for a, _ in each.events)
        sums = np.sum([everything[each.path] for each in chosen], axis=0).mean(axis=0)
        for name, (mute, found, false) in zip(
            ("the detector's forest", "nothing, 30 x 512", "nothing, 100 x 256"), sums, strict=True
        ):
            table.add_row(
                title,
                name,
                f"{mute / len(chosen):,.0f}",
                str(windows),
                f"{found:.1f}",
                f"{false:.1f}",
            )
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
