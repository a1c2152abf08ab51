"""Training data of a table's model: its items as rows of CSV in S3, and what was left out."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.keys import ROWS, dataset_prefix, forest_name, scores_prefix
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.endpoints.invocation import csv_line
from cutwatch.errors import NotFound, PreparationRefused, TableTooLarge
from cutwatch.tables.growth import growing
from cutwatch.tables.recipe import NoRow, TableRecipe
from cutwatch.tables.scan import Page, Scan

# The model's trees share one sample; with 50 trees, this is 20 rows a tree.
FEWEST_ROWS = 1_000
# Rows with their times that show whether a column only grows.
_SAMPLED_ROWS = 10_000
_DESCRIPTION = "preparation.json"
# Below a dataset's prefix: what the Glue job writes last.
SUMMARY = "summary/"


@dataclass
class Rows:
    """Rows of a table's items as lines of CSV, and the numbers of items that have none by reason."""

    table: WatchedTable
    lines: list[str] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    sample: list[tuple[str, tuple[float, ...]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._recipe = TableRecipe.of(self.table)

    @property
    def items(self) -> int:
        """Items so far."""
        return len(self.lines) + self.rejected.total()

    def take(self, page: Page) -> int:
        """Add the items of a page; return the number of items so far."""
        found = [(item, self._recipe.row(item)) for item in page]
        rows = [(item, row) for item, row in found if not isinstance(row, NoRow)]
        lines = [csv_line(row) for _, row in rows]
        reasons = Counter(str(row.reason) for _, row in found if isinstance(row, NoRow))
        with self._lock:
            self.lines += lines
            self.rejected += reasons
            self.sample += [
                (_time(item, self.table.time), row)
                for item, row in rows[: _SAMPLED_ROWS - len(self.sample)]
                if self.table.time
            ]
            return self.items


@dataclass(frozen=True)
class Preparation:
    """Prepared training data: where it is, and the numbers of rejected items by reason.

    `finished` says that its model was deployed, and that rows and scores are deleted.
    """

    dataset: Dataset
    rejected: Mapping[str, int]
    finished: bool = False

    def to_payload(self) -> dict[str, Any]:
        """Return the payload between states."""
        return {
            "data": self.dataset.to_payload(),
            "rejected": dict(self.rejected),
            "finished": self.finished,
        }


def dataset_of(table: WatchedTable, bucket: str, scheduled: datetime) -> Dataset:
    """Return the dataset of a table's training at a scheduled time, without rows yet."""
    identity = [bucket, table.name, table.fingerprint, scheduled.isoformat()]
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:8]
    prefix = dataset_prefix(table.name, scheduled, "training", digest)
    forest = forest_name(scheduled, digest)
    return Dataset(table.name, prefix, digest, forest, len(table.columns), 0, 1, None)


def find_preparation(bucket: Bucket, dataset: Dataset) -> Preparation | None:
    """Return the prepared data of a dataset; None if it was not written completely."""
    try:
        payload = bucket.read_json(dataset.prefix + _DESCRIPTION)
    except NotFound:
        return None
    dataset = Dataset.from_payload(payload["data"], "data")
    return Preparation(dataset, payload["rejected"], payload["finished"])


def finish(bucket: Bucket, dataset: Dataset, scoring: str) -> int:
    """Delete the temporary data of a run, and record that it is finished; return the number of deleted objects.

    That is everything below the dataset's prefix, an export of the table included, and the scores; the description stays.
    """
    description = dataset.prefix + _DESCRIPTION
    found = find_preparation(bucket, dataset)
    if found is not None:
        bucket.write(description, json.dumps(replace(found, finished=True).to_payload()))
    prefixes = (dataset.prefix, scores_prefix(dataset.detector, scoring))
    keys = [each.key for prefix in prefixes for each in bucket.list(prefix)]
    temporary = [key for key in keys if key != description]
    for key in temporary:
        bucket.delete(key)
    return len(temporary)


def prepare(
    bucket: Bucket, scan: Callable[[], Scan], table: WatchedTable, dataset: Dataset, files: int
) -> Preparation:
    """Read a table and write its rows in `files` objects, unless that was done before.

    Raises `PreparationRefused` for a table that is too large or has too few rows, and for columns that identify items.
    """
    found = find_preparation(bucket, dataset)
    if found is not None:
        return found
    try:
        rows = _rows(table, scan())
    except TableTooLarge as error:
        raise TableTooLarge(f"{error}, or deploy the table's stack with Preparation=glue") from None
    check_rows(len(rows.lines), rows.rejected)
    _refuse_growing(table, rows.sample)
    return store(bucket, dataset, rows, files)


def prepared_by_glue(bucket: Bucket, table: WatchedTable, dataset: Dataset) -> Preparation:
    """Return the data that the Glue job wrote for a run.

    Raises `PreparationRefused` as `prepare` does, and if the job has not written its summary.
    """
    found = find_preparation(bucket, dataset)
    if found is not None:
        return found
    summary = read_summary(bucket, dataset)
    if summary is None:
        place = bucket.uri(dataset.prefix + SUMMARY)
        raise PreparationRefused(f"the Glue job has written no summary below {place}")
    check_rows(summary["rows"], summary["rejected"])
    _refuse_growing(table, [(time, row) for time, row in summary["sample"]])
    files = sum(not each.key.endswith("/") for each in bucket.list(dataset.prefix + ROWS))
    complete = replace(dataset, rows=summary["rows"], files=files)
    preparation = Preparation(complete, summary["rejected"])
    bucket.write(dataset.prefix + _DESCRIPTION, json.dumps(preparation.to_payload()))
    return preparation


def read_summary(bucket: Bucket, dataset: Dataset) -> Any:
    """Return what the Glue job writes last: items, rows, rejected items by reason, and a sample; None before that."""
    summaries = [each.key for each in bucket.list(dataset.prefix + SUMMARY)]
    found = next((key for key in summaries if not key.endswith("/")), None)
    return None if found is None else bucket.read_json(found)


def refuse_keys(table: WatchedTable, keys: Mapping[str, str]) -> None:
    """Raise `PreparationRefused` for columns that are keys of the table; `keys` maps attributes to HASH or RANGE."""
    _refuse_identifiers(table, table.identifiers(keys), "is a key of the table")


def _rows(table: WatchedTable, scan: Scan) -> Rows:
    refuse_keys(table, scan.table.keys)
    rows = Rows(table)
    scan.read(rows.take)
    return rows


def check_rows(rows: int, rejected: Mapping[str, int]) -> None:
    """Raise `PreparationRefused` if there are too few rows for a model."""
    if rows < FEWEST_ROWS:
        reasons = ", ".join(f"{reason}: {number}" for reason, number in sorted(rejected.items()))
        raise PreparationRefused(
            f"{rows} items have a row, and a model needs {FEWEST_ROWS}; rejected items: {reasons or 'none'}"
        )


def store(bucket: Bucket, dataset: Dataset, rows: Rows, files: int) -> Preparation:
    """Write rows, then the description, which says that they are complete."""
    parts = _parts(rows.lines, files)
    for number, part in enumerate(parts):
        bucket.write(f"{dataset.prefix}{ROWS}part-{number:05d}.csv", "".join(part))
    complete = Dataset(**{**dataset.to_payload(), "rows": len(rows.lines), "files": len(parts)})
    preparation = Preparation(complete, rows.rejected)
    bucket.write(dataset.prefix + _DESCRIPTION, json.dumps(preparation.to_payload()))
    return preparation


def _parts(lines: Sequence[str], files: int) -> list[Sequence[str]]:
    return [lines[number::files] for number in range(files)]


def _refuse_growing(table: WatchedTable, sample: Sequence[tuple[str, Sequence[float]]]) -> None:
    _refuse_identifiers(table, growing(table.columns, sample), "only grows with time")


def _refuse_identifiers(table: WatchedTable, columns: Sequence[str], why: str) -> None:
    if columns and not table.allow_identifiers:
        attribute = table.values[columns[0]]
        raise PreparationRefused(
            f"column {columns[0]!r} of table {table.name!r}: attribute {attribute!r} {why}, so it would make later items "
            "anomalous; remove it from values, or set allow_identifiers: true"
        )


def _time(item: Mapping[str, Any], attribute: str) -> str:
    value = item.get(attribute, {})
    return str(value.get("S", value.get("N", "")))
