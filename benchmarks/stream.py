"""Records of a stream scored by Cutwatch and by krcf alone, side by side: rates, and quality on labelled records.

    OMP_NUM_THREADS=1 PYTHONPATH=functions:cli .venv/bin/python benchmarks/stream.py --kdd 16_http.npz --nab NAB

Rates are records per second of processor time of one core, with everything that the function does to a batch: from the
event of Kinesis to the stored states and the answer. S3 is a dict; metrics and log lines, some per batch, are not written. A warm function
keeps the states that it wrote; a cold one reads every state again before each batch. krcf and river's half-space trees get the
numbers and keep their forests. All take turns in every repetition, and the ratio of each repetition counts. `--kdd` is `16_http.npz` of ADBench: `X` (n, 3) and labels `y` (n,) of KDD Cup 1999's HTTP records. Rows that
the forest only learns have no score and do not count. `--nab` is a folder with `data` and `labels/combined_windows.json`.
"""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import product, repeat
from pathlib import Path
from statistics import median
from time import process_time
from typing import Annotated, Any, NamedTuple, get_args

import numpy as np
import typer
from krcf import RandomCutForest
from labelled import (
    Flags,
    LabelledMetric,
    fleet_quality,
    load_kpi,
    load_nab,
    load_operations,
    nab_quality,
)
from rich.console import Console
from rich.table import Table
from river.anomaly import HalfSpaceTrees
from sklearn.metrics import average_precision_score, roc_auc_score

from cutwatch.detection.parameters import DEFAULT, HOUR
from cutwatch.detectors.detector import Sensitivity
from cutwatch.detectors.record_format import RecordFormat, TimeFormat
from cutwatch.detectors.stream import ForestSettings, IncidentBegin, KeySettings, Stream
from cutwatch.errors import NotFound
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.buckets import bucket_count
from cutwatch.streams.forest import forest_seed
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.kinesis import partial_response, records_of
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.timeseries.arrays import Floats

BATCH = 1_000
KDD_ROWS, KDD_SEEDS = 60_000, 5
KDD_FOREST = ForestSettings(trees=50, sample_size=256)
NAB_STREAM = Stream(
    "nab",
    "nab",
    RecordFormat("timestamp", {"value": "value"}, format="csv", columns=("timestamp", "value")),
)
# As detection joins the changes of a metric's level.
ENDS_AFTER = IncidentBegin(ends_after=DEFAULT.level_joined_hours * HOUR)
_START, _ARRIVAL = 1_700_000_000, 2e9


LOAD: Mapping[str, Callable[[Path], list[LabelledMetric]]] = {
    "NAB": load_nab,
    "KPI": load_kpi,
    "operations": load_operations,
}


class Case(NamedTuple):
    """A stream to measure: forest, columns, keys, and whether every record is attributed."""

    trees: int
    columns: int
    keys: int = 1
    attributed: bool = False

    @property
    def settings(self) -> ForestSettings:
        return ForestSettings(trees=self.trees, directionality=self.attributed)


CASES = (
    Case(30, 1),
    Case(30, 1, attributed=True),
    Case(100, 2),
    Case(100, 2, attributed=True),
    Case(30, 1, keys=10),
    Case(30, 1, keys=100),
    Case(30, 1, keys=1_000),
)
# River's half-space trees learn in windows of this many rows, and need values between 0 and 1.
RIVER_WINDOW = 250
_NOTHING = 1e-3
# A batch of many keys takes seconds.
_MANY_KEYS, _MOST_KEYS_ROWS = 100, 3_000


def stream_of(columns: int, forest: ForestSettings, keys: int = 1) -> Stream:
    names = {f"c{number}": f"values.c{number}" for number in range(columns)}
    record = RecordFormat("at", names, "device.id", time_format="seconds")
    return Stream("measured", "measured", record, forest=forest, keys=KeySettings(limit=keys))


def raw_records(rows: Floats, keys: int = 1) -> list[RawRecord]:
    """Encode rows (n, d) as JSON records of `keys` keys in turn, a second apart."""
    names = [f"c{number}" for number in range(rows.shape[1])]
    return [
        RawRecord(
            json.dumps(
                {
                    "device": {"id": _key(number % keys)},
                    "at": _START + number,
                    "values": dict(zip(names, row, strict=True)),
                }
            ).encode(),
            "0",
            number,
            _ARRIVAL,
        )
        for number, row in enumerate(rows.tolist())
    ]


