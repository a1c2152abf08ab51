"""Detectors from the options of a command: entries of `detectors.yaml`, a metric, or a file, with settings over them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.templates import Configuration, expand
from cutwatch.errors import InvalidInput
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.discovery.suggestions import ListedMetric, detector_entries

FILE_NAMESPACE = "Cutwatch/Csv"
_UNNAMED = "metric"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 64
_MOST_NAMED = 10
_NESTED = {
    "minimum_absolute": ("minimum_deviation", "absolute"),
    "minimum_relative": ("minimum_deviation", "relative"),
    "cutoff_method": ("cutoff", "method"),
    "cutoff_sigmas": ("cutoff", "sigmas"),
}
_OPTIONS = {
    "features": "feature",
    "dimensions": "dimension",
    "minimum_deviation.absolute": "minimum-absolute",
    "minimum_deviation.relative": "minimum-relative",
}
# Options that say which metric; the others change settings.
_SOURCE = ("namespace", "metric", "statistic", "dimension")
SETTINGS = (
    *("period", "missing_data", "history_days", "features", "shingle_size", "engine"),
    *("sensitivity", "direction", *_NESTED, "exclude", "time_zone", "unit"),
)


class EntryError(ValueError):
    """One line per option or entry that is not valid."""


def entry_detectors(
    path: Path, names: Sequence[str], settings: Mapping[str, Any], cloudwatch: Any
) -> list[Detector]:
    """Return the named detectors of a detectors file, with settings changed by options.

    A template's name stands for all its detectors, which need CloudWatch. Raises `EntryError`, and `InvalidDetectors`
    for an invalid file.
    """
    configuration = load_configuration(path)
    found: dict[str, Detector] = {}
    for name in names:
        for detector in _named(configuration, name, path, cloudwatch):
            found[detector.name] = with_settings(detector, settings)
    return list(found.values())


def metric_detector(options: Mapping[str, Any]) -> Detector:
    """Return a detector of one CloudWatch metric. Raises `EntryError`."""
    if not options.get("namespace"):
        raise EntryError("--metric needs --namespace, such as AWS/Lambda")
    dimensions = tuple(_dimension(text) for text in options.get("dimension") or ())
    listed = ListedMetric(options["namespace"], options["metric"], dimensions)
    (entry,) = detector_entries([listed], options.get("statistic"), options.get("period"))
    return _valid(lambda: with_settings(Detector(**entry), options))


@dataclass(frozen=True)
class FileDetector:
    """Detector of a metric in a file: an entry's, or one that is named like the file."""

    settings: Mapping[str, Any]
    entry: Detector | None = None

    @property
    def time_zone(self) -> str:
        """Time zone of the option, of the entry, or UTC."""
        zone = self.settings.get("time_zone") or (self.entry.time_zone if self.entry else "UTC")
        return str(zone)

    def check(self) -> None:
        """Raise `EntryError` if a setting is not valid."""
        if not self.entry:
            with_settings(Detector(_UNNAMED, FILE_NAMESPACE, _UNNAMED, "Average"), self.settings)

    def __call__(self, path: Path, series: MetricSeries) -> Detector:
        """Return the detector of a file with this series. Raises `EntryError`."""
        settings = {
            **self.settings,
            "period": series.period_seconds,
            "time_zone": series.time_zone,
            "unit": self.settings.get("unit") or series.unit,
        }
        if self.entry:
            return with_settings(self.entry, settings)
        name = _NOT_IN_NAMES.sub("-", path.stem).strip("-._")[:_LONGEST_NAME] or _UNNAMED
        detector = Detector(name, FILE_NAMESPACE, name, "Average")
        return with_settings(detector, settings)


def with_settings(detector: Detector, settings: Mapping[str, Any]) -> Detector:
    """Return the detector with the settings that are not None. Raises `EntryError` with one line per option."""
    payload = detector.to_payload()
    for name in SETTINGS:
        value = settings.get(name)
        if value is None:
            continue
        if name == "exclude":
            value = [_exclusion(text) for text in value]
        field, _, inner = ".".join(_NESTED.get(name, (name,))).partition(".")
        payload[field] = {**payload[field], inner: value} if inner else value
    return _valid(lambda: Detector.from_payload(payload))


def with_source(options: Mapping[str, Any]) -> list[str]:
    """Return the given options that say which metric to read, as they are typed."""
    return [f"--{name}" for name in _SOURCE if options.get(name)]


def replayable(detector: Detector) -> Detector:
    """Return a detector of one metric with the same settings, to which a history can be given.

    A history has one value per period: that of the statistic or expression that was read.
    """
    return replace(
        detector,
        namespace="Cutwatch/History",
        metric=detector.name,
        statistic="Average",
        dimensions={},
        expression="",
        metrics={},
        unit=detector.value_unit,
    )


def _named(
    configuration: Configuration, name: str, path: Path, cloudwatch: Any
) -> Sequence[Detector]:
    """Return the detector of this name, or those of the template of this name."""
    found = [each for each in configuration.detectors if each.name == name]
    if found:
        return found
    for template in configuration.templates:
        if name == template.name or name.startswith(f"{template.name}-"):
            expanded = expand(cloudwatch(), template)
            found += [each for each in expanded if name in (template.name, each.name)]
    if not found:
        raise EntryError(
            f"--detector {name}: {path} has no such entry; {_hint(configuration, name)}"
        )
    return found


def _hint(configuration: Configuration, name: str) -> str:
    known = [each.name for each in configuration.detectors]
    known += [each.name for each in configuration.templates]
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known[:_MOST_NAMED])}"


def _dimension(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise EntryError(f"--dimension {text}: expected NAME=VALUE")
    return name, value


def _exclusion(text: str) -> dict[str, Any]:
    start, _, rest = text.partition("/")
    end, _, days = rest.partition("/")
    if not (start and end):
        raise EntryError(
            f"--exclude {text}: expected START/END, such as 22:00/06:00 or 08:00/12:00/saturday"
        )
    return {"start": start, "end": end, "days": [day for day in days.split(",") if day]}


def _valid(make: Any) -> Detector:
    try:
        detector: Detector = make()
    except (InvalidInput, ValueError) as error:
        if isinstance(error, EntryError):
            raise
        raise EntryError("\n".join(map(_as_option, str(error).splitlines()))) from None
    return detector


def _as_option(line: str) -> str:
    """Rewrite a field at the beginning of a message as its option."""
    field, space, rest = line.removeprefix("detector.").partition(" ")
    name = field.rstrip(":").partition("[")[0]
    option = _OPTIONS.get(name, name.replace(".", "-").replace("_", "-"))
    return f"--{option}{':' * field.endswith(':')}{space}{rest}"
