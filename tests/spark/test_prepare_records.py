"""The Glue job makes the rows that the functions make, and refuses what they refuse."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.endpoints.invocation import csv_line
from cutwatch.streams.record import Record
from cutwatch.tables.changes import changes_of
from cutwatch.tables.decoding import ChangeDecoder
from cutwatch.tables.preparation import Rows
from cutwatch.tables.recipe import TableRecipe
from tests.spark.conftest import Glue
from tests.spark.exports import Item, items, write_export

# Attributes may have dots, spaces, quotes and other letters, and may differ in case only.
ATTRIBUTES = ("price", "Price", "a.b c", "größe'\"`")


def scored_rows(table: WatchedTable, exported: list[Item]) -> list[tuple[float, ...]]:
    """The rows that the scoring function would send to the endpoint if each item were inserted."""
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": {"id": item["id"]},
                "NewImage": item,
                "SequenceNumber": str(number),
                "ApproximateCreationDateTime": 1_790_000_000,
            },
        }
        for number, item in enumerate(exported)
    ]
    decoded = map(ChangeDecoder(table).decode, changes_of({"Records": records}))
    return [each.values for each in decoded if isinstance(each, Record)]


def rows_below(folder: Path) -> list[tuple[float, ...]]:
    lines = [line for part in folder.glob("part-*") for line in part.read_text().splitlines()]
    return [tuple(map(float, line.split(","))) for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize("numbers_in_text", [False, True])
def test_spark_preparation_and_scoring_make_equal_rows(
    glue: Glue, tmp_path: Path, *, numbers_in_text: bool
) -> None:
    table = WatchedTable(
        "shop",
        "shop",
        {f"c{place}": name for place, name in enumerate(ATTRIBUTES)},
        numbers_in_text=numbers_in_text,
        time="at",
    )
    # Most items lack something: enough of them must have a row.
    exported = items(4_000, ATTRIBUTES) + [
        {"id": {"S": f"whole-{n}"}, "at": {"N" if n % 2 else "S": f"{n:03d}"}, **{name: {"N": f"{n}.{place}"} for place, name in enumerate(ATTRIBUTES)}}
        for n in range(500)
    ]  # fmt: skip
    write_export(tmp_path / "export", exported)
    finished = glue(
        export=tmp_path / "export",
        rows=tmp_path / "rows",
        summary=tmp_path / "summary",
        recipe=TableRecipe.of(table).to_json(),
        items=str(len(exported)),
    )
    assert finished.returncode == 0, finished.stderr[-2000:]

    prepared = Rows(table)
    prepared.take(exported)
    rows = rows_below(tmp_path / "rows")
    [summary] = [json.loads(part.read_text()) for part in (tmp_path / "summary").glob("part-*")]
    # A change without a valid time is rejected; here it has the time of the change.
    assert Counter(rows) == Counter(scored_rows(replace(table, time=""), exported))
    assert Counter(map(csv_line, rows)) == Counter(prepared.lines)
    assert summary["rejected"] == dict(prepared.rejected)
    assert len(summary["sample"]) == len(rows)
    assert Counter((time, tuple(row)) for time, row in summary["sample"]) == Counter(
        prepared.sample
    )
    assert (summary["items"], summary["rows"]) == (len(exported), len(rows))
    assert len(rows) > 500
    assert set(summary["rejected"]) == {"missing field", "not a number", "too large"}
    assert list((tmp_path / "rows").glob("_*")) == []


@pytest.mark.slow
def test_a_partial_export_is_refused(glue: Glue, tmp_path: Path) -> None:
    write_export(tmp_path / "export", items(10, ("price",)))
    finished = glue(
        export=tmp_path / "export",
        rows=tmp_path / "rows",
        summary=tmp_path / "summary",
        recipe=TableRecipe(("price",)).to_json(),
        items="11",
    )
    assert finished.returncode != 0
    assert "the export has 11 items, and 10 could be read" in finished.stderr
    assert not (tmp_path / "rows").exists()
