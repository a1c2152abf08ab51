import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch_cli.csv_files.csv_series import CsvError, MetricSeries, read_csv, write_csv
from cutwatch_cli.csv_files.numbers import LARGEST_VALUE

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())

finite = st.floats(-LARGEST_VALUE, LARGEST_VALUE)
periods = st.sampled_from([60, 300, 900, 1800, 3600, 86_400])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file that the examples of a property overwrite in turn."""
    return tmp_path_factory.mktemp("property") / "metric.csv"


def write_rows(file: Path, *rows: tuple[object, object], header: str = "timestamp,value") -> Path:
    lines = [header, *(f"{timestamp},{value}" for timestamp, value in rows)]
    file.write_text("\n".join(lines) + "\n")
    return file


def regular_rows(count: int, spacing: float = 300, start: float = EPOCH) -> list[tuple[float, int]]:
    return [(start + number * spacing, number) for number in range(count)]


@st.composite
def series_with_gaps(draw: st.DrawFn) -> MetricSeries:
    """Regular enough to tell the period: more neighbours than gaps, datapoints at both ends."""
    period = draw(periods)
    values = draw(st.lists(finite, min_size=2, max_size=40))
    gaps = draw(st.lists(st.integers(1, 5), max_size=len(values) // 2))
    for gap in gaps:
        values += [math.nan] * gap + draw(st.lists(finite, min_size=2, max_size=3))
    start = draw(st.integers(10**8 // period + 1, 4 * 10**9 // period)) * period
    return MetricSeries(period, datetime.fromtimestamp(start, UTC), values)


@given(series=series_with_gaps())
def test_a_written_series_is_read_back_unchanged(series: MetricSeries, scratch: Path) -> None:
    write_csv(series, scratch)

    read = read_csv(scratch)

    assert (read.period_seconds, read.start) == (series.period_seconds, series.start)
    assert read.values == pytest.approx(series.values, rel=0, abs=0, nan_ok=True)


@given(series=series_with_gaps(), seed=st.integers(0, 9))
def test_the_order_of_the_rows_changes_nothing(
    series: MetricSeries, seed: int, scratch: Path
) -> None:
    write_csv(series, scratch)
    header, *lines = scratch.read_text().splitlines()
    random.Random(seed).shuffle(lines)
    scratch.write_text("\n".join([header, *lines]))

    assert read_csv(scratch).values == pytest.approx(series.values, rel=0, abs=0, nan_ok=True)


@given(
    period=periods,
    jitter=st.lists(st.floats(-0.012, 0.012), min_size=3, max_size=50),
    offset=st.floats(0, 0.99),
)
def test_rows_measured_a_little_early_or_late_stay_one_datapoint_each(
    period: int, jitter: list[float], offset: float, scratch: Path
) -> None:
    start = EPOCH // period * period + offset * period
    rows = [(start + (number + shift) * period, number) for number, shift in enumerate(jitter)]

    read = read_csv(write_rows(scratch, *rows))

    assert read.period_seconds == period
    assert read.values == list(range(len(jitter)))


@given(
    rows=st.lists(st.tuples(st.integers(EPOCH, EPOCH + 10**6), finite), min_size=2, max_size=30),
)
def test_averages_stay_between_the_values_they_came_from(
    rows: list[tuple[int, float]], scratch: Path
) -> None:
    if len({timestamp for timestamp, _ in rows}) < 2:
        return

    read = read_csv(write_rows(scratch, *rows))

    known = [value for value in read.values if not math.isnan(value)]

    low, high = (choose(value for _, value in rows) for choose in (min, max))
    slack = 1e-9 * max(abs(low), abs(high))
    assert all(low - slack <= value <= high + slack for value in known)


def mistake_in(file: Path) -> str | None:
    try:
        read_csv(file)
    except CsvError as mistake:
        return str(mistake)
    return None


cells = st.text(max_size=12) | st.sampled_from(
    [
        "timestamp",
        "value",
        "2026-03-01",
        str(EPOCH),
        "1e308",
        "-inf",
        "nan",
        '"',
        "0001-01-01T00+23:00",
    ]
)


@given(rows=st.lists(st.lists(cells, max_size=3), max_size=5), named=st.booleans())
def test_any_file_is_a_metric_or_a_mistake_told_in_one_line(
    rows: list[list[str]], named: bool, scratch: Path
) -> None:
    lines = ["timestamp,value"] * named + [",".join(row) for row in rows]
    scratch.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))

    told = mistake_in(scratch)

    assert told is None or (told.startswith(str(scratch)) and len(told.splitlines()) == 1)


@pytest.mark.parametrize(
    "timestamps",
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z"),
        ("2026-03-01 12:00:00", "2026-03-01 12:05:00"),
        ("2026-03-01T13:00:00+01:00", "2026-03-01T13:05:00+01:00"),
        (EPOCH, EPOCH + 300),
        (float(EPOCH), EPOCH + 300.0),
        (EPOCH * 1000, EPOCH * 1000 + 300_000),
    ],
    ids=["utc", "naive", "offset", "seconds", "fractional seconds", "milliseconds"],
)
def test_every_usual_form_of_timestamp_is_understood(
    timestamps: tuple[object, object], file: Path
) -> None:
    read = read_csv(write_rows(file, *zip(timestamps, (1, 2), strict=True)))

    assert (read.start, read.period_seconds, read.values) == (NOON, 300, [1.0, 2.0])


@pytest.mark.parametrize(
    ("spacing", "period"),
    [
        *[(1, 60), (10, 60), (60, 60), (62, 120), (90, 120), (299, 300), (300.4, 300)],
        *[(330, 360), (1800, 1800), (3599, 3600), (86_400, 86_400), (604_800, 604_800)],
    ],
)
def test_the_period_is_the_spacing_snapped_to_what_cloudwatch_has(
    spacing: float, period: int, file: Path
) -> None:
    assert read_csv(write_rows(file, *regular_rows(500, spacing))).period_seconds == period


def test_columns_are_found_by_name_whatever_their_case_and_place(file: Path) -> None:
    file.write_text("label, VALUE ,Timestamp\n0,1,2026-03-01\n1,2,2026-03-02\n", "utf-8-sig")

    assert read_csv(file).values == [1.0, 2.0]


def test_gaps_stay_gaps_and_are_counted(file: Path) -> None:
    rows = [row for row in regular_rows(20) if row[1] not in {5, 6, 12}]

    read = read_csv(write_rows(file, *rows))

    assert [math.isnan(value) for value in read.values].count(True) == 3
    assert "2 gaps, 3 datapoints missing." in read.notes


def test_a_row_without_a_value_is_a_missing_datapoint(file: Path) -> None:
    rows = [*regular_rows(5), (EPOCH + 1500, ""), (EPOCH + 1800, "NaN"), (EPOCH + 2100, 7)]

    read = read_csv(write_rows(file, *rows))

    assert [math.isnan(value) for value in read.values] == [False] * 5 + [True] * 2 + [False]
    assert "2 rows without a value: missing datapoints." in read.notes


def test_rows_within_a_period_are_averaged_and_said_to_be(file: Path) -> None:
    rows = [*regular_rows(10), (EPOCH + 300, 4), (EPOCH + 320, 4)]

    read = read_csv(write_rows(file, *rows))

    assert read.values[1] == 3.0
    assert read.notes == [
        "Period of 300 s detected from 12 rows.",
        "Rows were not in chronological order and were sorted.",
        "1 row with the timestamp of another row.",
        "2 rows not a whole number of periods after the row before.",
        "3 rows shared a period with others and were averaged into 1 datapoint.",
    ]


def test_rows_beside_the_grid_are_moved_onto_it(file: Path) -> None:
    later = read_csv(write_rows(file, *regular_rows(5, start=EPOCH + 120)))
    early = read_csv(write_rows(file, *regular_rows(5, start=EPOCH - 20)))

    assert (later.start, early.start) == (NOON, NOON)
    assert later.notes[1] == "Rows lie 120 s after the multiples of 300 s and were moved onto them."
    assert early.notes[1] == "Rows lie 20 s before the multiples of 300 s and were moved onto them."


def test_the_timestamps_of_a_series_are_a_period_apart() -> None:
    series = MetricSeries(300, NOON, [1.0, math.nan, 3.0])

    assert series.timestamps == [NOON + timedelta(minutes=minutes) for minutes in (0, 5, 10)]
    assert series.end == NOON + timedelta(minutes=15)


HEADER = "timestamp,value\n"
MISTAKES = {
    "": "is empty; the first row must name the columns timestamp,value",
    HEADER: "0 rows are too few; a metric needs values at two timestamps or more",
    HEADER + "2026-03-01,1\n": "1 row is too few",
    HEADER + "2026-03-01,1\n2026-03-01,2\n": "2 rows are too few",
    HEADER + "2026-03-01,\n2026-03-02,\n": "2 rows are too few",
    "2026-03-01,1\n": "row 1: has no column timestamp; the first row is '2026-03-01,1'",
    "value;count\n1;2\n": "row 1: has no column timestamp; the first row is 'value,count'",
    "timestamp,unit\n": "row 1: has no column value",
    "timestamp,value,value\n": "row 1: has value twice",
    HEADER + "2026-03-01\n": "row 2: has 1 cell, but the header names 2 columns: '2026-03-01'",
    HEADER + "2026-03-01,1,234\n": "row 2: has 3 cells, but the header names 2 columns; "
    "numbers with commas must be in quotes",
    HEADER + "\n2026-03-01,1\n2 March 2026,2\n": "row 4, column timestamp: '2 March 2026' is not a "
    "timestamp; expected ISO 8601 (2026-03-01T12:00:00Z), a date such as",
    HEADER + "20260301,1\n": "row 2, column timestamp: '20260301' is not a timestamp",
    HEADER + "202603011200,1\n": "row 2, column timestamp: '202603011200' is not a timestamp",
    HEADER + "20260301120000,1\n": "row 2, column timestamp: '20260301120000' is not a timestamp",
    HEADER + "2026-03-01,ten\n": "row 2, column value: 'ten' is neither a finite number "
    "such as 12.5 nor empty for a missing datapoint",
    HEADER + "2026-03-01,inf\n": "row 2, column value: 'inf' is neither a finite number",
    HEADER + f"2026-03-01,1\n{EPOCH},2\n": "row 3, column timestamp: is epoch seconds, "
    "but row 2 is ISO 8601 without a zone; use one form throughout",
    HEADER + "2026-01-01,1\n2026-01-01T00:01,1\n2926-01-01,1\n": "rows 2 and 4 are 473,",
    HEADER + '2026-03-01,"' + "9" * 200_000: "is not CSV: field larger than field limit",
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.items(), ids=map(str, range(len(MISTAKES))))
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(
    text: str, told: str, file: Path
) -> None:
    file.write_text(text)

    with pytest.raises(CsvError) as mistake:
        read_csv(file)

    assert str(mistake.value).startswith(str(file))
    assert told in str(mistake.value)


def test_a_file_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match=r"nowhere\.csv: cannot be read: No such file"):
        read_csv(tmp_path / "nowhere.csv")


def test_a_file_that_is_not_text_is_said_not_to_be(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00timestamp")

    with pytest.raises(CsvError, match="is not UTF-8 text"):
        read_csv(file)
