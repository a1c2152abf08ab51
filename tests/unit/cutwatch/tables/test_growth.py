"""Columns that only grow are found, others are not."""

import random

from cutwatch.tables.growth import growing

COLUMNS = ("serial", "rides")


def rows(count: int) -> list[tuple[str, tuple[float, float]]]:
    chooser = random.Random(1)
    found = [
        (f"2026-11-{1 + n // 24:02d}T{n % 24:02d}:00:00Z", (float(n), chooser.gauss(100, 5)))
        for n in range(count)
    ]
    chooser.shuffle(found)
    return found


def test_a_serial_number_is_found_whatever_the_order_of_the_items() -> None:
    assert growing(COLUMNS, rows(200)) == ["serial"]


def test_a_few_late_items_do_not_hide_a_serial_number() -> None:
    found = rows(600)
    found[0] = (found[0][0], (1e6, 100.0))
    assert growing(COLUMNS, found) == ["serial"]


def test_few_rows_and_constant_columns_show_nothing() -> None:
    assert growing(COLUMNS, rows(99)) == []
    assert growing(("same",), [(str(n), (1.0,)) for n in range(200)]) == []


def test_times_that_are_numbers_are_compared_as_numbers() -> None:
    assert growing(("serial",), [(str(n), (float(n),)) for n in range(200)]) == ["serial"]
