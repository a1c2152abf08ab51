from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cutwatch_cli.csv_files.csv_series import ReadingOptions, read_csv
from tests.support.metric_files import HALF_HOUR, mistake, rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


BERLIN = ZoneInfo("Europe/Berlin")


def local_rows(start: datetime, count: int, *, backwards: bool = False) -> str:
    """Every half hour, as a clock on the wall in Berlin shows it."""
    times = [(start + n * HALF_HOUR).astimezone(BERLIN) for n in range(count)]
    lines = [f"{time:%Y-%m-%d %H:%M},{n}" for n, time in enumerate(times)]
    return "\n".join(["timestamp,value", *(reversed(lines) if backwards else lines)])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)]
)
def test_local_times_are_read_through_a_change_of_the_clock(
    day: datetime, backwards: bool, file: Path
) -> None:
    file.write_text(local_rows(day, 96, backwards=backwards))

    read = read_csv(file, ReadingOptions(time_zone="Europe/Berlin"))

    assert (read.start, read.period_seconds, read.time_zone) == (day, 1800, "Europe/Berlin")
    assert read.values == [float(n) for n in range(96)]
    assert "Timestamps without a zone were read as Europe/Berlin (--time-zone)." in read.notes
    twice = [note for note in read.notes if "occurs twice" in note]
    assert len(twice) == (day.month == 10)


def test_a_time_that_the_clock_skipped_belongs_to_another_zone(file: Path) -> None:
    found = mistake(
        file, rows("%Y-%m-%d %H:%M").replace("2026-03-20", "2026-03-29"), time_zone="Europe/Berlin"
    )
    assert found.startswith(
        ", row 6, column timestamp: '2026-03-29 02:00' does not exist in Europe/Berlin"
    )
    assert "--time-zone" in found
