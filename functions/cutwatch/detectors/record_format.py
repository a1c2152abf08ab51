"""Format of a stream's records: where key, event time and values stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

import jmespath
from annotated_types import Len
from jmespath.exceptions import JMESPathError

from cutwatch.detectors.metric_source import Problem

Encoding = Literal["json", "csv"]
TimeFormat = Literal["iso8601", "seconds", "milliseconds"]

# Columns of Kinesis Data Analytics' RANDOM_CUT_FOREST.
MOST_COLUMNS = 30
# Places of reference data begin with this.
REFERENCE = "reference."
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class RecordFormat:
    """Places of `time`, `values` and optionally `key` in a record; without a key, all records share one forest.

    Places are JMESPath expressions in JSON records, names of `columns` in CSV records. `values` maps the name of each
    column of the forest to its place.
    """

    time: Annotated[str, Len(1)]
    values: Annotated[dict[str, Annotated[str, Len(1)]], Len(1, MOST_COLUMNS)]
    key: str = ""
    format: Encoding = "json"
    time_format: TimeFormat = "iso8601"
    columns: tuple[str, ...] = field(default_factory=tuple)
    delimiter: Annotated[str, Len(1, 1)] = ","

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def places(self) -> dict[str, str]:
        """Every declared place by the field that declares it."""
        keyed = {"key": self.key} if self.key else {}
        named = {f"values.{name}": place for name, place in self.values.items()}
        return keyed | {"time": self.time} | named


def _problems(record: RecordFormat) -> Iterator[Problem]:
    for name in record.values:
        if not _COLUMN.fullmatch(name):
            yield (
                "values",
                f"{name!r} must be 1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or _",
            )
    yield from _csv_problems(record) if record.format == "csv" else _json_problems(record)


def _json_problems(record: RecordFormat) -> Iterator[Problem]:
    if record.columns:
        yield "columns", "belong to format: csv; JSON records name their own fields"
    for name, place in record.places.items():
        try:
            jmespath.compile(place)  # type: ignore[no-untyped-call]
        except JMESPathError as error:
            reason = str(error).split("\n", maxsplit=1)[0].rstrip(":")
            yield name.partition(".")[0], f"{place!r} is not a JMESPath expression: {reason}"


def _csv_problems(record: RecordFormat) -> Iterator[Problem]:
    if not record.columns:
        yield "columns", "is missing; list the names of the columns in their order"
        return
    repeated = sorted({name for name in record.columns if record.columns.count(name) > 1})
    if repeated:
        yield "columns", f"{repeated[0]!r} is named twice"
    for name, place in record.places.items():
        if place not in record.columns and not place.startswith(REFERENCE):
            known = ", ".join(record.columns)
            yield name.partition(".")[0], f"{place!r} is not one of the columns {known}"
