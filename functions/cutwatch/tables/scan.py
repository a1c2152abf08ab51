"""Parallel scan of a table within a limit of read units, and of the time and memory of a function."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cutwatch.aws.limits import READ_UNIT_BYTES
from cutwatch.errors import TableTooLarge
from cutwatch.tables.read_limiter import ReadLimiter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Page = Sequence[Mapping[str, Any]]

MOST_ITEMS = 2_000_000
MOST_BYTES = 1_000_000_000
# A function has 15 minutes; what is read is written in the rest of them.
LONGEST_SCAN_SECONDS = 780
_BYTES_PER_UNIT = 2 * READ_UNIT_BYTES
_USUAL_ITEM_BYTES = 512


@dataclass(frozen=True)
class ScannedTable:
    """A table as DynamoDB describes it; items and bytes are as of some hours ago. `keys` maps attributes to HASH or RANGE."""

    name: str
    items: int
    size: int
    keys: Mapping[str, str]

    @classmethod
    def described(cls, dynamodb: "DynamoDBClient", name: str) -> "ScannedTable":
        """Ask DynamoDB for a table. Raises `NotFound`."""
        table = dynamodb.describe_table(TableName=name)["Table"]
        keys = {str(each["AttributeName"]): str(each["KeyType"]) for each in table["KeySchema"]}
        return cls(name, table["ItemCount"], table["TableSizeBytes"], keys)

    def check_size(self, units_per_second: float) -> None:
        """Raise `TableTooLarge` if a function cannot read the table."""
        refuse_beyond(self.items, self.size)
        seconds = self.size / _BYTES_PER_UNIT / units_per_second
        if seconds > LONGEST_SCAN_SECONDS:
            raise _too_slow(units_per_second, seconds)

    def page_items(self, units_per_second: float) -> int:
        """Return the number of items of a page that takes about a second's read units."""
        average = self.size / self.items if self.items else _USUAL_ITEM_BYTES
        return max(int(units_per_second * _BYTES_PER_UNIT / max(average, 1.0)), 1)


@dataclass(frozen=True)
class Scan:
    """A scan in parallel segments, of some attributes."""

    dynamodb: "DynamoDBClient"
    table: ScannedTable
    attributes: tuple[str, ...]
    segments: int
    limiter: ReadLimiter

    def read(self, take: Callable[[Page], int]) -> None:
        """Give every page to `take`, in several threads; it returns the number of items so far.

        Raises `TableTooLarge` as soon as the table turns out to be too large.
        """
        deadline = self.limiter.clock() + LONGEST_SCAN_SECONDS
        with ThreadPoolExecutor(self.segments) as pool:
            futures = [
                pool.submit(self._read_segment, number, take, deadline)
                for number in range(self.segments)
            ]
        for future in futures:
            future.result()

    def _read_segment(self, number: int, take: Callable[[Page], int], deadline: float) -> None:
        for page, units in self._pages(number):
            items = take(page)
            refuse_beyond(items, int(self.limiter.units * _BYTES_PER_UNIT))
            self.limiter.spend(units)
            if self.limiter.clock() > deadline:
                raise _too_slow(self.limiter.units_per_second, LONGEST_SCAN_SECONDS)

    def _pages(self, number: int) -> Iterator[tuple[Page, float]]:
        names = {f"#{place}": name for place, name in enumerate(self.attributes)}
        request: Any = {
            "TableName": self.table.name,
            "Segment": number,
            "TotalSegments": self.segments,
            "Limit": self.table.page_items(self.limiter.units_per_second),
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
            "ReturnConsumedCapacity": "TOTAL",
        }
        while True:
            answer = self.dynamodb.scan(**request)
            consumed: Any = answer.get("ConsumedCapacity", {})
            yield answer["Items"], consumed.get("CapacityUnits", 0.0)
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def refuse_beyond(items: int, size: int) -> None:
    """Raise `TableTooLarge` for a table that is too large for a function."""
    if items > MOST_ITEMS or size > MOST_BYTES:
        raise TableTooLarge(
            f"the table has at least {items:,} items in {size / 1e6:,.0f} MB; a function reads up to {MOST_ITEMS:,} items in "
            f"{MOST_BYTES / 1e6:,.0f} MB"
        )


def _too_slow(units_per_second: float, seconds: float) -> TableTooLarge:
    return TableTooLarge(
        f"reading the table takes more than {seconds:,.0f} s at {units_per_second:g} read units a second, and a function has "
        f"{LONGEST_SCAN_SECONDS} s; raise ReadUnitsPerSecond"
    )
