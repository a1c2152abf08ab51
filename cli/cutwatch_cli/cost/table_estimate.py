"""A table's cost by changes a second: an endpoint of instances, a serverless one, and forests that learn."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch_cli.cost.prices import AS_OF, REGION, Prices
from cutwatch_cli.cost.stream_work import Load
from cutwatch_cli.cost.table_assumptions import TableAssumptions
from cutwatch_cli.cost.table_bill import TableBill, endpoint_bill, forest_bill
from cutwatch_cli.cost.table_work import EndpointWork, ForestWork, TrainingWork

RATES = (1.0, 10.0, 100.0, 1_000.0)
NOT_COUNTED = "Not counted: the table itself, free tiers, taxes, traces, emails, KMS requests, retries, target streams and queues."


@dataclass(frozen=True)
class TableEstimate:
    """The cost of a table with everything that it depends on. Items are `load.record_bytes` long."""

    table: WatchedTable
    load: Load
    items: int
    prices: Prices
    assume: TableAssumptions

    @property
    def training(self) -> TrainingWork:
        """One training."""
        return TrainingWork(self.items, self.items * self.load.record_bytes, self.assume)

    @cached_property
    def bills(self) -> list[tuple[TableBill, TableBill, TableBill]]:
        """The bills of each rate: instances, serverless, forests."""
        rates = sorted({*RATES, self.load.records_per_second})
        return [self._bills(rate) for rate in rates]

    @property
    def own_bills(self) -> tuple[TableBill, TableBill, TableBill]:
        """The bills of the given rate."""
        return self._bills(self.load.records_per_second)

    def to_payload(self) -> dict[str, Any]:
        """Return all numbers, unrounded, in dollars, as JSON values."""
        return {
            "table": self.table.name,
            "load": self.load._asdict(),
            "items": self.items,
            "prepared_by": "glue" if self.training.uses_glue else "lambda",
            "forest": asdict(self.table.forest),
            "estimates": [each.to_payload() for bills in self.bills for each in bills],
            "prices": {
                "as_of": AS_OF,
                "region": REGION,
                **{name: asdict(price) for name, price in self.prices.items()},
            },
            "assumptions": asdict(self.assume),
        }

    def _bills(self, rate: float) -> tuple[TableBill, TableBill, TableBill]:
        load = self.load._replace(records_per_second=rate)
        window = self.assume.batching_window_seconds
        by_endpoint = EndpointWork(self.table, load, window, self.assume)
        stream, assume = self.table.as_stream, self.assume.of_streams
        by_forest = ForestWork(stream, load, window, assume, self.table)
        return (
            endpoint_bill(by_endpoint, self.training, self.prices, is_serverless=False),
            endpoint_bill(by_endpoint, self.training, self.prices, is_serverless=True),
            forest_bill(by_forest, self.prices),
        )