def _key(number: int) -> str:
    return f"device-{number}"


@dataclass
class MemoryBucket:
    """One object store that counts its calls and the bytes of its objects."""

    name: str = "bucket"
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    gets: int = 0
    puts: int = 0

    def uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def read_with_etag(self, key: str) -> tuple[bytes, str]:
        self.gets += 1
        if key not in self.objects:
            raise NotFound("GetObject", "NoSuchKey", key)
        return self.objects[key]

    def put_if(self, key: str, content: bytes, etag: str | None) -> str:  # noqa: ARG002 - nobody else writes
        self.puts += 1
        self.objects[key] = (content, f"{self.puts}")
        return f"{self.puts}"


def events(records: Sequence[RawRecord], size: int = BATCH) -> list[dict[str, Any]]:
    """Return the records as a mapping of Kinesis sends them, in batches."""
    return [
        {"Records": [_of_kinesis(each) for each in records[start : start + size]]}
        for start in range(0, len(records), size)
    ]


def _of_kinesis(record: RawRecord) -> dict[str, Any]:
    return {
        "eventID": f"shardId-000000000000:{record.position}",
        "kinesis": {
            "data": b64encode(record.data).decode(),
            "sequenceNumber": str(record.position),
            "approximateArrivalTimestamp": record.arrival,
            "partitionKey": "",
        },
    }


def function_of(stream: Stream, bucket: MemoryBucket) -> BatchScorer:
    """Return the scoring of batches, as the function keeps it between invocations."""
    store = StateStore(bucket, stream)  # type: ignore[arg-type]
    return BatchScorer(StreamScorer(stream, bucket_count(stream)), store, Outbox.clear)


def cutwatch_scores(
    function: BatchScorer, batches: Sequence[Any], *, warm: bool = True
) -> list[float]:
    """Score the events of a mapping as the function does; return the scores by position."""
    scores: dict[int, float] = {}
    for event in batches:
        if not warm:
            function.store.cache.clear()
        report = function.score(records_of(event))
        scores |= {row.origin[1]: row.score for row in report.rows()}
        if partial_response(report.failed)["batchItemFailures"] or report.errors:
            raise RuntimeError(f"records failed: {report.errors}")
    return [scores[position] for position in sorted(scores)]


def bare_forests(case: Case, stream: Stream) -> list[RandomCutForest]:
    """Return a forest per key that has the seed of Cutwatch's."""
    seeds = [forest_seed(stream, _key(number)) for number in range(case.keys)]
    return [_bare_forest(case.settings, case.columns, seed) for seed in seeds]


def bare_scores(case: Case, forests: Sequence[RandomCutForest], rows: Floats) -> list[float]:
    """Score and learn in a loop."""
    scores = []
    for number, row in enumerate(rows.tolist()):
        forest = forests[number % case.keys]
        scores.append(forest.score(row))
        if case.attributed:
            forest.attribution(row)
        forest.update(row)
    return scores


def _bare_forest(settings: ForestSettings, columns: int, seed: int) -> RandomCutForest:
    return RandomCutForest(
        {
            "dimensions": columns,
            "shingle_size": 1,
            "num_trees": settings.trees,
            "sample_size": settings.sample_size,
            "lambda": 1 / settings.time_decay,
            "random_seed": seed,
            "output_after": settings.sample_size,
            "parallel_execution_enabled": False,
        }
    )


def river_scores(case: Case, rows: Floats) -> list[float]:
    """Score and learn in a loop, with as many half-space trees as Cutwatch has, of one key."""
    names = range(case.columns)
    forest = HalfSpaceTrees(n_trees=case.trees, window_size=RIVER_WINDOW, seed=0)
    scores = []
    scaled = (rows - rows.min(axis=0)) / np.ptp(rows, axis=0)
    for row in scaled.tolist():
        values = dict(zip(names, row, strict=True))
        scores.append(forest.score_one(values))
        forest.learn_one(values)
    return scores


class Measured(NamedTuple):
    """Processor seconds of a repetition, and of its objects: kB, and calls a batch."""

    warm: float
    cold: float
    bare: float
    river: float
    kilobytes: float
    gets: float
    puts: float


