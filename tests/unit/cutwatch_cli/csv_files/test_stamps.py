from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cutwatch_cli.csv_files.csv_series import ReadingOptions, read_csv
from tests.support.metric_files import START, mistake, rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        (("3/4/2026", "3/5/2026"), "could be day or month first; say --dates day-first or"),
        (("31/3/2026", "3/31/2026"), "mixes both orders of day and month; say --dates"),
    ],
)
def test_dates_that_could_be_read_in_two_ways_are_refused(
    dates: tuple[str, str], told: str, file: Path
) -> None:
    text = "timestamp,value\n" + "".join(f"{date},1\n" for date in dates)
    assert told in mistake(file, text)


def test_the_order_of_day_and_month_can_be_stated(file: Path) -> None:
    file.write_text("timestamp,value\n3/4/2026,1\n3/5/2026,2\n")

    by_month = read_csv(file, ReadingOptions(dates="month-first"))
    by_day = read_csv(file, ReadingOptions(dates="day-first"))

    assert (by_month.start, by_month.period_seconds) == (datetime(2026, 3, 4, tzinfo=UTC), 86_400)
    assert by_day.start.month == 4
    assert "'31/4/2026' is not a day-first date" in mistake(
        file, "timestamp,value\n1/4/2026,1\n31/4/2026,2\n"
    )


def test_days_stay_the_days_of_the_file_in_every_zone(file: Path) -> None:
    lines = [f"{START + timedelta(days=n):%Y-%m-%d},{n}" for n in range(40)]
    file.write_text("\n".join(["timestamp,value", *lines]))

    read = read_csv(file, ReadingOptions(time_zone="America/New_York"))

    assert (read.start, read.time_zone) == (START, "UTC")
    assert read.values == [float(n) for n in range(40)]


def test_an_offset_in_the_file_is_noted_where_times_are_told_in_utc(file: Path) -> None:
    text = rows("%Y-%m-%dT%H:%M:%S+00:00").replace("+00:00", "+11:00")
    file.write_text(text)

    assert read_csv(file).start == START - timedelta(hours=11)
    assert read_csv(file).notes[0] == (
        "Timestamps carry the offset +11:00; times are reported in UTC (--time-zone)."
    )
    assert not any(
        "offset" in note for note in read_csv(file, ReadingOptions(time_zone="Asia/Tokyo")).notes
    )
