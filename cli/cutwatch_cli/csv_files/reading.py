"""Options for reading a file, and the error of a file that cannot be read."""

from dataclasses import dataclass
from typing import Literal

DecimalMark = Literal["point", "comma"]
DateOrder = Literal["day-first", "month-first"]


class CsvError(ValueError):
    """One line that says why a file does not contain a valid metric."""


@dataclass(frozen=True)
class ReadingOptions:
    """Facts about a file that the file itself does not state.

    `time_zone` applies to timestamps without a zone. `decimal` also allows the other mark to separate thousands. `value`
    names the column of the values; each of `series` selects the rows with that cell.
    """

    time_zone: str = "UTC"
    decimal: DecimalMark | None = None
    dates: DateOrder | None = None
    value: str | None = None
    series: tuple[str, ...] = ()


DEFAULT_OPTIONS = ReadingOptions()


def shown(text: str, width: int = 40) -> str:
    """Return the text quoted and, if it is long, shortened."""
    return repr(text if len(text) <= width else text[: width - 1] + "…")


def one_line(text: str) -> str:
    """Return the text without line breaks and other control characters."""
    return "".join(character if character.isprintable() else "·" for character in text)
