"""Whatever lies in S3 or comes in an event: an error of ours, or what was meant; never anything else."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.description import TrainingDescription, WindowDescription
from cutwatch.datasets.forest_arrays import read_rows
from cutwatch.datasets.keys import dataset_prefix
from cutwatch.datasets.storage import (
    find_dataset,
    read_description,
    read_epochs,
    read_scores,
)
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.errors import CutwatchError, InvalidInput, MalformedScores, MalformedState
from cutwatch.features.recipe import FeatureRows
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.run import RunRequest
from cutwatch.sagemaker.names import job_name
from cutwatch.timestamps import format_timestamp
from tests.support.fakes import Fake

STARTED = "2026-11-01T00:00:00Z"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@dataclass
class Objects(Fake):
    """An S3 client that holds one content under every key."""

    content: bytes
    written: list[str] = field(default_factory=list)

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.content)}


def bucket_of(content: bytes) -> Bucket:
    return Bucket(Objects(content), "data")


SCORES = st.binary(max_size=200) | st.lists(JSON, max_size=4).map(
    lambda values: "".join(json.dumps({"score": value}) + "\n" for value in values).encode()
)


@given(SCORES, st.integers(0, 4))
def test_scores_are_finite_and_as_many_as_rows_or_refused(content: bytes, rows: int) -> None:
    try:
        scores = read_scores(bucket_of(content), "scores/", 1, rows)
    except MalformedScores:
        return
    assert len(scores) == rows
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b'{"score": true}',
        b'{"score": "1.5"}',
        b'{"score": 1' + b"0" * 400 + b"}",
        b"[" * 100_000,
        b"[]",
        b'{"score": NaN}',
    ],
)
def test_a_score_is_a_finite_number_and_nothing_that_python_would_take_for_one(
    line: bytes,
) -> None:
    with pytest.raises(MalformedScores):
        read_scores(bucket_of(line), "scores/", 1, 1)


@given(st.binary(max_size=200))
def test_a_dataset_that_is_none_raises_an_error_of_ours(content: bytes) -> None:
    for read in (
        lambda bucket: read_epochs(bucket, "data/"),
        lambda bucket: read_rows(bucket, "data/"),
        lambda bucket: find_dataset(bucket, "data/"),
        lambda bucket: read_description(WindowDescription, bucket, "data/"),
        lambda bucket: read_description(TrainingDescription, bucket, "data/"),
    ):
        try:
            read(bucket_of(content))
        except CutwatchError:
            continue


def a_state() -> bytes:
    state = ForestCheckpoint.untrained(2, 1, seed=1)
    epochs = np.arange(50, dtype=np.int64) * 300
    rows = np.random.default_rng(1).normal(size=(50, 2))
    state.score(FeatureRows(rows, epochs), 15_000)
    return state.to_bytes()


STATE = a_state()


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_state_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedState):
        ForestCheckpoint.from_bytes(content)


@settings(max_examples=60)
@given(st.integers(0, len(STATE) - 1), st.integers(1, 255), st.integers(0, len(STATE)))
def test_a_state_that_was_damaged_is_refused_or_whole(place: int, flip: int, end: int) -> None:
    damaged = bytearray(STATE)
    damaged[place] ^= flip
    for content in (bytes(damaged), STATE[:end]):
        try:
            state = ForestCheckpoint.from_bytes(content)
        except MalformedState:
            continue
        assert len(state.epochs) == len(state.scores)
        assert (np.diff(state.epochs) > 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": np.array([600, 300], np.int64), "scores": np.zeros(2)},
        {"epochs": np.array([300, 600], np.int64), "scores": np.zeros(1)},
        {"epochs": np.array([300, 20_000], np.int64), "scores": np.zeros(2)},
        {"epochs": np.array([300, 600], np.int64), "scores": np.array([1.0, np.nan])},
        {"epochs": np.array([300.0, 600.0]), "scores": np.zeros(2)},
    ],
)
def test_a_state_whose_scores_would_be_anothers_is_refused(wrong: dict[str, Any]) -> None:
    with np.load(io.BytesIO(STATE)) as stored:
        parts = {name: stored[name] for name in stored.files} | wrong
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **parts)
    with pytest.raises(MalformedState):
        ForestCheckpoint.from_bytes(buffer.getvalue())


@given(JSON)
def test_an_event_becomes_a_run_of_the_past_or_is_refused(event: Any) -> None:
    try:
        request = RunRequest.from_event("transform", event, STARTED)
    except InvalidInput:
        return
    assert format_timestamp(request.scheduled_time) <= "2026-11-01T00:05:00Z"


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2027-11-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        12,
        None,
    ],
)
def test_a_time_that_no_schedule_can_have_is_refused(time: Any) -> None:
    with pytest.raises(InvalidInput):
        RunRequest.from_event("transform", {"time": time}, STARTED)


@given(st.text(max_size=200))
def test_any_text_as_detectors_yaml_is_a_configuration_or_an_error_of_ours(text: str) -> None:
    try:
        parse_configuration(text)
    except CutwatchError:
        return


HOSTILE_NAMES = [
    "..",
    "../x",
    "a/b",
    "a\\b",
    "a\nb",
    "a\n",
    "ünïcode",
    "",
    "a" * 65,
    ".a",
    "a\x00",
    "a b",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_could_leave_its_prefix_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name: "):
        Detector(name, "Shop", "Orders", "Sum")


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True))
def test_a_name_that_is_allowed_stays_within_its_prefix_and_a_jobs_name(name: str) -> None:
    prefix = dataset_prefix(name, NOON, "transform", "0123abcd")
    assert prefix.split("/")[:2] == ["data", name]
    assert prefix.count("/") == 3
    assert len(job_name("cutwatch", name, NOON, "0123abcd", 1)) <= 63
