from pathlib import Path

import pytest

from cutwatch.detectors.record_format import RecordFormat
from cutwatch_cli.streams.record_file import BATCH, batches_of

JSON = RecordFormat("at", {"x": "x"})
CSV = RecordFormat("at", {"x": "x"}, format="csv", columns=("at", "x"), delimiter=";")


def read(path: Path, content: bytes, declared: RecordFormat = JSON) -> list[tuple[int, bytes]]:
    path.write_bytes(content)
    return [
        (record.position, record.data)
        for batch in batches_of(path, declared, arrival=5.0)
        for record in batch
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records"


def test_each_line_is_a_record_with_the_lines_number(path: Path) -> None:
    assert read(path, b"{}\r\n\n[1]\nlast") == [(1, b"{}"), (3, b"[1]"), (4, b"last")]


def test_records_arrive_in_batches_of_a_lane(path: Path) -> None:
    path.write_bytes(b"{}\n" * (BATCH + 1))
    batches = list(batches_of(path, JSON, arrival=5.0))

    assert [len(batch) for batch in batches] == [BATCH, 1]
    assert {(record.lane, record.arrival) for batch in batches for record in batch} == {("file", 5)}


def test_an_empty_file_has_no_batches(path: Path) -> None:
    assert read(path, b"") == []


@pytest.mark.parametrize("header", [b"at;x", b'"at"; "x"', b"\xef\xbb\xbfat;x\r"])
def test_a_header_of_the_declared_columns_is_not_a_record(path: Path, header: bytes) -> None:
    assert read(path, header + b"\n1;2\n", CSV) == [(2, b"1;2")]


def test_another_header_and_a_header_further_down_are_records(path: Path) -> None:
    assert len(read(path, b"x;at\n1;2\nat;x\n", CSV)) == 3
