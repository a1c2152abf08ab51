from pathlib import Path
from typing import Any

import pytest

from tests.support.metric_files import CONSOLE, assert_the_series, rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


@pytest.mark.parametrize(
    "text",
    [
        rows("%Y/%m/%d %H:%M:%S", CONSOLE.rstrip()),
        rows("%Y/%m/%d %H:%M:%S"),
        rows("%d.%m.%Y %H:%M"),
        rows("%d.%m.%Y, %H:%M:%S", separator=";", header="Time;value"),
        rows("%m/%d/%Y %I:%M:%S %p"),
        rows("%m/%d/%Y %I:%M\u202f%p"),
        rows("%d/%m/%Y %H:%M"),
        rows("%Y-%m-%d %H:%M:%S UTC"),
        rows("%Y-%m-%d %H:%M:%S +0000 UTC"),
        rows("%Y-%m-%dT%H:%M:%S.000Z", "\ufeffTime\tcpu", "\t"),
        "sep=;\n" + rows("%Y-%m-%d %H:%M", "Time;cpu host a", ";"),
        rows("%s", "date,Maximum"),
        rows("%s000"),
        rows("%s000000"),
        rows("%s000000000"),
    ],
    ids=[
        *("console", "slashes", "dots", "dots and semicolons", "month first", "narrow space"),
        *("day first", "UTC in words", "offset and UTC", "tabs", "Excel's sep", "seconds"),
        *("milliseconds", "microseconds", "nanoseconds"),
    ],
)
def test_a_file_in_any_usual_form_is_the_same_series(
    text: str, file: Path, monkeypatch: Any
) -> None:
    assert_the_series(file, text)


def test_the_column_of_values_and_the_zone_that_was_assumed_are_noted(file: Path) -> None:
    notes = assert_the_series(file, rows("%Y/%m/%d %H:%M:%S", CONSOLE.rstrip()))
    assert notes[:2] == [
        "Values were read from the column CPUUtilization.",
        "Timestamps without a zone were read as UTC (--time-zone).",
    ]
