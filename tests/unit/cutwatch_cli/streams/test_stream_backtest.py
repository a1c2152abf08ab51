import csv
from pathlib import Path

import pytest

from cutwatch.detectors.stream import ForestSettings
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.detectors.templates import Configuration
from cutwatch.errors import InvalidInput
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.record import RawRecord
from cutwatch_cli.streams.payloads import scored_rows
from cutwatch_cli.streams.stream_backtest import StreamBacktest, backtest_stream, find_stream
from tests.support.streams import START, a_record, a_stream, noise, records_of, score_records

RECORDS = [
    *records_of([*noise(150), 500.0, *noise(60, seed=1), 0.0, 900.0], step=60),
    RawRecord(b"rubbish", "0", 900, START),
    RawRecord(b"more rubbish", "0", 901, START),
    a_record(902, at=START),
]


def run(records: list[RawRecord], **changes: object) -> tuple[StreamBacktest, list[ScoredRow]]:
    rows: list[ScoredRow] = []
    batches = [records[start : start + 50] for start in range(0, len(records), 50)]
    return backtest_stream(a_stream(**changes), batches, rows.extend), rows


def test_a_stream_is_found_by_its_name() -> None:
    stream = a_stream()
    assert find_stream(Configuration((), streams=(a_stream(name="other"), stream)), "sensors") == stream  # fmt: skip


@pytest.mark.parametrize(
    ("name", "hint"), [("sensor", "did you mean 'sensors'"), ("x", "the streams are: sensors")]
)
def test_an_unknown_stream_is_an_error_with_those_that_exist(name: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=f"'{name}' is not a stream of the file; {hint}"):
        find_stream(Configuration((), streams=(a_stream(),)), name)


def test_rows_are_those_that_the_stream_itself_scores() -> None:
    assert run(RECORDS)[1] == score_records(a_stream(), RECORDS).rows


def test_a_backtest_scores_features() -> None:
    records = records_of([*noise(400), 500.0], step=1_800)
    directed = ForestSettings(5, 40, directionality=True)
    backtest, rows = run(records, features="auto", forest=directed)
    assert rows == score_records(a_stream(features="auto", forest=directed), records).rows
    assert all((row.attribution is None) == row.learning for row in rows)
    assert len(backtest.to_payload()["incidents"]) >= 1


def test_every_record_is_counted() -> None:
    payload = run(RECORDS)[0].to_payload()
    incidents = payload.pop("incidents")

    assert payload == {
        "stream": "sensors",
        "read": 216,
        "accepted": 213,
        "late": 1,
        "dropped": 0,
        "added": 0,
        "rejected": {"not JSON": 2},
        "scored": 173,
        "learning": 40,
        "keys": 1,
        "evicted": 0,
        "open_windows": 0,
    }
    assert [each["ended"] for each in incidents] == [True, False]


def test_the_first_rejected_record_of_a_reason_is_the_example() -> None:
    examples = run(RECORDS)[0].examples
    assert [each.position for each in examples.values()] == [900]


def test_an_open_incident_is_shown_with_its_last_row() -> None:
    backtest, rows = run([*records_of(noise(150)), *(a_record(n, x=500.0) for n in (150, 151))])
    [incident] = backtest.to_payload()["incidents"]

    assert incident["rows"] == sum(row.incident is not None for row in rows) == 2
    assert incident["columns"]["x"]["value"] == 500


def test_a_key_that_utf8_does_not_have_is_written_escaped(tmp_path: Path) -> None:
    stream = a_stream()
    rows = score_records(stream, [a_record(id="\ud800")]).rows
    with scored_rows(tmp_path / "rows.csv", stream) as written:
        written.write(rows)
    assert "\\ud800,2026" in (tmp_path / "rows.csv").read_text()


def test_windows_that_are_still_open_are_counted() -> None:
    window = StreamWindow("tumbling", 60, ("count",))
    assert run(records_of(noise(100), step=6), window=window)[0].open_windows == 2


@pytest.mark.parametrize("directed", [False, True])
def test_scored_rows_are_written_as_csv(tmp_path: Path, directed: bool) -> None:
    stream = a_stream(forest=ForestSettings(5, 40, directionality=directed))
    rows = score_records(stream, RECORDS).rows
    with scored_rows(tmp_path / "new" / "rows.csv", stream) as written:
        written.write(rows[:100])
        written.write(rows[100:])
    with (tmp_path / "new" / "rows.csv").open(newline="") as file:
        read = list(csv.DictReader(file))

    assert [float(each["score"]) for each in read] == [row.score for row in rows]
    assert [each["incident"] or None for each in read] == [row.incident for row in rows]
    assert [int(each["position"]) for each in read[:3]] == [0, 1, 2]
    assert read[0]["time"] == "2026-05-28T20:26:40Z"
    assert ("x direction" in read[0]) == directed
    if directed:
        assert {each["x direction"] for each in read[40:]} == {"above", "below"}
