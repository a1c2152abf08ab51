"""Detector templates: one entry of `detectors.yaml` that expands to a detector for every value of a dimension."""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from cutwatch.aws.limits import METRIC_MAX_DIMENSIONS
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.listed_metrics import listed_dimensions
from cutwatch.detectors.metric_source import MetricName, SourceMetric
from cutwatch.errors import (
    ConnectionLost,
    CutwatchError,
    InvalidSetting,
    ServiceFault,
    TemplateExpansion,
    Throttled,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

    from cutwatch.detectors.stream import Stream
    from cutwatch.detectors.watched_table import WatchedTable

NAME_MAX_LENGTH = 64
TEMPLATE_NAME_MAX_LENGTH = 40
USUAL_LIMIT = 100
LARGEST_LIMIT = 1_000

_FORBIDDEN = re.compile(r"[^A-Za-z0-9._-]+")
_DIGEST_LENGTH = 10
_ENDS_LIKE_A_DIGEST = re.compile(rf"(^|.*-)[0-9a-f]{{{_DIGEST_LENGTH}}}", re.DOTALL)
# These errors do not concern the template, and the caller retries.
_TRANSIENT = (Throttled, ServiceFault, ConnectionLost)


@dataclass(frozen=True)
class DetectorTemplate:
    """`pattern` for every value of the dimension `for_each`, of at most `limit` values.

    The pattern is a detector without that dimension; its name begins the names of all detectors.
    """

    pattern: Detector
    for_each: MetricName
    limit: Annotated[int, Ge(1), Le(LARGEST_LIMIT)] = USUAL_LIMIT

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def name(self) -> str:
        """Name of the template; no detector has this name."""
        return self.pattern.name

    def detector(self, value: str) -> Detector:
        """Return the detector of one value."""
        pattern = self.pattern
        name = detector_name(pattern.name, value)
        if not pattern.expression:
            return replace(
                pattern, name=name, dimensions=pattern.dimensions | {self.for_each: value}
            )
        metrics = {
            key: replace(metric, dimensions=metric.dimensions | {self.for_each: value})
            for key, metric in pattern.metrics.items()
        }
        return replace(pattern, name=name, metrics=metrics)


@dataclass(frozen=True)
class Configuration:
    """Detectors, templates, streams and tables of a `detectors.yaml`, in its order, and warnings about its spelling."""

    detectors: tuple[Detector, ...]
    templates: tuple[DetectorTemplate, ...] = ()
    warnings: tuple[str, ...] = ()
    streams: tuple["Stream", ...] = ()
    tables: tuple["WatchedTable", ...] = ()

    def table(self, name: str) -> "WatchedTable":
        """Return the watched table of a name. Raises `InvalidSetting` if none is declared."""
        for table in self.tables:
            if table.name == name:
                return table
        names = ", ".join(each.name for each in self.tables) or "none"
        raise InvalidSetting(
            f"WATCHED_TABLE is {name!r}, which is not declared; the tables in detectors.yaml: {names}"
        )


@dataclass(frozen=True)
class Watched:
    """Current detectors, and the name and error of each template that could not be expanded."""

    detectors: tuple[Detector, ...]
    problems: tuple[tuple[str, str], ...] = ()

    def may_include(self, name: str) -> bool:
        """Return True if a detector of this name is monitored, or might come from a template that could not be expanded."""
        unknown = tuple(f"{template}-" for template, _ in self.problems)
        return name.startswith(unknown) or any(name == each.name for each in self.detectors)


def watched(cloudwatch: "CloudWatchClient", configuration: Configuration) -> Watched:
    """Return the file's detectors, then those of its templates, in the order of the file.

    A template that cannot be expanded is a problem and does not stop others. Raises only transient errors: `Throttled`,
    `ServiceFault`, `ConnectionLost`.
    """
    detectors = list(configuration.detectors)
    problems = []
    for template in configuration.templates:
        try:
            found = expand(cloudwatch, template)
            _refuse_taken(template, found, {detector.name for detector in detectors})
        except _TRANSIENT:
            raise
        except CutwatchError as error:
            problems.append((template.name, str(error)))
        else:
            detectors += found
    return Watched(tuple(detectors), tuple(problems))


def expand(cloudwatch: "CloudWatchClient", template: DetectorTemplate) -> tuple[Detector, ...]:
    """Return a detector for every value that ListMetrics knows now, in the order of the values.

    Only metrics with exactly the template's dimensions and `for_each` count. Raises `TemplateExpansion` if there are
    none, or more than the template's limit.
    """
    source = template.pattern.sources[0]
    values = sorted(
        {
            dimensions[template.for_each]
            for dimensions in listed_dimensions(cloudwatch, source, template.for_each)
        }
    )
    if not values:
        raise TemplateExpansion(f"{_subject(template)}: 0 detectors: {_nothing(template, source)}")
    if len(values) > template.limit:
        raise TemplateExpansion(
            f"{_subject(template)}: {len(values)} values of {template.for_each}, but its limit is "
            f"{template.limit}; {_remedy(len(values))}"
        )
    detectors = tuple(template.detector(value) for value in values)
    _refuse_taken(template, detectors, ())
    return detectors


def detector_name(head: str, text: str, longest: int = NAME_MAX_LENGTH) -> str:
    """Return `<head>-<text>` as a detector's name; `longest` leaves at least 16 characters after the head.

    If characters were replaced or cut off, a digest of the whole text ends the name, so that names stay unique. A text
    that itself ends like a digest gets one too.
    """
    safe = _FORBIDDEN.sub("-", text)
    room = longest - len(head) - 1
    if safe == text and len(text) <= room and not _ENDS_LIKE_A_DIGEST.fullmatch(text):
        return f"{head}-{text}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    shortened = safe[: room - _DIGEST_LENGTH - 1].strip("-")
    return "-".join(part for part in (head, shortened, digest) if part)


def _problems(template: DetectorTemplate) -> Iterator[str]:
    if len(template.name) > TEMPLATE_NAME_MAX_LENGTH:
        yield (
            f"name: {template.name!r} has {len(template.name)} characters; a template's name has at most "
            f"{TEMPLATE_NAME_MAX_LENGTH}, so that its detectors' names fit {NAME_MAX_LENGTH}"
        )
    for source in template.pattern.sources:
        if template.for_each in source.dimensions:
            yield f"for_each: {template.for_each!r} is already one of the dimensions"
        elif len(source.dimensions) == METRIC_MAX_DIMENSIONS:
            yield f"for_each: would be dimension number {METRIC_MAX_DIMENSIONS + 1}"


def _refuse_taken(
    template: DetectorTemplate, detectors: Collection[Detector], taken: Collection[str]
) -> None:
    seen = set(taken)
    for detector in detectors:
        if detector.name in seen:
            raise TemplateExpansion(
                f"{_subject(template)}: 1 of {len(detectors)} detectors would be named "
                f"{detector.name!r}, like another detector; rename one of them"
            )
        seen.add(detector.name)


def _subject(template: DetectorTemplate) -> str:
    return f"template {template.name!r}"


def _nothing(template: DetectorTemplate, source: SourceMetric) -> str:
    fixed = "".join(f"{name}={value}, " for name, value in sorted(source.dimensions.items()))
    return (
        f"no {source.namespace} {source.metric} was reported in the last two weeks with exactly the "
        f"dimensions {fixed}{template.for_each}"
    )


def _remedy(found: int) -> str:
    narrow = "add dimensions that select fewer values"
    return f"increase limit or {narrow}" if found <= LARGEST_LIMIT else narrow
