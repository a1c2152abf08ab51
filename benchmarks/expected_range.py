"""Whether the expected range of 90 % holds: `python benchmarks/expected_range.py --nab DIR --kpi DIR --operations DIR`.

Counted are datapoints more than six hours from a labelled event, from the eighth day on; each week's range is learned
from what came before it. Prints the share inside the range per collection, and the share of pairs of a metric and a
quarter of the day, with at least 200 datapoints, in which at least 80 % lie inside. See docs/detection.md.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from labelled import LabelledMetric, load_kpi, load_nab, load_operations
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from cutwatch.features.expectation import expect
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import lead_in_start
from cutwatch_cli.csv_files.csv_series import read_csv

HOUR, DAY = 3_600, 86_400
WEEK, APART, QUARTER = 7 * DAY, 6 * HOUR, 6 * HOUR
LEAST_IN_PAIR, LEAST_INSIDE = 200, 0.8


class Counts(NamedTuple):
    """Counted datapoints and those inside the range, by quarter of the day (4,)."""

    counted: NDArray[np.int64]
    inside: NDArray[np.int64]


def main(
    nab: Annotated[Path, typer.Option(help="The Numenta Anomaly Benchmark: data/, labels/.")],
    kpi: Annotated[Path, typer.Option(help="Metrics with a column `label`: data/*.csv.")],
    operations: Annotated[Path, typer.Option(help="The same, mostly hourly: data/*.csv.")],
) -> None:
    """Print one row per collection."""
    table = Table(box=None)
    for heading in ("", "inside", "pairs with 80 %", "pairs"):
        table.add_column(heading, justify="right" if heading else "left")
    loaded = {"NAB": load_nab(nab), "KPI": load_kpi(kpi), "operations": load_operations(operations)}
    with ProcessPoolExecutor() as pool:
        for name, metrics in loaded.items():
            table.add_row(name, *_row(list(pool.map(_count, metrics))))
    Console(width=120).print(table)


def _row(counts: Sequence[Counts]) -> tuple[str, str, str]:
    counted = np.stack([one.counted for one in counts])
    inside = np.stack([one.inside for one in counts])
    enough = counted >= LEAST_IN_PAIR
    held = inside[enough] >= LEAST_INSIDE * counted[enough]
    return f"{inside.sum() / counted.sum():.3f}", f"{held.mean():.3f}", str(int(enough.sum()))


def _count(metric: LabelledMetric) -> Counts:
    read = read_csv(metric.path)
    series = Series(read.start, read.period_seconds, np.array(read.values))
    usual = _far_from_events(metric, np.asarray(read.positions), len(series), series.period)
    quarters = series.epochs % DAY // QUARTER
    counted, inside = np.zeros(4, np.int64), np.zeros(4, np.int64)
    for start in range(int(series.epochs[0]) + WEEK, int(series.epochs[-1]) + 1, WEEK):
        known = _window(series, start)
        expectation = expect(known, start, "UTC")
        places = np.searchsorted(series.epochs, known.epochs)
        scored = (known.epochs >= start) & ~known.missing & usual[places]
        held = scored & ~expectation.outside
        counted += np.bincount(quarters[places][scored], minlength=4)
        inside += np.bincount(quarters[places][held], minlength=4)
    return Counts(counted, inside)


def _window(series: Series, start: int) -> Series:
    """Return a week from epoch second `start` on, with the history before it."""
    begins = int(lead_in_start(series.period, series.time_at(0)).timestamp())
    lead_in = int(series.epochs[0]) - begins
    first, last = np.searchsorted(series.epochs, [start - lead_in, start + WEEK])
    return Series(series.time_at(int(first)), series.period, series.values[first:last])


def _far_from_events(
    metric: LabelledMetric, positions: NDArray[np.int64], length: int, period: int
) -> NDArray[np.bool_]:
    far = np.ones(length, bool)
    reach = APART // period
    for first, last in metric.events:
        far[max(positions[first] - reach, 0) : positions[last] + reach + 1] = False
    return far


if __name__ == "__main__":
    typer.run(main)
