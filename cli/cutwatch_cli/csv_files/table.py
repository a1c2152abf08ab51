"""Rows of text under a header, and where each stands in its file."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from cutwatch_cli.csv_files.reading import CsvError


@dataclass(frozen=True)
class Table:
    """Cells of a file. `places` holds each row's line, or in JSON its number; `part` says which of the two."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    places: list[int]
    part: str = "row"
    delimiter: str = ","
    notes: list[str] = field(default_factory=list)

    def column(self, index: int) -> list[str]:
        """Return the cells of a column without surrounding spaces."""
        return [row[index].strip() for row in self.rows]

    def where(self, position: int) -> str:
        """Return the place of a row, as in `row 17`."""
        return f"{self.part} {self.places[position]}"

    def error(self, position: int, problem: str, column: int | None = None) -> CsvError:
        """Return the error of a row, or of its cell in a column."""
        if column is None:
            return CsvError(f"{self.path}, {self.where(position)}: {problem}")
        name = self.header[column].lower()
        return CsvError(f"{self.path}, {self.where(position)}, column {name}: {problem}")

    def only(self, column: int, cell: str) -> "Table":
        """Return the rows with this cell."""
        kept = [number for number, found in enumerate(self.column(column)) if found == cell]
        return replace(
            self,
            rows=[self.rows[number] for number in kept],
            places=[self.places[number] for number in kept],
        )
