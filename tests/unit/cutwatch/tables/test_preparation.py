"""Training data of a table: rows in parts, and refusals with their reason."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cutwatch.aws.s3 import ListedObject
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.errors import NotFound, PreparationRefused, TableTooLarge
from cutwatch.tables.preparation import (
    Preparation,
    dataset_of,
    finish,
    prepare,
    prepared_by_glue,
)
from cutwatch.tables.read_limiter import ReadLimiter
from cutwatch.tables.scan import MOST_BYTES, MOST_ITEMS, Scan, ScannedTable
from tests.support.watched_tables import watched

SCHEDULED = datetime(2026, 11, 1, 3, tzinfo=UTC)
KEYS = {"id": "HASH"}


class MemoryBucket:
    """Objects of a bucket as texts."""

    name = "data"

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def write(self, key: str, content: str) -> None:
        self.objects[key] = content

    def delete(self, key: str) -> None:
        del self.objects[key]

    def uri(self, key: str) -> str:
        return f"s3://data/{key}"

    def list(self, prefix: str) -> Iterator[ListedObject]:
        now = datetime.now(UTC)
        keys = [key for key in self.objects if key.startswith(prefix)]
        yield from (ListedObject(key, "", now) for key in keys)

    def read_json(self, key: str) -> Any:
        if key not in self.objects:
            raise NotFound("GetObject", "NoSuchKey", key)
        return json.loads(self.objects[key])


class FakeDynamoDB:
    """A table that is scanned in segments and pages; each item costs half a read unit."""

    def __init__(self, items: Sequence[Mapping[str, Any]]) -> None:
        self.items = list(items)
        self.scans = 0

    def scan(self, **request: Any) -> dict[str, Any]:
        self.scans += 1
        own = self.items[request["Segment"] :: request["TotalSegments"]]
        start = int(request.get("ExclusiveStartKey", {"n": 0})["n"])
        page = own[start : start + request["Limit"]]
        answer: dict[str, Any] = {
            "Items": page,
            "ConsumedCapacity": {"CapacityUnits": len(page) / 2},
        }
        more = start + len(page) < len(own)
        return answer | ({"LastEvaluatedKey": {"n": start + len(page)}} if more else {})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds


def items(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": {"S": str(n)}, "ridecount": {"N": str(n % 97)}, **more} for n in range(count)]


def prepared(
    content: Sequence[Mapping[str, Any]],
    table: WatchedTable | None = None,
    *,
    bucket: MemoryBucket | None = None,
    units: float = 1_000.0,
    files: int = 1,
    clock: Clock | None = None,
) -> Any:
    table, bucket, clock = table or watched(), bucket or MemoryBucket(), clock or Clock()
    dynamodb = FakeDynamoDB(content)
    limiter = ReadLimiter(units, lambda: clock.now, clock.pause)
    scanned = ScannedTable("rides", len(content), 100 * len(content), KEYS)
    scan = Scan(dynamodb, scanned, ("ridecount",), 1, limiter)  # type: ignore[arg-type]
    dataset = dataset_of(table, bucket.name, SCHEDULED)
    return prepare(bucket, lambda: scan, table, dataset, files), bucket, dynamodb  # type: ignore[arg-type]


def test_every_item_becomes_a_line_and_the_parts_are_of_equal_size() -> None:
    preparation, bucket, _ = prepared(items(2_000), files=2)
    rows = [key for key in bucket.objects if "/rows/" in key]
    assert [bucket.objects[key].count("\n") for key in rows] == [1_000, 1_000]
    assert (preparation.dataset.rows, preparation.dataset.files) == (2_000, 2)


def test_rejected_items_are_counted_by_reason() -> None:
    broken = [{"id": {"S": "a"}}, {"id": {"S": "b"}, "ridecount": {"S": "many"}}]
    preparation, _, _ = prepared([*items(1_000), *broken])
    assert preparation.rejected == {"missing field": 1, "not a number": 1}


def test_a_complete_preparation_is_not_made_again() -> None:
    bucket = MemoryBucket()
    first, _, _ = prepared(items(1_000), bucket=bucket)
    again, _, dynamodb = prepared(items(1_500), bucket=bucket)
    assert again == first
    assert dynamodb.scans == 0


def test_too_few_rows_are_refused_with_the_reasons() -> None:
    with pytest.raises(
        PreparationRefused, match=r"999 items have a row, and a model needs 1000.*not a number: 5"
    ):
        prepared([*items(999), *items(5, ridecount={"S": "x"})])


def test_a_key_of_the_table_is_a_column_only_if_someone_insists() -> None:
    content = [item | {"id": {"N": item["id"]["S"]}} for item in items(1_000)]
    with pytest.raises(PreparationRefused, match=r"attribute 'id' is a key of the table"):
        prepared(content, watched(values={"x": "id"}))
    insists = watched(values={"x": "id"}, allow_identifiers=True)
    assert prepared(content, insists)[0].dataset.rows == 1_000


def test_a_column_that_only_grows_is_refused() -> None:
    content = [{"ridecount": {"N": str(n)}, "time": {"S": f"{n:05d}"}} for n in range(1_000)]
    with pytest.raises(PreparationRefused, match=r"'ridecount' only grows with time"):
        prepared(content, watched(time="time"))


def test_reading_keeps_to_the_read_units() -> None:
    clock = Clock()
    prepared(items(4_000), units=20.0, clock=clock)
    assert clock.now == pytest.approx(4_000 / 2 / 20.0)


@pytest.mark.parametrize(
    ("count", "size", "units", "reason"),
    [
        (MOST_ITEMS + 1, 1, 1e6, "up to 2,000,000 items in 1,000 MB"),
        (1, MOST_BYTES + 1, 1e6, "at least 1 items in 1,000 MB"),
        (1_000_000, 500_000_000, 10, "raise ReadUnitsPerSecond"),
    ],
)
def test_a_table_that_is_too_large_for_a_function_is_refused_at_once(
    count: int, size: int, units: float, reason: str
) -> None:
    with pytest.raises(PreparationRefused, match=reason):
        ScannedTable("rides", count, size, KEYS).check_size(units)


def test_a_table_that_has_grown_since_it_was_counted_is_refused_while_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cutwatch.tables.scan.MOST_ITEMS", 1_500)
    with pytest.raises(PreparationRefused, match=r"has at least"):
        prepared(items(3_000), units=100.0)


def test_a_scan_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(PreparationRefused, match=r"raise ReadUnitsPerSecond"):
        prepared(items(40_000), units=10.0)


def test_what_is_too_large_for_a_function_names_glue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutwatch.tables.scan.MOST_ITEMS", 1_500)
    with pytest.raises(TableTooLarge, match="deploy the table's stack with Preparation=glue"):
        prepared(items(3_000))


def glue_wrote(bucket: MemoryBucket, table: WatchedTable, **summary: Any) -> Preparation:
    """Put there what the Glue job writes, with the markers of folders that its file system may leave; read it."""
    dataset = dataset_of(table, bucket.name, SCHEDULED)
    bucket.write(f"{dataset.prefix}rows/", "")
    bucket.write(f"{dataset.prefix}rows/part-00000-spark.csv", "1.0\n" * 3_000)
    bucket.write(f"{dataset.prefix}summary/", "")
    content = {"items": 3_002, "rows": 3_000, "rejected": {"missing field": 2}, "sample": []}
    bucket.write(f"{dataset.prefix}summary/part-0.txt", json.dumps(content | summary))
    return prepared_by_glue(bucket, table, dataset)  # type: ignore[arg-type]


def test_rows_of_the_glue_job_are_taken_with_its_counts() -> None:
    bucket = MemoryBucket()
    preparation = glue_wrote(bucket, watched())
    assert (preparation.dataset.rows, preparation.dataset.files) == (3_000, 1)
    assert preparation.rejected == {"missing field": 2}
    dataset = dataset_of(watched(), bucket.name, SCHEDULED)
    assert prepared_by_glue(bucket, watched(), dataset) == preparation  # type: ignore[arg-type]


def test_rows_of_the_glue_job_are_refused_as_a_functions_are() -> None:
    with pytest.raises(PreparationRefused, match="10 items have a row, and a model needs 1000"):
        glue_wrote(MemoryBucket(), watched(), rows=10)
    grows = [[f"{n:05d}", [float(n)]] for n in range(1_000)]
    with pytest.raises(PreparationRefused, match=r"'ridecount' only grows with time"):
        glue_wrote(MemoryBucket(), watched(time="time"), sample=grows)


def test_a_job_without_a_summary_has_prepared_nothing() -> None:
    bucket = MemoryBucket()
    dataset = dataset_of(watched(), bucket.name, SCHEDULED)
    with pytest.raises(PreparationRefused, match=r"no summary below s3://data/data/taxi/.*summary/"):  # fmt: skip
        prepared_by_glue(bucket, watched(), dataset)  # type: ignore[arg-type]


def test_a_finished_run_keeps_its_description_alone_and_other_runs_keep_all() -> None:
    _, bucket, _ = prepared(items(1_000))
    dataset = dataset_of(watched(), bucket.name, SCHEDULED)
    other = dataset_of(watched(), bucket.name, SCHEDULED + timedelta(days=7))
    bucket.write(f"{dataset.prefix}export/AWSDynamoDB/1/data/a.json.gz", "")
    bucket.write(f"{other.prefix}rows/part-0.csv", "1.0\n")
    bucket.write("scores/taxi/job/part-0.csv.out", "")
    assert finish(bucket, dataset, "job") == 3
    assert list(bucket.objects) == [f"{dataset.prefix}preparation.json", f"{other.prefix}rows/part-0.csv"]  # fmt: skip
