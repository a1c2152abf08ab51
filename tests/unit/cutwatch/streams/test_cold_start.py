import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.detectors.stream import Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.errors import MalformedState, NewerState
from cutwatch.features.recipe import FeatureRows
from cutwatch.registry.detector_record import DetectorRecord, Model
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.cold_start import ColdStart, cold_start_key
from cutwatch.streams.detector_forest import DetectorForest
from cutwatch.streams.history import learn
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.notices import announce_missing_forest
from cutwatch.streams.scoring import BatchResult, StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.detector_forests import (
    PERIOD,
    a_detector,
    a_recipe,
    registered,
    store_model,
    trained_checkpoint,
)
from tests.support.stream_state import FakeBucket, Inbox
from tests.support.streams import (
    LONG_AFTER,
    START,
    a_record,
    a_stream,
    comparable_bucket,
    noise,
    records_of,
)

DETECTOR = a_detector()
STREAM = a_stream(forest=DETECTOR_FOREST, cold_start="vibration")
# As far from the numbers of a standard normal distribution as metrics are.
CENTRE, SPREAD = 2_000.0, 150.0
RECIPE = a_recipe(CENTRE, SPREAD)
THROUGH = START - START % PERIOD
LEARNED = 700


def values(count: int, seed: int) -> list[float]:
    return [CENTRE + SPREAD / 3 * each for each in noise(count, seed)]


@pytest.fixture(scope="module")
def checkpoint_bytes() -> bytes:
    return trained_checkpoint(values(LEARNED, 1), RECIPE, THROUGH).to_bytes()


@pytest.fixture
def bucket(checkpoint_bytes: bytes) -> FakeBucket:
    found = FakeBucket()
    store_model(found, DETECTOR, RECIPE, trained_checkpoint([CENTRE], RECIPE, THROUGH))
    found.write_bytes(MODEL.checkpoint or "", checkpoint_bytes)
    return found


MODEL = store_model(FakeBucket(), DETECTOR, RECIPE, trained_checkpoint([CENTRE], RECIPE, THROUGH))
RECORD = registered(DETECTOR, MODEL)


def begun(bucket: FakeBucket, record: DetectorRecord = RECORD, stream: Stream = STREAM) -> DetectorForest:  # fmt: skip
    return ColdStart(bucket, stream, DETECTOR, lambda: record).forest()


def scored(first: DetectorForest, given: list[float], stream: Stream = STREAM) -> BatchResult:
    scorer = StreamScorer(stream, first=first)
    return scorer.score(KeyBucket.empty(stream, 0), scorer.by_bucket(records_of(given))[0])


def test_a_key_continues_the_detectors_forest_from_its_first_record(bucket: FakeBucket) -> None:
    fresh = values(60, 2)
    found = scored(begun(bucket), fresh)

    batch = trained_checkpoint(values(LEARNED, 1), RECIPE, THROUGH)
    rows = (np.array(fresh)[:, None] - CENTRE) / SPREAD
    epochs = THROUGH + PERIOD * np.arange(len(fresh))
    expected = batch.score(FeatureRows(rows, epochs), THROUGH + PERIOD * len(fresh))[:, 0]
    assert [row.score for row in found.rows] == expected.tolist()
    assert not any(row.learning for row in found.rows)


def test_the_first_record_can_begin_an_incident(bucket: FakeBucket) -> None:
    far = CENTRE + 20 * SPREAD
    assert [each.kind for each in scored(begun(bucket), [far]).changes] == ["began"]
    assert scored(begun(bucket), values(20, 3)).changes == []


def test_values_of_an_incident_are_those_of_the_stream(bucket: FakeBucket) -> None:
    far = CENTRE + 20 * SPREAD
    [change] = scored(begun(bucket), [*values(40, 4), far]).changes
    [column] = change.incident.columns
    assert column.value == far
    assert column.expected is not None
    assert abs(column.expected.value - CENTRE) < SPREAD


def test_without_a_detector_the_same_records_are_only_learned() -> None:
    stream = replace(STREAM, cold_start="")
    scorer = StreamScorer(stream)
    result = scorer.score(
        KeyBucket.empty(stream, 0), scorer.by_bucket(records_of(values(60, 2)))[0]
    )
    assert all(row.learning for row in result.rows)
    assert stream.fingerprint != STREAM.fingerprint


def test_division_into_batches_changes_no_byte(bucket: FakeBucket) -> None:
    first, records = begun(bucket), records_of([*values(50, 5), CENTRE + 20 * SPREAD])
    together, divided = KeyBucket.empty(STREAM, 0), KeyBucket.empty(STREAM, 0)
    scorer = StreamScorer(STREAM, first=first)
    scorer.score(together, scorer.by_bucket(records)[0])
    for start in range(0, len(records), 7):
        # Another execution environment, which read the copy.
        other = StreamScorer(STREAM, first=begun(bucket, DetectorRecord("vibration")))
        other.score(divided, other.by_bucket(records[start : start + 7])[0])
        divided = KeyBucket.from_bytes(divided.to_bytes(STREAM), STREAM)
    assert comparable_bucket(together.to_bytes(STREAM)) == comparable_bucket(divided.to_bytes(STREAM))  # fmt: skip