def measured(case: Case, count: int, repetition: int) -> Measured:
    """Measure all on full forests, one after the other."""
    stream = stream_of(case.columns, case.settings, case.keys)
    learned = case.keys * stream.forest.sample_size
    rows = np.random.default_rng(repetition).normal(size=(learned + count, case.columns))
    records = raw_records(rows, case.keys)
    batches, bucket = events(records[learned:]), MemoryBucket()
    function, forests = function_of(stream, bucket), bare_forests(case, stream)
    cutwatch_scores(function, events(records[:learned], learned))
    bare_scores(case, forests, rows[:learned])
    cold = MemoryBucket(objects=dict(bucket.objects))
    bucket.puts = 0
    times = [process_time()]
    cutwatch_scores(function, batches)
    times.append(process_time())
    cutwatch_scores(function_of(stream, cold), batches, warm=False)
    times.append(process_time())
    bare_scores(case, forests, rows[learned:])
    times.append(process_time())
    if not case.attributed and case.keys == 1:
        river_scores(case, rows[learned:])
    times.append(process_time())
    size = sum(len(content) for content, _ in bucket.objects.values())
    return Measured(
        *np.diff(times).tolist(),
        size / case.keys / 1e3,
        cold.gets / len(batches),
        bucket.puts / len(batches),
    )


def rates(count: int, repetitions: int) -> Table:
    load = os.getloadavg()[0]
    table = Table(title=f"{count:,} records in batches of {BATCH:,}; load {load:.0f}", box=None)
    for heading in (
        *("trees x samples", "columns", "keys", "attribution"),
        *("warm/s", "cold/s", "krcf/s", "warm: ratio", "river/s"),
        *("kB a key", "GETs a cold batch", "PUTs a batch"),
    ):
        table.add_column(heading, justify="right")
    for case in CASES:
        rows = min(count, _MOST_KEYS_ROWS) if case.keys > _MANY_KEYS else count
        each = [measured(case, rows, repetition) for repetition in range(repetitions)]
        warm, cold, bare, river, size, gets, puts = np.median(np.array(each), axis=0).tolist()
        table.add_row(
            f"{case.trees} x {case.settings.sample_size}",
            str(case.columns),
            f"{case.keys:,}",
            "all" if case.attributed else "incidents",
            *(f"{rows / seconds:,.0f}" for seconds in (warm, cold, bare)),
            f"{median(one.warm / one.bare for one in each):.2f}",
            f"{rows / river:,.0f}" if river > _NOTHING else "",
            *(f"{number:,.0f}" for number in (size, gets, puts)),
        )
    return table


def kdd_quality(path: Path) -> Table:
    """ROC AUC and average precision of the scored rows, per seed, in a random order of the seed's."""
    stored = np.load(path)
    table = Table(title=f"KDD Cup 1999, HTTP: {KDD_ROWS:,} records", box=None)
    for heading in ("seed", "AUC", "AUC of krcf", "AP", "AP of krcf", "ratio of time"):
        table.add_column(heading, justify="right")
    found = [_kdd_seed(stored["X"], stored["y"], seed) for seed in range(KDD_SEEDS)]
    for seed, row in enumerate(found):
        table.add_row(str(seed), *(f"{each:.4f}" for each in row))
    table.add_row("mean", *(f"{each:.4f}" for each in np.mean(found, axis=0)))
    return table


def _kdd_seed(rows: Floats, labels: Floats, seed: int) -> list[float]:
    chosen = np.random.default_rng(seed).permutation(len(rows))[:KDD_ROWS]
    case = Case(KDD_FOREST.trees, rows.shape[1])
    stream = replace(stream_of(case.columns, KDD_FOREST), name=f"kdd-{seed}")
    batches = events(raw_records(rows[chosen]))
    started = process_time()
    ours = cutwatch_scores(function_of(stream, MemoryBucket()), batches)
    between = process_time()
    bare = bare_scores(case, bare_forests(case, stream), rows[chosen])
    ratio = (between - started) / (process_time() - between)
    scored = slice(KDD_FOREST.sample_size, None)
    truth = labels[chosen][scored]
    return [
        float(metric(truth, scores[scored]))
        for metric in (roc_auc_score, average_precision_score)
        for scores in (ours, bare)
    ] + [ratio]


