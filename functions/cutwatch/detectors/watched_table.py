"""A DynamoDB table: its changes to score as they arrive, with a model that is trained on its items."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Len, Lt

from cutwatch.detectors.detector import (
    Direction,
    MinimumDeviation,
    Sensitivity,
    name_problems,
    time_zone_problems,
)
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.detectors.metric_source import Problem
from cutwatch.detectors.record_format import MOST_COLUMNS, RecordFormat, TimeFormat
from cutwatch.detectors.removed_stream import RemovedStream
from cutwatch.detectors.stream import ForestSettings, KeySettings, Stream
from cutwatch.detectors.stream_window import StreamWindow

CutoffRule = Literal["sigmas", "quantile"]
TableEngine = Literal["endpoint", "forest"]

# Changes within 24 hours whose ids a forest's stored state has room for: 8 bytes each in an object of some 8 MB.
CHANGES_PER_FOREST = 1_000_000
# DynamoDB keeps a stream's records for a day, so no change can be later than that.
_STREAM_SECONDS = 86_400.0

_ARN = re.compile(
    r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/(?P<name>[A-Za-z0-9_.-]{3,255})"
)
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
# Words of attribute names whose values most often only grow: every later value is higher than all that a model has learned.
_GROWING = frozenset(
    ("id", "uuid", "key", "serial", "sequence", "seq", "version", "revision", "counter", "timestamp", "epoch",
     "created", "updated", "modified", "date", "ttl", "expires", "total")
)  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class TableCutoff:
    """Cutoff of a model's scores: mean + `sigmas` standard deviations of the training data's scores, or their `quantile`."""

    method: CutoffRule = "sigmas"
    sigmas: Annotated[float, Gt(0), Le(100)] = 3.0
    quantile: Annotated[float, Gt(0.5), Lt(1)] = 0.999

    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True)
class WatchedTable:
    """Items of a DynamoDB table, each a row of the table's model.

    `values` maps the columns of the model to attributes, `key` is the attribute that incidents are kept apart by. Without
    `time`, an item's time is that of its change. The engine is a SageMaker endpoint with a `cutoff`, or the `forest` of each key,
    at most `keys`, which learns every change after scoring it; its state has room for `changes_per_day`. Raises `ValueError`
    with one line per invalid field.
    """

    name: str
    source: str
    values: Annotated[dict[str, Annotated[str, Len(1, 255)]], Len(1, MOST_COLUMNS)]
    key: str = ""
    time: str = ""
    time_format: TimeFormat = "iso8601"
    numbers_in_text: bool = False
    allow_identifiers: bool = False
    engine: TableEngine = "endpoint"
    cutoff: TableCutoff = TableCutoff()
    forest: ForestSettings = ForestSettings()  # noqa: RUF009 - frozen
    keys: KeySettings = KeySettings()  # noqa: RUF009 - frozen
    changes_per_day: Annotated[int, Ge(1)] = CHANGES_PER_FOREST
    sensitivity: Sensitivity = "medium"
    direction: Direction = "both"
    minimum_deviation: MinimumDeviation = MinimumDeviation()  # noqa: RUF009 - frozen
    exclude: tuple[Exclusion, ...] = field(default_factory=tuple)
    time_zone: str = "UTC"
    mails_per_hour: Annotated[int, Ge(0), Le(1_000)] = 10

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the model's columns, in order."""
        return tuple(self.values)

    @property
    def fingerprint(self) -> str:
        """Digest of all that a model depends on: it changes when models become invalid."""
        trained_on = [list(self.values.items()), self.numbers_in_text]
        return hashlib.sha256(json.dumps(trained_on).encode()).hexdigest()[:12]

    @property
    def as_stream(self) -> Stream:
        """The table as a stream of its changes, for the engine `forest`. Changes of different items come in any order."""
        return Stream(
            name=self.name,
            source=self.table_name,
            record=RecordFormat(
                time=json.dumps(self.time or "ApproximateCreationDateTime"),
                values={name: json.dumps(attribute) for name, attribute in self.values.items()},
                key=json.dumps(self.key) if self.key else "",
            ),
            window=StreamWindow(allowed_lateness=_STREAM_SECONDS),
            forest=self.forest,
            keys=self.keys,
            sensitivity=self.sensitivity,
            direction=self.direction,
            minimum_deviation=self.minimum_deviation,
            exclude=self.exclude,
            time_zone=self.time_zone,
            mails_per_hour=self.mails_per_hour,
        )

    @property
    def table_name(self) -> str:
        """Name of the table, without the rest of its ARN."""
        return self.source.rpartition("/")[2]

    def identifiers(self, keys: Mapping[str, str]) -> list[str]:
        """Return the columns that are keys of the table; `keys` maps attributes to HASH or RANGE."""
        return [column for column, attribute in self.values.items() if attribute in keys]


RecordSource = Stream | WatchedTable | RemovedStream


def growing_columns(table: WatchedTable) -> list[str]:
    """Return the columns that, by the names of their attributes, most likely only grow."""
    if table.allow_identifiers:
        return []
    return [column for column, attribute in table.values.items() if _grows(attribute)]


def _grows(attribute: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(attribute)]
    return bool(words) and not _GROWING.isdisjoint(words)


def _problems(table: WatchedTable) -> Iterator[Problem]:
    yield from name_problems(table.name)
    if not (_ARN.fullmatch(table.source) or _TABLE_NAME.fullmatch(table.source)):
        yield (
            "source",
            f"{table.source!r} is not the name of a DynamoDB table, nor an ARN such as "
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
        )
    for column in table.values:
        if not _COLUMN.fullmatch(column):
            yield (
                "values",
                f"{column!r} must be 1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or _",
            )
    yield from _key_problems(table)
    yield from _engine_problems(table)
    yield from time_zone_problems(table.time_zone)


def _engine_problems(table: WatchedTable) -> Iterator[Problem]:
    if table.engine == "forest":
        yield from _forest_problems(table)
        return
    for name in ("forest", "keys", "changes_per_day"):
        if getattr(table, name) != getattr(WatchedTable, name):
            yield name, "belongs to engine: forest"


def _forest_problems(table: WatchedTable) -> Iterator[Problem]:
    if table.cutoff != TableCutoff():
        yield "cutoff", "belongs to engine: endpoint; a forest's cutoff follows its own scores"
    if table.forest.shingle_size != 1:
        yield (
            "forest.shingle_size",
            f"{table.forest.shingle_size} needs rows in their order, and DynamoDB orders the changes of one item only; "
            "remove it",
        )
    forests = table.keys.limit if table.key else 1
    most = forests * CHANGES_PER_FOREST
    if table.changes_per_day > most:
        yield (
            "changes_per_day",
            f"{table.changes_per_day} is more than {most}, the room in the state of {forests} forest{'s' * (forests > 1)}; "
            "declare a key with more values, or use engine: endpoint",
        )


def _key_problems(table: WatchedTable) -> Iterator[Problem]:
    for column, attribute in table.values.items():
        if attribute == table.key and not table.allow_identifiers:
            yield (
                "values",
                f"{column!r} is the key {attribute!r}, and an identifier says nothing about an item; "
                "remove it, or set allow_identifiers: true",
            )