def test_no_later_training_changes_what_new_keys_begin_with(bucket: FakeBucket) -> None:
    before = begun(bucket)
    later = store_model(
        bucket, DETECTOR, RECIPE, trained_checkpoint(values(600, 9), RECIPE, THROUGH), name="later"
    )
    bucket.delete(MODEL.checkpoint or "")
    bucket.delete(MODEL.recipe)

    assert begun(bucket, registered(DETECTOR, later, MODEL)) == before
    assert before.model == MODEL.name


def test_of_two_environments_that_begin_at_once_one_decides(bucket: FakeBucket) -> None:
    copies: list[DetectorForest] = []

    def interrupt(name: str) -> None:
        if name == "write before" and not copies:
            bucket.interrupt = lambda _: None
            copies.append(begun(bucket))

    bucket.interrupt = interrupt
    assert begun(bucket, DetectorRecord("vibration")) == copies[0]
    assert not copies[0].is_missing


def test_the_checkpoint_that_was_read_is_recorded(bucket: FakeBucket) -> None:
    found = begun(bucket)
    assert found.checkpoint == MODEL.checkpoint
    assert found.etag == bucket.objects[found.checkpoint][1]
    assert (found.learned, found.through) == (LEARNED, THROUGH)


def test_a_forest_that_has_learned_too_little_learns_on_first() -> None:
    bucket = FakeBucket()
    model = store_model(
        bucket, DETECTOR, RECIPE, trained_checkpoint(values(500, 1), RECIPE, THROUGH)
    )
    result = scored(begun(bucket, registered(DETECTOR, model)), values(20, 2))
    assert [row.learning for row in result.rows] == [True] * 12 + [False] * 8


def test_only_the_first_shingle_is_mute() -> None:
    detector, recipe, bucket = a_detector(shingle_size=4), a_recipe(CENTRE, SPREAD, 4), FakeBucket()
    stream = replace(STREAM, forest=replace(DETECTOR_FOREST, shingle_size=4))
    model = store_model(
        bucket, detector, recipe, trained_checkpoint(values(600, 1), recipe, THROUGH)
    )
    first = ColdStart(bucket, stream, detector, lambda: registered(detector, model)).forest()
    fresh = values(10, 2)
    result = scored(first, fresh, stream)

    batch = trained_checkpoint(values(600, 1), recipe, THROUGH)
    rows = np.lib.stride_tricks.sliding_window_view((np.array(fresh) - CENTRE) / SPREAD, 4)
    epochs = THROUGH + PERIOD * np.arange(len(rows))
    expected = batch.score(FeatureRows(rows, epochs), THROUGH + PERIOD * len(rows))[:, 0]
    assert [row.score for row in result.rows] == [0.0] * 3 + expected.tolist()


def test_windows_are_rows_as_datapoints_are(bucket: FakeBucket) -> None:
    window = StreamWindow(type="tumbling", size=PERIOD, statistics=("mean(x)",), allowed_lateness=0)
    stream = replace(STREAM, window=window)
    scorer = StreamScorer(stream, first=begun(bucket, stream=stream))
    records = records_of(values(30, 2), step=PERIOD / 3)
    result = scorer.score(KeyBucket.empty(stream, 0), scorer.by_bucket(records)[0])
    assert len(result.rows) == 10
    assert not any(row.learning for row in result.rows)


def without_models(_: FakeBucket) -> DetectorRecord:
    return DetectorRecord("vibration")


def of_another_metric(_: FakeBucket) -> DetectorRecord:
    return registered(DETECTOR, replace(MODEL, fingerprint="0" * 12))


def of_sagemaker(_: FakeBucket) -> DetectorRecord:
    return registered(DETECTOR, replace(MODEL, engine="sagemaker", checkpoint=None))


def without_checkpoint(bucket: FakeBucket) -> DetectorRecord:
    bucket.delete(MODEL.checkpoint or "")
    return RECORD


def without_recipe(bucket: FakeBucket) -> DetectorRecord:
    bucket.delete(MODEL.recipe)
    return RECORD


def with_damaged_checkpoint(bucket: FakeBucket) -> DetectorRecord:
    bucket.write_bytes(MODEL.checkpoint or "", b"not a forest")
    return RECORD


def with_damaged_recipe(bucket: FakeBucket) -> DetectorRecord:
    bucket.write_bytes(MODEL.recipe, b"{}")
    return RECORD


