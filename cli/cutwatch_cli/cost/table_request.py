"""The options of `cutwatch cost --table`, and the estimate they describe."""

from dataclasses import dataclass, replace
from pathlib import Path

from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.watched_table import TableCutoff, WatchedTable
from cutwatch_cli.cost.named_numbers import NumberMistake, parse_numbers
from cutwatch_cli.cost.prices import TABLE_PRICES, with_prices
from cutwatch_cli.cost.stream_request import ANY_NAME, needed_shards
from cutwatch_cli.cost.stream_work import Load
from cutwatch_cli.cost.table_assumptions import NAMES, POSITIVE, TableAssumptions
from cutwatch_cli.cost.table_estimate import TableEstimate

_ANY = WatchedTable(ANY_NAME, ANY_NAME, {"value": "value"}, engine="forest")


@dataclass(frozen=True)
class TableCostRequest:
    """Options as typed; `prices` and `assumptions` are `NAME=VALUE`s. Without `keys`, the entry's limit applies."""

    name: str
    detectors: Path
    records_per_second: float = 100.0
    keys: int | None = None
    shards: int | None = None
    record_bytes: float = 1_000.0
    items: int = 100_000
    prices: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    def estimate(self) -> TableEstimate:
        """Compute the estimate. Raises `InvalidDetectors` or `NumberMistake`, with one line per error."""
        values = parse_numbers("--assume", self.assumptions, NAMES, POSITIVE)
        prices = with_prices(parse_numbers("--price", self.prices, TABLE_PRICES), TABLE_PRICES)
        table = self._table()
        shards = self.shards or needed_shards(self.records_per_second, self.record_bytes)
        load = Load(self.records_per_second, self._keys(table), shards, self.record_bytes)
        assume = TableAssumptions().with_values(values)
        return TableEstimate(table, load, self.items, prices, assume)

    def _table(self) -> WatchedTable:
        """Return the table as one of forests: both engines are compared, whatever the entry's."""
        if self.name == ANY_NAME:
            return _ANY
        declared = {each.name: each for each in load_configuration(self.detectors).tables}
        if self.name not in declared:
            names = ", ".join(declared) or "none"
            raise NumberMistake(
                f"--table {self.name}: {self.detectors} does not declare it; its tables: {names}; {ANY_NAME!r} "
                "stands for the defaults"
            )
        return replace(declared[self.name], engine="forest", cutoff=TableCutoff())

    def _keys(self, table: WatchedTable) -> int:
        if self.keys is not None:
            return self.keys
        return table.keys.limit if table.key else 1
