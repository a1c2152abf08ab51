"""The models of streams side by side: on the HTTP records of KDD Cup 1999, and on a shop's log with planted faults.

    OMP_NUM_THREADS=1 PYTHONPATH=functions:cli .venv/bin/python benchmarks/models.py --kdd 16_http.npz --openstack openstack.log.gz

`--kdd` is `16_http.npz` of ADBench: `X` (n, 3) and labels `y` (n,); 60,000 rows in random order, of which 80 % train. `--openstack` is a
log of OpenStack's API (loghub); the share of its lines that are read, and the templates of its paths, are printed.
"""

import gzip
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from cutwatch.anomaly_models.log_rows import event_rows
from cutwatch.anomaly_models.model import Rows
from cutwatch.anomaly_models.training import TrainingSettings
from cutwatch.detectors.log_format import LogFormat
from cutwatch.detectors.stream import ForestSettings
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_training import fit_statistics
from cutwatch.streams.log_decoding import LogDecoder
from cutwatch.streams.record import RawRecord, Record
from cutwatch_cli.access_logs.comparison import (
    UNITS,
    LabelledRows,
    ModelResult,
    compare,
    rows_of_log,
)
from cutwatch_cli.access_logs.faults import planted_faults
from cutwatch_cli.access_logs.shop import Shop

ROWS, TRAINING_SHARE, TREES = 60_000, 0.8, 50
MONDAY, DAY, DAYS = 1_780_272_000.0, 86_400, 10
OPENSTACK = LogFormat(
    format="pattern",
    pattern=(
        r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) \d+ (?P<level>[A-Z]+) "
        r'.*"(?P<request>[A-Z]+ \S+)[^"]*" status: (?P<status>\d+).* time: (?P<response_time>[\d.]+)'
    ),
)


def main(
    kdd: Annotated[Path | None, typer.Option()] = None,
    openstack: Annotated[Path | None, typer.Option()] = None,
    rate: float = 1.0,
    seeds: int = 1,
) -> None:
    if kdd:
        for seed in range(seeds):
            on_kdd(kdd, seed)
    if openstack:
        on_openstack(openstack)
    on_shop(rate)


def on_kdd(path: Path, seed: int) -> None:
    content = np.load(path)
    chosen = np.random.default_rng(seed).permutation(len(content["X"]))[:ROWS]
    rows = Rows(np.arange(ROWS, dtype=np.float64), content["X"][chosen].astype(np.float64))
    labels = np.where(content["y"][chosen] == 1, "attack", "")
    given = LabelledRows(rows, labels, int(ROWS * TRAINING_SHARE))
    settings = TrainingSettings(ForestSettings(trees=TREES), seed, period=1)
    for kind in UNITS:
        show(f"KDD HTTP, seed {seed}", compare(kind, "record", given, settings))


def on_shop(rate: float) -> None:
    end = MONDAY + DAYS * DAY
    faults = planted_faults(MONDAY + DAYS * DAY * (TRAINING_SHARE + 0.02), end)
    shop = Shop(MONDAY, DAYS * DAY, rate, faults=faults)
    rows = rows_of_log(list(shop.requests()), faults)
    for kind, unit in UNITS.items():
        settings = TrainingSettings(ForestSettings(trees=TREES), 1)
        show(f"shop, {rate:g} requests/s", compare(kind, unit, rows[unit], settings))


def show(data: str, result: ModelResult) -> None:
    numbers = [
        f"{name} {'-' if value is None else f'{value:.4f}'}"
        for name, value in (
            ("precision", result.precision),
            ("recall", result.recall),
            ("false alarms", result.false_alarms),
            ("ROC AUC", result.roc_auc),
        )
    ]
    print(
        f"{data}: {result.model} per {result.unit}: {', '.join(numbers)}, {result.microseconds:.0f} us a row, "
        f"{result.size:,} bytes, fit {result.fit_seconds:.1f} s, found {', '.join(result.found) or 'none'}"
    )


def on_openstack(path: Path) -> None:
    decoder = LogDecoder(OPENSTACK, "UTC")
    lines = gzip.decompress(path.read_bytes()).splitlines()
    records = [decoder.decode(RawRecord(line, "", 0, 2e9)) for line in lines]
    events = [each.event for each in records if isinstance(each, Record) and each.event]
    statistics = fit_statistics(events)
    rows = event_rows(events, LogFeatures(statistics))
    print(
        f"OpenStack: {len(events)} of {len(lines)} lines are requests; {len(statistics.path.counts)} path templates:"
    )
    for template, count in statistics.path.counts.items():
        print(f"  {count:5d}  {template}")
    print(f"  rows {rows.values.shape}, finite: {bool(np.isfinite(rows.values).all())}")


if __name__ == "__main__":
    typer.run(main)
