import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.detectors.detector import Feature
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_features import KeyFeatures
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from tests.support.streams import a_record, a_stream, comparable, noise, records_of, score_records

DAY, HOUR = 86_400, 3_600
FOREST = ForestSettings(20, 64)
ALL: tuple[Feature, ...] = ("value", "difference", "residual")


def scored(values: list[float], step: float = 900, **changes: Any) -> tuple[list[ScoredRow], KeyState]:  # fmt: skip
    stream = a_stream(**{"forest": FOREST} | changes)
    bucket = KeyBucket.empty(stream, 0)
    result = score_records(stream, records_of(values, step), bucket)
    return result.rows, bucket.states["a"]


def features_of(state: KeyState) -> KeyFeatures:
    assert state.features is not None
    return state.features


def daily(days: float, step: float = 900, noise_of: float = 1.0) -> list[float]:
    source = random.Random(1)
    return [
        50 * math.sin(2 * math.pi * number * step / DAY) + source.gauss(0, noise_of)
        for number in range(round(days * DAY / step))
    ]


def test_the_feature_of_values_alone_scores_as_a_stream_without_features() -> None:
    values = [*noise(150), 12.0, *noise(20, seed=1)]
    without, _ = scored(values)
    featured, _ = scored(values, name="sensors", features=("value",))
    # Another configuration grows another forest, so scores are near, and learning is the same.
    assert [row.learning for row in featured] == [row.learning for row in without]
    assert featured[150].score == pytest.approx(without[150].score, rel=0.3)
    assert featured[150].severity > 1


def test_a_row_is_learned_until_the_sample_of_a_feature_that_counts_is_full() -> None:
    rows, _ = scored(noise(200), features=("difference",))
    assert [row.learning for row in rows] == [True] * 64 + [False] * 136
    rows, _ = scored(daily(4), features=("residual",))
    # The profile is there after two days of 96 rows, or with the first row of the local day after them.
    assert 192 + 64 <= sum(row.learning for row in rows) <= 192 + 96 + 64


def test_a_step_that_stays_within_the_usual_values_stands_out_by_its_difference() -> None:
    values = daily(6.25)
    # At the peak of the day, for one row, the value of its lowest point.
    values[-1] = -45.0
    by_value, _ = scored(values, features=("value",))
    by_difference, _ = scored(values, features=("difference",))
    assert by_value[-1].severity < 1 <= by_difference[-1].severity


def test_a_value_at_the_wrong_time_of_day_stands_out_by_its_residual() -> None:
    values = daily(8)
    # A quarter of a day before the end, the values of the other half-day come, smoothly.
    values[-24:] = [-each for each in values[-24:]]
    by_value, _ = scored(values, features=("value",))
    by_residual, state = scored(values, features=("residual",))
    assert max(row.severity for row in by_value[-24:]) < 1
    assert max(row.severity for row in by_residual[-24:]) >= 1
    assert features_of(state).expected() is not None


def test_the_most_severe_feature_gives_score_and_severity() -> None:
    values = daily(8)
    values[-1] = 500.0
    rows, _ = scored(values, features=ALL)
    assert rows[-1].severity >= 1
    assert rows[-1].attribution is not None
    assert sum(each.score for each in rows[-1].attribution) == pytest.approx(rows[-1].score)


def test_the_difference_after_a_long_silence_is_none() -> None:
    stream = a_stream(forest=FOREST, features=("difference",))
    records = records_of(daily(3), 900)
    after = a_record(len(records), at=1_780_000_000 + 5 * DAY, x=-40.0)
    rows = score_records(stream, [*records, after]).rows
    assert rows[-1].severity < 1


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        (daily(4, noise_of=0.2), ALL),
        (noise(96 * 4), ("value",)),
        (daily(0.5), ("value",)),
        ([5.0] * 96 * 4, ("value",)),
    ],
    ids=["smooth", "noise", "first day", "constant"],
)
def test_auto_chooses_by_how_smooth_the_rows_are(values: list[float], counted: tuple[str, ...]) -> None:  # fmt: skip
    _, state = scored(values, features="auto")
    assert features_of(state).counted == counted


def test_columns_share_the_forest_of_a_feature() -> None:
    record = RecordFormat("at", {"x": "x", "y": "y"}, "id", time_format="seconds")
    stream = a_stream(record=record, forest=FOREST, features="auto")
    values = daily(6, noise_of=0.2)
    records = [a_record(n, at=1_780_000_000 + n * 900, x=x, y=-x) for n, x in enumerate(values)]
    records.append(a_record(len(records), at=1_780_000_000 + len(records) * 900, x=0.0, y=900.0))
    result = score_records(stream, records)
    _, y = result.changes[-1].incident.columns
    assert (y.column, y.direction) == ("y", "above")
    assert y.expected is not None
    assert y.expected.low <= y.expected.value <= y.expected.high


def in_batches(stream: Stream, records: list[RawRecord], sizes: list[int]) -> tuple[list[ScoredRow], bytes]:  # fmt: skip
    """Score records in batches, each with the states that were read from the bytes of the one before."""
    content, rows = KeyBucket.empty(stream, 0).to_bytes(stream), list[ScoredRow]()
    scorer = StreamScorer(stream)
    for size in [*sizes, len(records)]:
        bucket = KeyBucket.from_bytes(content, stream)
        batch, records = records[:size], records[size:]
        rows += scorer.score(bucket, scorer.by_bucket(batch).get(0, [])).rows
        content = bucket.to_bytes(stream)
    return rows, KeyBucket.from_bytes(content, stream).states["a"].to_bytes(stream)


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(["auto", ALL, ("residual",), ("difference", "value")]),
    st.lists(st.integers(1, 120), max_size=4),
    st.integers(0, 9),
)
def test_scores_and_states_do_not_depend_on_the_division_into_batches(
    features: Any, sizes: list[int], seed: int
) -> None:
    stream = a_stream(forest=ForestSettings(5, 40, shingle_size=2), features=features)
    source = random.Random(seed)
    records = records_of([value + source.gauss(0, 1) for value in daily(4, HOUR)], HOUR)
    whole, expected = in_batches(stream, records, [])
    divided, found = in_batches(stream, records, sizes)
    assert divided == whole
    assert comparable(found) == comparable(expected)
