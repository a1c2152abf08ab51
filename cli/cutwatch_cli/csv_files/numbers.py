"""Values as people write them; a number that could be read in two ways is refused."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

from cutwatch_cli.csv_files.reading import CsvError, DecimalMark, shown
from cutwatch_cli.csv_files.table import Table

# PutMetricData accepts values from -2^360 to 2^360.
LARGEST_VALUE = 2.0**360
MISSING_VALUES = {"", "nan", "null", "none", "na", "n/a", "undefined"}

_MARKS: tuple[DecimalMark, ...] = get_args(DecimalMark)
_CHARACTERS: dict[DecimalMark, str] = {"point": ".", "comma": ","}
_SPACES = "' \u00a0\u202f\u2019"


def _form(mark: str, separator: str) -> re.Pattern[str]:
    """Return the form of numbers with a decimal mark, with or without separators between thousands."""
    grouped = rf"[1-9]\d{{0,2}}([{separator}{_SPACES}]\d{{3}})+"
    plain = rf"(\d+({mark}\d*)?|{mark}\d+)([eE][+-]?\d+)?"
    return re.compile(rf"[+-]?({plain}|{grouped}({mark}\d*)?)", re.ASCII)


_FORMS: dict[DecimalMark, re.Pattern[str]] = {
    "point": _form(r"\.", ","),
    "comma": _form(",", r"\."),
}
_UNGROUPED = re.compile(r"[+-]?[1-9]\d{3,}", re.ASCII)
_NOT_DIGITS = re.compile(rf"[,{_SPACES}]")


class Values(NamedTuple):
    """The values of a column, NaN where there is none, and what a reader of the results should know."""

    numbers: list[float]
    notes: list[str]


class _Proof(NamedTuple):
    """A decimal mark, and the position of the number that proves it, or for which it is assumed."""

    mark: DecimalMark
    position: int
    is_assumed: bool = False


def parse_values(table: Table, column: int, decimal: DecimalMark | None) -> Values:
    """Return the values of a column. Raises `CsvError` for the first invalid cell, or one that can be read in two ways.

    Without a stated decimal mark, it is that which the other numbers prove.
    """
    # Numbers in JSON have a point.
    proof = _proof(table, column) if decimal is None and table.part == "row" else None
    mark = proof.mark if proof else decimal
    values = []
    for position, text in enumerate(table.column(column)):
        try:
            values.append(_parse(text, mark or "point", decimal))
        except ValueError as error:
            raise table.error(position, f"{shown(text)} {error}", column) from None
    return Values(values, list(_notes(table, column, proof)))


def _proof(table: Table, column: int) -> _Proof | None:
    """Return the decimal mark that the numbers prove; None if all have the same value with either."""
    cells = table.column(column)
    proofs = [
        _Proof(marks[0], position)
        for position, text in enumerate(cells)
        if len(marks := _marks(text)) == 1
    ]
    if mixed := next((each for each in proofs if each.mark != proofs[0].mark), None):
        raise _contradiction(table, column, mixed, proofs[0])
    if proofs:
        return proofs[0]
    doubtful = {mark: _first_with(cells, sign) for mark, sign in _CHARACTERS.items()}
    found = [_Proof(mark, position) for mark, position in doubtful.items() if position is not None]
    # Next to 1500, the 1.234 cannot be a thousand.
    if len(found) == 1 and any(map(_UNGROUPED.fullmatch, cells)):
        return found[0]
    # Where points separate thousands, the comma is the decimal mark and separates no cells.
    if len(found) == 1 and found[0].mark == "point" and table.delimiter == ",":
        return found[0]._replace(is_assumed=True)
    if found:
        raise _ambiguous(table, column, min(each.position for each in found))
    return None


def _marks(text: str) -> tuple[DecimalMark, ...]:
    """Return the decimal marks with which a text is a number."""
    return tuple(mark for mark in _MARKS if _FORMS[mark].fullmatch(text))


def _first_with(cells: Sequence[str], sign: str) -> int | None:
    """Return the position of the first number that contains a sign."""
    return next((n for n, text in enumerate(cells) if sign in text and _marks(text)), None)


def _contradiction(table: Table, column: int, found: _Proof, proven: _Proof) -> CsvError:
    cells = table.column(column)
    return table.error(
        found.position,
        f"{shown(cells[found.position])} has a decimal {found.mark}, but "
        f"{shown(cells[proven.position])} in {table.where(proven.position)} has a decimal {proven.mark}",
        column,
    )


def _ambiguous(table: Table, column: int, position: int) -> CsvError:
    text = table.column(column)[position]
    decimal, thousands = re.sub("[.,]", ".", text), re.sub("[.,]", "", text)
    return table.error(
        position,
        f"{shown(text)} may be {decimal} or {thousands}, and no other number shows which; "
        "say --decimal point or --decimal comma",
        column,
    )


def _notes(table: Table, column: int, proof: _Proof | None) -> Iterator[str]:
    """Say by which number a decimal comma, or commas between thousands, were recognised."""
    cells = table.column(column)
    if proof and proof.is_assumed:
        yield (
            f"Numbers such as {shown(cells[proof.position])} were read with a decimal point; "
            "say --decimal comma if the point separates thousands."
        )
    elif proof and (proof.mark == "comma" or any("," in cell for cell in cells)):
        shown_as = shown(cells[proof.position])
        yield f"Numbers were read with a decimal {proof.mark}, as in {shown_as} (--decimal)."


def _parse(text: str, mark: DecimalMark, stated: DecimalMark | None) -> float:
    if text.lower() in MISSING_VALUES:
        return math.nan
    if not _FORMS[mark].fullmatch(text):
        expected = f" with a decimal {stated}" if stated else " such as 12.5"
        raise ValueError(f"is neither a finite number{expected} nor empty for a missing datapoint")
    if mark == "comma":
        text = text.replace(".", "").replace(",", ".")
    value = float(_NOT_DIGITS.sub("", text))
    if abs(value) > LARGEST_VALUE:
        raise ValueError("is beyond CloudWatch's range of -2^360 to 2^360 (2.3e108)")
    return value
