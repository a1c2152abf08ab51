from pathlib import Path

import pytest

from cutwatch_cli.csv_files.csv_series import read_csv
from tests.support.metric_files import TIMES, VALUES, assert_the_series, mistake


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


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


def test_the_flags_of_labelled_anomalies_are_no_series(file: Path) -> None:
    lines = [
        f"{time:%Y-%m-%dT%H:%MZ},{value:g},{int(3 < n < 9)}"
        for n, (time, value) in enumerate(zip(TIMES, VALUES, strict=True))
    ]
    assert_the_series(file, "\n".join(["timestamp,value,label", *lines]))


def test_series_with_numbers_for_names_are_told_apart_by_their_timestamps(file: Path) -> None:
    stacked = [
        f"{time:%Y-%m-%dT%H:%MZ},{value:g},{host}"
        for time, value in zip(TIMES, VALUES, strict=True)
        for host in (1, 2)
    ]
    text = "\n".join(["timestamp,value,host", *stacked])
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


def test_the_unit_of_a_file_is_that_of_its_series(file: Path) -> None:
    rows = [
        f"{time:%Y-%m-%dT%H:%MZ},{value:g},Milliseconds"
        for time, value in zip(TIMES, VALUES, strict=True)
    ]
    file.write_text("\n".join(["Timestamp,Average,Unit", *rows]))
    assert read_csv(file).unit == "Milliseconds"
