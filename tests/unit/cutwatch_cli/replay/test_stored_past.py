from datetime import UTC, datetime
from pathlib import Path

import pytest

from cutwatch_cli.csv_files.csv_series import CsvError
from cutwatch_cli.replay.stored_past import read_pasts

ENTRIES = """
detectors:
  - {name: orders, namespace: Shop, metric: Orders, statistic: Sum, dimensions: {Stage: prod}}
  - {name: share, expression: 100 * a, metrics: {a: {namespace: Shop, metric: A, statistic: Sum}}}
  - {name: till, for_each: Till, namespace: Shop, metric: Sales, statistic: Sum}
"""
ROWS = "timestamp,value\n2026-01-01T00:00:00Z,1\n2026-01-01T00:05:00Z,2\n"


@pytest.fixture
def entries(tmp_path: Path) -> Path:
    path = tmp_path / "detectors.yaml"
    path.write_text(ENTRIES)
    return path


def history(folder: Path, name: str) -> Path:
    path = folder / f"{name}.csv"
    path.write_text(ROWS)
    return path


def test_a_file_is_the_history_of_the_detector_it_is_named_after(entries: Path) -> None:
    (past,) = read_pasts([history(entries.parent, "orders")], entries)

    assert past.detector.dimensions == {"Stage": "prod"}
    assert list(past.series.values) == [1, 2]


def test_a_detector_of_a_template_has_its_value_in_its_name(entries: Path) -> None:
    (past,) = read_pasts([history(entries.parent, "till-north")], entries)

    assert past.detector.dimensions == {"Till": "north"}


def test_a_history_that_ends_before_the_clock_says_how_to_start_it_there(entries: Path) -> None:
    (past,) = read_pasts([history(entries.parent, "orders")], entries)

    stored, hint = past.describe(datetime(2026, 2, 1, tzinfo=UTC))
    (alone,) = past.describe(datetime(2026, 1, 1, 0, 10, tzinfo=UTC))

    assert stored == alone
    assert stored.startswith("2 datapoints of Shop Orders (Stage=prod), Sum stored, every 300 s")
    assert hint.endswith("--now 2026-01-01T00:10:00Z")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("order", "has no detector 'order', as the file is named; did you mean orders.csv?"),
        ("share", "share is an expression; store the history of its metrics instead"),
    ],
)
def test_a_file_without_a_metric_to_store_is_told(entries: Path, name: str, words: str) -> None:
    with pytest.raises(CsvError, match=words.replace("?", r"\?")):
        read_pasts([history(entries.parent, name)], entries)
