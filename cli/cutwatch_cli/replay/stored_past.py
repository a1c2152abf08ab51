"""Histories in CSV files, stored in the CloudWatch of a local AWS before its clock starts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.templates import Configuration
from cutwatch.wording import count
from cutwatch_cli.csv_files.csv_series import CsvError, read_csv
from cutwatch_cli.csv_files.regular_grid import MetricSeries

if TYPE_CHECKING:
    from localaws import LocalAws


@dataclass(frozen=True)
class StoredPast:
    """The history of a detector's metric. CloudWatch has each value as every statistic of its period."""

    detector: Detector
    series: MetricSeries

    def store(self, aws: "LocalAws") -> None:
        """Store the datapoints, of any age: PutMetricData accepts two weeks only."""
        metric, series = self.detector.sources[0], self.series
        aws.cloudwatch.load_series(
            metric.namespace,
            metric.metric,
            metric.dimensions,
            series.period_seconds,
            series.timestamps,
            series.values,
        )

    def describe(self, now: datetime) -> Iterator[str]:
        """Yield a line about the history, and one if it ends more than a period before the clock."""
        series = self.series
        yield (
            f"{count(len(series.values), 'datapoint')} of {self.detector.metric_label} stored, every "
            f"{series.period_seconds} s, {series.start:%Y-%m-%d %H:%M} to {series.end:%Y-%m-%d %H:%M} UTC"
        )
        if (now - series.end).total_seconds() > series.period_seconds:
            yield (
                f"the history ends before the clock; start the clock at its end with --now "
                f"{series.end:%Y-%m-%dT%H:%M:%SZ}"
            )


def read_pasts(files: Sequence[Path], detectors: Path) -> list[StoredPast]:
    """Read files that are named like detectors, as `cutwatch export` names them.

    Raises `CsvError`, or `InvalidDetectors` for an invalid detectors file.
    """
    configuration = load_configuration(detectors)
    return [StoredPast(_detector(configuration, file, detectors), read_csv(file)) for file in files]


def _detector(configuration: Configuration, file: Path, detectors: Path) -> Detector:
    name = file.name.removesuffix(".csv")
    known = {each.name: each for each in configuration.detectors}
    for template in configuration.templates:
        if name.startswith(f"{template.name}-"):
            expanded = template.detector(name.removeprefix(f"{template.name}-"))
            known.setdefault(expanded.name, expanded)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}.csv?" if near else ""
        raise CsvError(f"{file}: {detectors} has no detector {name!r}, as the file is named{hint}")
    if known[name].expression:
        raise CsvError(f"{file}: {name} is an expression; store the history of its metrics instead")
    return known[name]