def labelled_table(
    folders: Mapping[str, Path], seeds: int, measured: Stream, sensitivities: Sequence[Sensitivity]
) -> Table:
    """Quality of incidents on labelled collections, mean of the seeds: an alarm is the row that begins an incident."""
    loaded = {name: LOAD[name](folder) for name, folder in folders.items()}
    names = tuple(loaded)
    title = f"{', '.join(names)}: files as streams, {seeds} seeds, features: {measured.features}"
    table = Table(title=title, box=None)
    for heading in ("sensitivity", "ends_after", *(f"{name}: {what}" for name in names for what in ("score", "recall", "false alarms"))):  # fmt: skip
        table.add_column(heading, justify="right")
    for sensitivity, notify in product(sensitivities, (IncidentBegin(), ENDS_AFTER)):
        stream = replace(measured, sensitivity=sensitivity, notify=notify)
        cells = [cell for name in names for cell in _quality(name, loaded[name], stream, seeds)]
        table.add_row(sensitivity, f"{notify.ends_after:,.0f}", *cells)
    return table


def _quality(name: str, metrics: Sequence[LabelledMetric], stream: Stream, seeds: int) -> list[str]:
    judge = nab_quality if name == "NAB" else fleet_quality
    found = []
    with ProcessPoolExecutor() as pool:
        for seed in range(seeds):
            alarms = pool.map(_alarms, repeat(replace(stream, name=f"seed-{seed}")), metrics)
            paths = [each.path for each in metrics]
            found.append(judge(metrics, dict(zip(paths, alarms, strict=True))))
    means = np.mean([(each.score, each.recall, each.false_alarms) for each in found], axis=0)
    score, recall, false_alarms = means.tolist()
    return [f"{score:.1f}", f"{recall:.3f}", f"{false_alarms:.2f}"]


def _alarms(stream: Stream, metric: LabelledMetric) -> Flags:
    [header, *lines] = metric.path.read_bytes().splitlines()
    columns = tuple(header.decode().split(","))
    form: TimeFormat = "iso8601" if metric.collection == "NAB" else "seconds"
    stream = replace(stream, record=replace(stream.record, columns=columns, time_format=form))
    records = [RawRecord(line, "0", number, _ARRIVAL) for number, line in enumerate(lines)]
    scorer = StreamScorer(stream)
    result = scorer.score(KeyBucket.empty(stream, 0), scorer.by_bucket(records)[0])
    began = {change.incident.id for change in result.changes if change.kind == "began"}
    alarms = np.zeros(metric.rows, bool)
    for row in result.rows:
        if row.incident in began:
            began.remove(row.incident)
            alarms[row.origin[1]] = True
    return alarms


def main(
    kdd: Annotated[Path | None, typer.Option(help="16_http.npz of ADBench.")] = None,
    nab: Annotated[Path | None, typer.Option(help="Folder of NAB: data, labels.")] = None,
    kpi: Annotated[Path | None, typer.Option(help="Metrics with a column `label`: data.")] = None,
    operations: Annotated[Path | None, typer.Option(help="The same, mostly hourly: data.")] = None,
    seeds: Annotated[int, typer.Option(help="Runs of the labelled metrics.")] = 3,
    count: Annotated[int, typer.Option(help="Records per rate.")] = 20_000,
    repetitions: Annotated[int, typer.Option(help="Repetitions per rate; 0 leaves them out.")] = 5,
    features: Annotated[
        str, typer.Option(help="Features of labelled metrics: auto, or a list with commas.")
    ] = "",
    sensitivity: Annotated[str, typer.Option(help="The one sensitivity of labelled metrics.")] = "",
) -> None:
    console = Console(width=120)
    if repetitions:
        console.print(rates(count, repetitions))
    if kdd:
        console.print(kdd_quality(kdd))
    given = {"NAB": nab, "KPI": kpi, "operations": operations}
    folders = {name: folder for name, folder in given.items() if folder}
    if folders:
        stream = replace(NAB_STREAM, features=_features(features))
        one = [each for each in get_args(Sensitivity) if each == sensitivity]
        console.print(labelled_table(folders, seeds, stream, one or get_args(Sensitivity)))


def _features(given: str) -> Any:
    """Return features as the file of detectors has them; None for the values alone."""
    return "auto" if given == "auto" else tuple(given.split(",")) if given else None


if __name__ == "__main__":
    typer.run(main)
