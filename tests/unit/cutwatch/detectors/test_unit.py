import pytest

from cutwatch.detectors.unit import UNITS, Unit, named_unit, symbol, unit_of_values, with_unit
from tests.support.builders import a_detector


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("Milliseconds", "12.5 ms"),
        ("Microseconds", "12.5 µs"),
        ("Percent", "12.5 %"),
        ("Kilobytes", "12.5 kB"),
        ("Megabits/Second", "12.5 Mbit/s"),
        ("Count/Second", "12.5 /s"),
        ("Count", "12.5"),
        ("None", "12.5"),
        (None, "12.5"),
    ],
)
def test_a_value_is_written_with_its_unit_as_an_engineer_writes_it(
    unit: Unit | None, written: str
) -> None:
    assert with_unit("12.5", unit) == written


def test_the_prefix_of_a_number_joins_bytes_and_bits_only() -> None:
    assert with_unit("1.2 G", "Bytes") == "1.2 GB"
    assert with_unit("1.2 M", "Bits/Second") == "1.2 Mbit/s"
    assert with_unit("1.2 M", "Milliseconds") == "1.2 M ms"


def test_every_unit_of_cloudwatch_but_counts_and_none_has_a_symbol() -> None:
    assert {unit for unit in UNITS if not symbol(unit)} == {"Count", "None"}


def test_statistics_that_count_or_rank_datapoints_have_a_unit_of_their_own() -> None:
    assert unit_of_values("Milliseconds", "p99") == "Milliseconds"
    assert unit_of_values("Milliseconds", "SampleCount") == "Count"
    assert unit_of_values("Milliseconds", "TC(100:)") == "Count"
    assert unit_of_values("Milliseconds", "PR(:300)") == "Percent"


def test_the_unit_of_a_file_is_found_in_any_case_and_an_unknown_one_is_none() -> None:
    assert named_unit(" milliseconds ") == "Milliseconds"
    assert named_unit("furlongs") is None


def test_a_unit_changes_neither_the_fingerprint_nor_the_metric() -> None:
    plain, timed = a_detector(), a_detector(unit="Milliseconds")
    assert timed.fingerprint == plain.fingerprint
    assert timed.metric_label == plain.metric_label
