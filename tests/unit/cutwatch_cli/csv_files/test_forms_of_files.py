"""Files as people have them: exports of CloudWatch, Grafana and spreadsheets, and what they must not be mistaken for."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch_cli.csv_files.csv_series import CsvError, ReadingOptions, read_csv
from cutwatch_cli.csv_files.numbers import LARGEST_VALUE

if TYPE_CHECKING:
    from cutwatch_cli.csv_files.reading import DecimalMark

START = datetime(2026, 3, 20, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
VALUES = [float(number * 7 % 50 + 10) for number in range(200)]
TIMES = [START + number * HALF_HOUR for number in range(len(VALUES))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


def rows(form: str, header: str = "timestamp,value", separator: str = ",") -> str:
    """A row for each time in a form of strftime."""
    lines = [
        f"{time:{form}}{separator}{value:g}" for time, value in zip(TIMES, VALUES, strict=True)
    ]
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


CONSOLE = """Id,m1
StatusCode,Complete
Messages,
Full label,eu-west-1:AWS/EC2 InstanceId:i-1 CPUUtilization Average 1800
Label,CPUUtilization
"""


@pytest.mark.parametrize(
    "text",
    [
        rows("%Y/%m/%d %H:%M:%S", CONSOLE.rstrip()),
        rows("%Y/%m/%d %H:%M:%S"),
        rows("%d.%m.%Y %H:%M"),
        rows("%d.%m.%Y, %H:%M:%S", separator=";", header="Zeit;value".replace("Zeit", "Time")),
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


def test_an_incomplete_export_of_the_console_is_noted(file: Path) -> None:
    text = rows("%Y/%m/%d %H:%M:%S", CONSOLE.rstrip()).replace("Complete", "PartialData")
    assert any("marked the data as PartialData" in note for note in assert_the_series(file, text))


def statistics(**more: Any) -> dict[str, Any]:
    shuffled = sorted(zip(TIMES, VALUES, strict=True), key=lambda each: each[1])
    datapoints = [
        {"Timestamp": time.isoformat(), "Average": value, "Unit": "Percent", **more}
        for time, value in shuffled
    ]
    return {"Label": "CPUUtilization", "Datapoints": datapoints}


def metric_data(*identifiers: str, label: str = "cpu") -> dict[str, Any]:
    result = {
        "Label": label,
        "Timestamps": [time.isoformat() for time in TIMES],
        "Values": VALUES,
        "StatusCode": "Complete",
    }
    return {"MetricDataResults": [{"Id": each, **result} for each in identifiers], "Messages": []}


def test_json_of_get_metric_statistics_is_read(file: Path) -> None:
    notes = assert_the_series(file, json.dumps(statistics()))
    assert "Rows were not in chronological order and were sorted." in notes


def test_of_several_statistics_one_is_to_be_chosen(file: Path) -> None:
    text = json.dumps(statistics(Maximum=99.0, ExtendedStatistics={"p99": 98.5}))

    assert mistake(file, text) == (
        ": 'Average', 'Maximum', 'p99' may each be the column of values; choose one with --value"
    )
    assert_the_series(file, text, value="average")


def test_json_of_get_metric_data_is_read(file: Path) -> None:
    assert_the_series(file, json.dumps(metric_data("m1")))


def test_of_several_results_one_is_to_be_chosen(file: Path) -> None:
    text = json.dumps(metric_data("m1", "m2"))

    assert mistake(file, text) == (
        ", column series: labels 2 series: 'cpu m1', 'cpu m2'; choose one with --series"
    )
    assert_the_series(file, text, series=("cpu m2",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", ": is not JSON: "),
        ("[]", ": is JSON without Datapoints or MetricDataResults; expected the output of `aws"),
        ('{"Datapoints": []}', ": contains no datapoints"),
        ('{"Datapoints": [7]}', ", datapoint 1: '7'; expected the output of"),
        (
            '{"MetricDataResults": [{"Timestamps": [], "Values": [1]}]}',
            ", result 1: has 0 Timestamps but 1 Values",
        ),
        ('{"MetricDataResults": [{"Id": "m1"}]}', ", result 1: has no Timestamps and Values"),
        (
            '{"Datapoints": [{"Timestamp": "2026-03-01T00:00Z", "Average": "high"}]}',
            ", datapoint 1, column average: 'high' is neither a finite number",
        ),
    ],
)
def test_json_of_another_shape_is_refused(text: str, told: str, file: Path) -> None:
    assert mistake(file, text).startswith(told)


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1,234", "point", 1234.0),
        ("1,234,567.5", "point", 1234567.5),
        ("1'234'567.5", "point", 1234567.5),
        ("12.5", "point", 12.5),
        ("1.234", "comma", 1234.0),
        ("1.234.567,5", "comma", 1234567.5),
        ("1\u202f234,5", "comma", 1234.5),
        ("-12,5", "comma", -12.5),
        ("1,5e3", "comma", 1500.0),
    ],
)
def test_the_decimal_mark_is_stated_by_an_option(
    text: str, decimal: str, value: float, file: Path
) -> None:
    file.write_text(f'timestamp,value\n2026-03-01,"{text}"\n2026-03-02,"{text}"\n')
    assert read_csv(file, ReadingOptions(decimal=decimal)).values == [value, value]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "decimal", "told"),
    [
        ("1,234", None, "'1,234' is not a plain number; say --decimal point if commas separate"),
        ("1.234.567", None, "'1.234.567' is not a plain number; say --decimal"),
        ("12,34", "point", "'12,34' is neither a finite number with a decimal point"),
        ("12.5", "comma", "'12.5' is neither a finite number with a decimal comma"),
        ("1_000", None, "'1_000' is neither a finite number such as 12.5"),
        ("١٢", None, "'١٢' is neither a finite number such as 12.5"),
        ("43 %", None, "'43 %' is neither a finite number"),
        ("1e301", None, "'1e301' is beyond CloudWatch's range of -2^360 to 2^360"),
    ],
)
def test_a_value_that_could_be_misread_is_refused(
    text: str, decimal: str | None, told: str, file: Path
) -> None:
    found = mistake(file, f'timestamp,value\n2026-03-01,"{text}"\n', decimal=decimal)
    assert found.startswith(f", row 2, column value: {told}")


@given(st.floats(-LARGEST_VALUE, LARGEST_VALUE), st.sampled_from([",", ";", "\t"]))
def test_a_number_is_read_as_itself_or_refused(
    tmp_path_factory: pytest.TempPathFactory, value: float, separator: str
) -> None:
    file = tmp_path_factory.mktemp("number") / "metric.csv"
    grouped = f"{value:,.4f}"
    swapped = grouped.translate(str.maketrans(",.", ".,"))
    written_as: list[tuple[DecimalMark | None, str]] = [
        ("point", grouped),
        ("comma", swapped),
        (None, swapped),
    ]
    for decimal, written in written_as:
        lines = [f'2026-03-0{day}{separator}"{written}"' for day in (1, 2)]
        file.write_text("\n".join([f"timestamp{separator}value", *lines]))
        if decimal is None:
            with pytest.raises(CsvError, match="is not a plain number"):
                read_csv(file)
        else:
            read = read_csv(file, ReadingOptions(decimal=decimal))
            assert read.values == [float(f"{value:.4f}")] * 2


def test_two_series_under_each_other_are_refused_and_one_can_be_chosen(file: Path) -> None:
    stacked = [
        f"{host},{time:%Y-%m-%dT%H:%MZ},{value + shift:g}"
        for host, shift in (("host a", 0), ("host b", 1000))
        for time, value in zip(TIMES, VALUES, strict=True)
    ]
    text = "\n".join(["series,timestamp,value", *stacked])

    assert mistake(file, text) == (
        ", column series: labels 2 series: 'host a', 'host b'; choose one with --series"
    )
    assert mistake(file, text, series=("host c",)) == (
        ": has no series 'host c'; it has 'host a', 'host b'"
    )
    assert_the_series(file, text, series=("host a",))


def test_series_are_told_apart_whatever_their_column_is_called(file: Path) -> None:
    stacked = [
        f"{time:%Y-%m-%dT%H:%MZ},{zone},{value:g}"
        for time, value in zip(TIMES, VALUES, strict=True)
        for zone in ("blue", "green")
    ]
    text = "\n".join(["timestamp,deployment,value", *stacked])
    assert "column deployment: labels 2 series" in mistake(file, text)


def test_series_that_take_turns_are_told_apart_by_the_name_of_their_column(file: Path) -> None:
    lines = [f"{time:%Y-%m-%dT%H:%MZ},{'ab'[n % 2]},1" for n, time in enumerate(TIMES)]
    text = "\n".join(["timestamp,host,value", *lines])
    assert "column host: labels 2 series" in mistake(file, text)


def test_columns_beside_the_metric_are_no_series(file: Path) -> None:
    lines = [
        f"{n},{time:%Y-%m-%dT%H:%MZ},{value:g},{time:%A},Count"
        for n, (time, value) in enumerate(zip(TIMES, VALUES, strict=True))
    ]
    assert_the_series(file, "\n".join(["id,timestamp,value,weekday,unit", *lines]))


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            "time,date,value",
            "'time', 'date' may each be the column of timestamps; join them into one",
        ),
        (
            "timestamp,read,written",
            "'read', 'written' may each be the column of values; choose one",
        ),
        ("timestamp,host", "has no column value; the first row is 'timestamp,host'"),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(header: str, told: str, file: Path) -> None:
    assert mistake(file, f"{header}\n").startswith(f", row 1: {told}")


def test_two_units_are_refused(file: Path) -> None:
    text = "timestamp,value,unit\n2026-03-01,1,Bytes\n2026-03-02,1,Kilobytes\n"
    assert mistake(file, text) == (
        ", column unit: has the units 'Bytes', 'Kilobytes'; a metric has one unit"
    )


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


def test_values_at_the_limit_are_averaged_without_overflow(file: Path) -> None:
    text = "timestamp,value\n" + "".join(
        f"2026-03-0{day},{LARGEST_VALUE!r}\n" for day in (1, 1, 2, 3)
    )
    file.write_text(text)
    assert all(math.isfinite(value) for value in read_csv(file).values)
