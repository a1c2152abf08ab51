import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch_cli.csv_files.csv_series import CsvError, ReadingOptions, read_csv
from cutwatch_cli.csv_files.numbers import LARGEST_VALUE
from tests.support.metric_files import mistake

if TYPE_CHECKING:
    from cutwatch_cli.csv_files.reading import DecimalMark


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


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
        (
            "1,234",
            None,
            "'1,234' may be 1.234 or 1234, and no other number shows which; say --decimal",
        ),
        ("-12,345", None, "'-12,345' may be -12.345 or -12345, and no other number shows which"),
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
        (None, grouped),
        (None, swapped),
    ]
    for decimal, written in written_as:
        lines = [f'2026-03-0{day}{separator}"{written}"' for day in (1, 2)]
        file.write_text("\n".join([f"timestamp{separator}value", *lines]))
        read = read_csv(file, ReadingOptions(decimal=decimal))
        assert read.values == [float(f"{value:.4f}")] * 2


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.234", "12.5"], [1.234, 12.5]),
        (["1.234", "0.512"], [1.234, 0.512]),
        (["1.234", "1500"], [1.234, 1500]),
        (["1.234", "1.234.567"], [1234, 1234567]),
        (["1.234", "12,5"], [1234, 12.5]),
        (["1.234", "1.234,5"], [1234, 1234.5]),
        (["1,234", "12.5"], [1234, 12.5]),
        (["1,234", "1,234,567"], [1234, 1234567]),
        (["1,234", "1500"], [1.234, 1500]),
        (["1 234", "12"], [1234, 12]),
        (["1.234e3", "1e-5"], [1234, 1e-5]),
    ],
)
def test_the_decimal_mark_is_that_which_another_number_of_the_file_proves(
    texts: list[str], values: list[float], file: Path
) -> None:
    for order in (1, -1):
        rows = [f'2026-03-0{n},"{text}"' for n, text in enumerate(texts[::order], start=1)]
        file.write_text("\n".join(["timestamp,value", *rows]))
        assert read_csv(file).values == values[::order]


def test_a_comma_that_was_understood_is_mentioned_with_the_number_that_proves_it(
    file: Path,
) -> None:
    file.write_text("timestamp;value\n2026-03-01;1.234\n2026-03-02;12,5\n")
    assert (
        read_csv(file).notes[0]
        == "Numbers were read with a decimal comma, as in '12,5' (--decimal)."
    )
    file.write_text("timestamp;value\n2026-03-01;1.234\n2026-03-02;12.5\n")
    assert not any("decimal" in note for note in read_csv(file).notes)


@given(
    st.lists(st.integers(1_000, 999_999), min_size=2, max_size=9, unique=True),
    st.sampled_from(",."),
)
def test_thousands_alone_are_never_read_as_decimals(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], separator: str
) -> None:
    file = tmp_path_factory.mktemp("number") / "metric.csv"
    rows = [
        f"2026-03-0{n};{number:,}".replace(",", separator) for n, number in enumerate(numbers, 1)
    ]
    file.write_text("\n".join(["timestamp;value", *rows]))
    with pytest.raises(CsvError, match=r"row 2, column value: .* and no other number shows which"):
        read_csv(file)


def test_a_point_in_a_file_of_commas_is_read_as_decimal_and_that_is_said(file: Path) -> None:
    file.write_text("timestamp,value\n2026-03-01,100.691\n2026-03-02,98.234\n")
    read = read_csv(file)
    assert read.values == [100.691, 98.234]
    assert read.notes[0] == (
        "Numbers such as '100.691' were read with a decimal point; "
        "say --decimal comma if the point separates thousands."
    )


def test_a_file_with_both_decimal_marks_is_refused(file: Path) -> None:
    rows = "2026-03-01;12.5\n2026-03-02;1.234\n2026-03-03;12,5\n"
    assert mistake(file, f"timestamp;value\n{rows}") == (
        ", row 4, column value: '12,5' has a decimal comma, but '12.5' in row 2 has a decimal point"
    )


def test_values_at_the_limit_are_averaged_without_overflow(file: Path) -> None:
    text = "timestamp,value\n" + "".join(
        f"2026-03-0{day},{LARGEST_VALUE!r}\n" for day in (1, 1, 2, 3)
    )
    file.write_text(text)
    assert all(math.isfinite(value) for value in read_csv(file).values)
