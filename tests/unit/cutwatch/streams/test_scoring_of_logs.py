"""A log's records through the scoring of streams: features, trained model, incidents with reasons."""

import json
from dataclasses import replace
from functools import cache

import pytest

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.detectors.log_format import LogFormat
from cutwatch.detectors.stream import ForestSettings, Model, Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.errors import InvalidInput, MalformedState
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.log_training import train_stream
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import BatchResult, StreamScorer
from cutwatch.streams.trained_model import TrainedModel
from tests.support.log_events import MONDAY, an_event, ordinary_events

LOG = LogFormat(
    time="at",
    time_format="seconds",
    response_time="seconds",
    level="level",
    method="method",
    path="path",
    status="status",
    key="service",
)
STREAM = Stream("shop", "shop-log", log=LOG, forest=ForestSettings(trees=30, sample_size=256))
WINDOWS = StreamWindow("tumbling", 60, ("count", "mean(response_time)", "max(error_rate)"))
STREAMS: dict[Model, Stream] = {
    "random_cut_forest": STREAM,
    "one_class_svm": replace(STREAM, model="one_class_svm", forest=ForestSettings()),
    "harmonic_regression": replace(
        STREAM, model="harmonic_regression", window=WINDOWS, forest=ForestSettings()
    ),
}
TRAINING = ordinary_events(6_000)
SLOW = an_event(method="POST", response_time=8.0)


@cache
def trained(kind: Model) -> TrainedModel:
    stream = STREAMS[kind]
    return TrainedModel.of(stream, train_stream(stream, TRAINING, share=1.0).fitted)


def records() -> list[RawRecord]:
    later = [each._replace(time=each.time + 6_000) for each in ordinary_events(600, seed=5)]
    given = [*later[:500], SLOW._replace(time=later[500].time), *later[500:]]
    return [
        RawRecord(
            json.dumps(
                {
                    "service": "shop",
                    "at": each.time,
                    "seconds": each.response_time,
                    "level": each.level,
                    "method": each.method,
                    "path": each.path,
                    "status": each.status,
                }
            ).encode(),
            "log-0",
            number,
            each.time,
        )
        for number, each in enumerate(given)
    ]


def score(kind: Model, batch: int = 1_000) -> list[BatchResult]:
    """Score in batches, with the states through bytes between them."""
    stream, scorer = STREAMS[kind], StreamScorer(STREAMS[kind], trained=trained(kind))
    stored = KeyBucket.empty(stream, 0).to_bytes(stream)
    results = []
    for start in range(0, 601, batch):
        bucket = KeyBucket.from_bytes(stored, stream)
        results.append(scorer.score(bucket, scorer.by_bucket(records()[start : start + batch])[0]))
        stored = bucket.to_bytes(stream)
    return results


@pytest.mark.parametrize("kind", ["random_cut_forest", "one_class_svm"])
def test_a_slow_response_is_the_peak_of_an_incident_with_its_reason(kind: Model) -> None:
    [result] = score(kind)
    peaks = [each.incident for each in result.changes if each.incident.peak_time == MONDAY + 6_500]
    assert [each.reasons for each in peaks] == [
        ("`POST /cart` took 8 s, usually 0.11–0.34 s at this hour",)
    ]
    assert peaks[0].severity > 1.3
    assert len(result.changes) <= 3


def test_scores_begin_with_the_first_record() -> None:
    [result] = score("random_cut_forest")
    assert not any(row.learning for row in result.rows)
    assert all(row.score > 0 for row in result.rows)


@pytest.mark.parametrize("kind", STREAMS)
def test_batches_and_bytes_do_not_change_the_scores(kind: Model) -> None:
    [whole] = score(kind)
    parts = score(kind, batch=77)
    assert [row for part in parts for row in part.rows] == whole.rows
    assert [each for part in parts for each in part.changes] == whole.changes


def test_windows_of_a_log_are_scored_by_the_regression() -> None:
    [result] = score("harmonic_regression")
    assert len(result.rows) >= 8
    assert len(result.events) == result.accepted == 601


def test_attributions_add_up_to_the_score() -> None:
    for kind in STREAMS:
        [result] = score(kind)
        for row in result.rows:
            if row.attribution:
                assert sum(each.score for each in row.attribution) == pytest.approx(row.score)


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(MalformedState, match="is a one_class_svm; stream 'shop' has model: random"):
        TrainedModel.of(STREAM, trained("one_class_svm").fitted)


def test_a_model_of_plain_records_is_refused_for_a_log() -> None:
    fitted = trained("random_cut_forest").fitted
    bare = FittedModel(fitted.kind, fitted.model, fitted.cutoff)
    with pytest.raises(MalformedState, match="train stream 'shop' again"):
        TrainedModel.of(STREAM, bare)


def test_a_log_of_shingles_cannot_be_trained() -> None:
    shingled = replace(STREAM, forest=ForestSettings(shingle_size=4))
    with pytest.raises(InvalidInput, match=r"forest.shingle_size"):
        train_stream(shingled, TRAINING)


def test_equal_trainings_have_equal_versions() -> None:
    one = train_stream(STREAMS["one_class_svm"], TRAINING).fitted.version
    assert one == train_stream(STREAMS["one_class_svm"], TRAINING).fitted.version
    assert one != train_stream(STREAMS["one_class_svm"], TRAINING[:5_000]).fitted.version
