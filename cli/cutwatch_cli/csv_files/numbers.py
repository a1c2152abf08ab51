"""Values as people write them; a number that could be read in two ways is refused."""

import math
import re

from cutwatch_cli.csv_files.reading import DecimalMark, shown
from cutwatch_cli.csv_files.table import Table

# PutMetricData accepts values from -2^360 to 2^360.
LARGEST_VALUE = 2.0**360
MISSING_VALUES = {"", "nan", "null", "none", "na", "n/a", "undefined"}

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SPACES = "' \u00a0\u202f\u2019"
_GROUPED = {
    "point": re.compile(rf"[+-]?\d{{1,3}}([,{_SPACES}]\d{{3}})+(\.\d*)?", re.ASCII),
    "comma": re.compile(
        rf"[+-]?(\d{{1,3}}([.{_SPACES}]\d{{3}})+|\d+)(,\d*)?([eE][+-]?\d+)?", re.ASCII
    ),
}
_NOT_DIGITS = re.compile(rf"[,{_SPACES}]")


def parse_values(table: Table, column: int, decimal: DecimalMark | None) -> list[float]:
    """Return the values of a column, NaN where there is none. Raises `CsvError` for the first invalid cell."""
    values = []
    for position, text in enumerate(table.column(column)):
        try:
            values.append(_parse(text, decimal))
        except ValueError as error:
            raise table.error(position, f"{shown(text)} {error}", column) from None
    return values


def _parse(text: str, decimal: DecimalMark | None) -> float:
    if text.lower() in MISSING_VALUES:
        return math.nan
    value = float(_normalised(text, decimal))
    if abs(value) > LARGEST_VALUE:
        raise ValueError("is beyond CloudWatch's range of -2^360 to 2^360 (2.3e108)")
    return value


def _normalised(text: str, decimal: DecimalMark | None) -> str:
    """Return the text as Python writes numbers."""
    if decimal != "comma" and _PLAIN.fullmatch(text):
        return text
    if decimal and _GROUPED[decimal].fullmatch(text):
        if decimal == "comma":
            text = text.replace(".", "").replace(",", ".")
        return _NOT_DIGITS.sub("", text)
    raise ValueError(_why_not(text, decimal))


def _why_not(text: str, decimal: DecimalMark | None) -> str:
    if decimal is None and re.fullmatch(r"[0-9.,+-]+", text):
        return (
            "is not a plain number; say --decimal point if commas separate thousands, "
            "or --decimal comma if the comma is the decimal mark"
        )
    mark = f" with a decimal {decimal}" if decimal else " such as 12.5"
    return f"is neither a finite number{mark} nor empty for a missing datapoint"
