"""Reference data of a stream: one object in S3, joined to each record by a key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import jmespath
from annotated_types import Ge, Le
from jmespath.exceptions import JMESPathError

from cutwatch.detectors.metric_source import Problem
from cutwatch.detectors.record_format import REFERENCE, RecordFormat

_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{2,62})/(?P<key>.+\.(csv|json|jsonl|ndjson))")


@dataclass(frozen=True)
class ReferenceData:
    """`s3` is the URI of a CSV object with a header, or of JSON lines; empty if the stream has no reference data.

    A record gets the row whose column `key` equals the value at the record's place `place`; places see it as
    `reference.COLUMN`. `columns` are the columns to keep, all by default. Without a row, a record lacks a field, unless
    `required` is false. The object is read again if it has changed, at most every `refresh` seconds.
    """

    s3: str = ""
    key: str = ""
    place: str = ""
    columns: tuple[str, ...] = field(default_factory=tuple)
    required: bool = True
    refresh: Annotated[float, Ge(10), Le(86_400)] = 300.0

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """Bucket and key of the object; empty if there is none."""
        match = _URI.fullmatch(self.s3)
        return (match["bucket"], match["key"]) if match else ("", "")

    @property
    def is_csv(self) -> bool:
        """True for CSV, False for JSON lines."""
        return self.s3.endswith(".csv")


def reference_problems(reference: ReferenceData, record: RecordFormat) -> Iterator[Problem]:
    """Yield why reference data do not fit the records."""
    if record.format == "csv":
        yield from _csv_problems(reference, record)
    elif reference.s3:
        try:
            jmespath.compile(reference.place)  # type: ignore[no-untyped-call]
        except JMESPathError:
            yield "reference.place", f"{reference.place!r} is not a JMESPath expression"


def _problems(reference: ReferenceData) -> Iterator[Problem]:
    if not reference.s3:
        given = [name for name in ("key", "place", "columns") if getattr(reference, name)]
        if given or not reference.required:
            yield "s3", "is missing; expected an object such as s3://my-bucket/machines.csv"
        return
    if not _URI.fullmatch(reference.s3):
        yield (
            "s3",
            f"{reference.s3!r} is not the URI of a .csv, .json, .jsonl or .ndjson object such as s3://my-bucket/machines.csv",
        )
    for name, expected in (("key", "a column of the object"), ("place", "a place of the record")):
        if not getattr(reference, name):
            yield name, f"is missing; expected {expected}"


def _csv_problems(reference: ReferenceData, record: RecordFormat) -> Iterator[Problem]:
    if reference.s3 and reference.place not in record.columns:
        known = ", ".join(record.columns)
        yield "reference.place", f"{reference.place!r} is not one of the columns {known}"
    known_columns = {REFERENCE + name for name in reference.columns}
    for name, place in record.places.items():
        if place.startswith(REFERENCE) and not {place} & {*known_columns, *record.columns}:
            yield (
                f"record.{name.partition('.')[0]}",
                f"{place!r}: reference.columns does not have it",
            )
