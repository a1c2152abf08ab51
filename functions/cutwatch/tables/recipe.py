"""From an item's typed attributes to the row of a model, or to the one reason why there is none.

Scoring and preparation call the same function; `glue/prepare_records.py` does the same in Spark, and a property test holds all
of them equal.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.decoding import LARGEST_VALUE
from cutwatch.streams.record import Reason

Item = Mapping[str, Any]
Row = tuple[float, ...]

# Numbers as DynamoDB writes them. Python and Java read other texts as numbers too, and not the same ones.
NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_NUMBER = re.compile(NUMBER)


@dataclass(frozen=True)
class NoRow:
    """The reason why an item has no row. `detail` names the attribute and the rule, never the item's content."""

    reason: Reason
    detail: str


@dataclass(frozen=True)
class TableRecipe:
    """The attributes of a row, in the order of the model's columns; `numbers_in_text` reads S attributes too.

    `time` is the attribute by which columns that only grow are found, empty for none.
    """

    attributes: tuple[str, ...]
    numbers_in_text: bool = False
    time: str = ""

    @classmethod
    def of(cls, table: WatchedTable) -> "TableRecipe":
        """Return the recipe that a declaration describes."""
        return cls(tuple(table.values.values()), table.numbers_in_text, table.time)

    def row(self, item: Item) -> Row | NoRow:
        """Return the row of an item with typed attributes such as `{"N": "8"}`, or the first reason against one."""
        row = []
        for attribute in self.attributes:
            number = self._number(attribute, item.get(attribute))
            if isinstance(number, NoRow):
                return number
            row.append(number)
        return tuple(row)

    def to_json(self) -> str:
        """Return the recipe as the Glue job takes it."""
        return json.dumps(
            {
                "attributes": list(self.attributes),
                "types": self._types,
                "number": rf"\A{NUMBER}\z",
                "largest": LARGEST_VALUE,
                "time": self.time,
            }
        )

    @property
    def _types(self) -> list[str]:
        return ["N", "S"] if self.numbers_in_text else ["N"]

    def _number(self, attribute: str, value: Mapping[str, Any] | None) -> float | NoRow:
        if value is None or "NULL" in value:
            return NoRow(Reason.MISSING_FIELD, f"{attribute} is missing")
        text = next((value[kind] for kind in self._types if kind in value), "")
        if not isinstance(text, str) or not _NUMBER.fullmatch(text):
            return NoRow(Reason.NOT_A_NUMBER, f"{attribute} is not a number")
        number = float(text)
        if abs(number) > LARGEST_VALUE:
            return NoRow(Reason.TOO_LARGE, f"{attribute} is beyond ±{LARGEST_VALUE:g}")
        return number