def with_other_features(bucket: FakeBucket) -> DetectorRecord:
    recipe = replace(RECIPE, features=("value", "difference"), spreads=(1.0, 1.0))
    return registered(DETECTOR, stored(bucket, recipe))


def with_another_shingle(bucket: FakeBucket) -> DetectorRecord:
    return registered(DETECTOR, stored(bucket, replace(RECIPE, shingle_size=3)))


def stored(bucket: FakeBucket, recipe: "object") -> Model:
    made = trained_checkpoint(values(20, 1), recipe, THROUGH)  # type: ignore[arg-type]
    return store_model(bucket, DETECTOR, recipe, made)  # type: ignore[arg-type]


MISSING = [
    (without_models, "detector 'vibration' has no model yet"),
    (of_another_metric, f"model {MODEL.name} of detector 'vibration' was made for another metric or recipe"),
    (of_sagemaker, f"model {MODEL.name} was made by engine sagemaker, not lambda"),
    (without_checkpoint, f"model {MODEL.name} is incomplete: "),
    (without_recipe, f"model {MODEL.name} is incomplete: "),
    (with_damaged_checkpoint, f"s3://data/{MODEL.checkpoint}: not a checkpoint of a forest"),
    (with_damaged_recipe, f"s3://data/{MODEL.checkpoint}: its recipe cannot be read"),
    (with_other_features, f"s3://data/{MODEL.checkpoint}: it has features value, difference, not value alone"),
    (with_another_shingle, f"s3://data/{MODEL.checkpoint}: its shingle, trees and sample are 3, 30 and 512, not 1, 30 and 512"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), MISSING, ids=[each.__name__ for each, _ in MISSING])
def test_what_is_missing_or_does_not_fit_is_said_once_and_counted_and_keys_learn_from_nothing(
    bucket: FakeBucket, change: Callable[[FakeBucket], DetectorRecord], reason: str
) -> None:
    store, inbox = StateStore(bucket, STREAM), Inbox()
    first = begun(bucket, change(bucket))
    assert first.reason.startswith(reason)
    for _ in range(2):
        store.buckets(lambda _: announce_missing_forest(store, first))
        announce_missing_forest(store, first)
    batches = BatchScorer(StreamScorer(STREAM, first=first), store, inbox.deliver)
    report = batches.score([a_record(n, id=key, x=1.0) for n, key in enumerate("abab")])

    assert report.total("unaided") == 2
    assert all(row.learning for row in report.rows())
    assert inbox.notices == {"no cold start": 1}
    # The detector's next model changes nothing.
    assert begun(bucket).reason == first.reason


def test_a_forest_that_was_found_is_not_announced(bucket: FakeBucket) -> None:
    store, first = StateStore(bucket, STREAM), begun(bucket)
    announce_missing_forest(store, first)
    announce_missing_forest(store, None)
    assert store.stored() == []
    assert scored(first, values(3, 2)).unaided == 0


def test_a_damaged_copy_is_named_and_not_made_again(bucket: FakeBucket) -> None:
    begun(bucket)
    key = cold_start_key(STREAM)
    content = bucket.objects[key][0]
    for damaged in (b"rubbish", content[:-1], content.replace(b"vibration", b"vibratiom", 1)):
        bucket.write_bytes(key, damaged)
        with pytest.raises(MalformedState, match=rf"s3://data/{key}: .* cold start"):
            begun(bucket)
        assert bucket.objects[key][0] == damaged


def test_a_copy_of_a_newer_version_is_left_to_it(bucket: FakeBucket) -> None:
    begun(bucket)
    key = cold_start_key(STREAM)
    first, rest = bucket.objects[key][0].split(b"\n", 1)
    magic, _, checksum = first.split(b" ")
    bucket.write_bytes(key, b"%s 2 %s\n%s" % (magic, checksum, rest))
    with pytest.raises(NewerState, match="schema version 2"):
        begun(bucket)


def test_history_goes_on_where_the_training_ended(bucket: FakeBucket) -> None:
    archive, store = FakeBucket(), StateStore(bucket, STREAM)
    lines = [
        json.dumps({"id": "a", "at": THROUGH + n, "x": x})
        for n, x in zip(range(-20, 30), values(50, 2), strict=True)
    ]
    archive.write_bytes("past/1", "\n".join(lines).encode())
    first = begun(bucket)
    store.buckets(
        lambda count: learn(archive, "past/", store, count, LONG_AFTER, lambda: True, first=first)
    )
    assert store.take(0).bucket.states["a"].forest.learned == LEARNED + 30


def test_a_state_of_before_has_its_bytes_as_before() -> None:
    stream = a_stream()
    content = KeyState.of_new_key(stream, "a", START).to_bytes(stream)
    assert b'"scale"' not in content
