"""A series in the forms in which people have files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cutwatch_cli.csv_files.csv_series import CsvError, ReadingOptions, read_csv

START = datetime(2026, 3, 20, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
VALUES = [float(number * 7 % 50 + 10) for number in range(200)]
TIMES = [START + number * HALF_HOUR for number in range(len(VALUES))]

CONSOLE = """Id,m1
StatusCode,Complete
Messages,
Full label,eu-west-1:AWS/EC2 InstanceId:i-1 CPUUtilization Average 1800
Label,CPUUtilization
"""


def rows(form: str, header: str = "timestamp,value", separator: str = ",") -> str:
    """A row for each time in a form of strftime; %s is the epoch second in UTC, on every machine."""
    stamps = [f"{time:{form.replace('%s', str(int(time.timestamp())))}}" for time in TIMES]
    lines = [f"{stamp}{separator}{value:g}" for stamp, value in zip(stamps, VALUES, strict=True)]
    return "\n".join([header, *lines]) + "\n"


def mistake(file: Path, text: str, **options: Any) -> str:
    file.write_text(text)
    with pytest.raises(CsvError) as refused:
        read_csv(file, ReadingOptions(**options))
    return str(refused.value).removeprefix(str(file))


def assert_the_series(file: Path, text: str, **options: Any) -> Sequence[str]:
    """Assert that the text holds the series; return the notes."""
    file.write_text(text)
    read = read_csv(file, ReadingOptions(**options))
    assert (read.start, read.period_seconds, read.values) == (START, 1800, VALUES)
    return read.notes
