from typing import Any

from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.expectation import FEWEST_ROWS
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.result_rows import row_payload
from cutwatch.streams.scoring import StreamScorer
from tests.support.streams import START, a_stream, noise, records_of

STREAM = a_stream()
# 100 ordinary values, a jump that lasts, and ordinary values again
VALUES = [*noise(100), *[90.0] * 3, *noise(5, seed=1)]


def sent(values: list[float]) -> list[dict[str, Any]]:
    """Return the rows that a target gets."""
    scorer, bucket = StreamScorer(STREAM, keeps_rows=True), KeyBucket.empty(STREAM, 0)
    result = scorer.score(bucket, scorer.by_bucket(records_of(values))[0])
    assert [row["values"]["x"] for row in bucket.outbox.rows] == values
    assert len(result.rows) == len(values)
    return bucket.outbox.rows


def test_a_scored_row_has_the_median_and_the_range_of_the_rows_before_it() -> None:
    rows = sent(VALUES)
    ordinary = sorted(VALUES[:99])
    expected = rows[99]["expected"]["x"]
    assert {*expected} == {"value", "low", "high"}
    assert expected["value"] == ordinary[49]
    assert ordinary[3] < expected["low"] < ordinary[7]
    assert ordinary[91] < expected["high"] < ordinary[95]


def test_the_rows_of_an_incident_have_the_expected_value_that_it_began_with() -> None:
    rows = sent(VALUES)
    within = [row for row in rows if row["incident"]]
    assert [row["values"]["x"] for row in within[:3]] == [90.0] * 3
    assert {row["expected"]["x"]["value"] for row in within} == {
        within[0]["expected"]["x"]["value"]
    }
    assert abs(within[0]["expected"]["x"]["value"]) < 1


def test_a_row_of_the_learning_phase_has_no_expected_value() -> None:
    learning = [row for row in sent(VALUES) if row["learning"]]
    assert learning
    assert all("expected" not in row for row in learning)


def test_a_column_of_which_too_little_is_known_has_no_expected_value() -> None:
    row = ScoredRow(
        "a", START, (1.0,), ("0", FEWEST_ROWS - 1), 1.0, 0.5, learning=False, expected=(None,)
    )
    assert row_payload(STREAM, row)["expected"] == {"x": None}


def test_rows_are_kept_only_for_a_target() -> None:
    scorer, bucket = StreamScorer(STREAM), KeyBucket.empty(STREAM, 0)
    result = scorer.score(bucket, scorer.by_bucket(records_of(VALUES))[0])
    assert not bucket.outbox.rows
    assert {row.expected for row in result.rows} == {None}
