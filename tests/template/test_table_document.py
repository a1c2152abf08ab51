"""docs/tables.md agrees with what the commands print."""

import re

from tests.support.command_line import cutwatch
from tests.support.project import PROJECT

DOCUMENT = PROJECT / "docs" / "tables.md"


def test_the_cost_that_is_shown_is_the_one_that_is_printed() -> None:
    [shown] = re.findall(r"<!-- cost -->\n```\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    printed = cutwatch("cost", "--table", "any").stdout
    assert shown.splitlines() == [line.rstrip() for line in printed.splitlines()]


def test_the_dollars_of_the_measured_engines_are_those_of_the_estimate() -> None:
    rows = [
        line.split(" | ")[-1] for line in DOCUMENT.read_text().splitlines() if "µs a change" not in line and line.startswith("| `engine: ") and "/ " in line
    ]  # fmt: skip
    amounts = [set(re.findall(r"\$[\d.]+", row)) for row in rows if "$" in row]
    assert amounts == [_printed(1, 1, 2), _printed(1, 3), _printed(10, 3)]


def _printed(keys: int, *columns: int) -> set[str]:
    """Return what columns of the estimate say for 1, 10 and 100 changes a second; 0 is the rate."""
    lines = cutwatch("cost", "--table", "any", "--keys", str(keys)).stdout.splitlines()
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines if re.match(r" 10{0,2} ", line)]
    return {row[column] for row in rows for column in columns if row[column].startswith("$")}
