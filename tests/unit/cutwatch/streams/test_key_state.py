from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.errors import MalformedState, StateOfOtherConfiguration
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_state import SCHEMA, KeyState, without_incident
from tests.support.streams import a_stream, comparable, noise, records_of, score_records

STREAM = a_stream()
WINDOWED = a_stream(window=StreamWindow("tumbling", 10, ("mean(x)", "p90(x)")))


def repeated(count: int) -> list[float]:
    """Return values that repeat: forests count them apart."""
    return [round(value) for value in noise(count)]


def state_of(stream: Stream, values: list[float]) -> KeyState:
    bucket = KeyBucket.empty(stream, 0)
    score_records(stream, records_of(values), bucket)
    return bucket.states["a"]


CONTENT = state_of(STREAM, [*noise(120), 60.0]).to_bytes(STREAM)


@pytest.mark.parametrize("stream", [STREAM, WINDOWED, a_stream(forest=ForestSettings(5, 40, shingle_size=3))])  # fmt: skip
def test_everything_in_a_state_is_restored(stream: Stream) -> None:
    content = state_of(stream, [*repeated(120), 60.0]).to_bytes(stream)
    again = KeyState.from_bytes(content, stream).to_bytes(stream)
    assert comparable(again) == comparable(content)


def test_a_state_without_features_keeps_its_schema_version_and_a_state_with_features_has_the_next() -> None:  # fmt: skip
    featured = a_stream(features="auto")
    content = state_of(featured, noise(10)).to_bytes(featured)
    assert [each.split(b" ")[1] for each in (CONTENT, content)] == [b"1", b"2"]


def test_a_state_ends_its_incident_and_keeps_its_features() -> None:
    stream = a_stream(features=("value", "difference"))
    content = state_of(stream, [*noise(120), 60.0]).to_bytes(stream)
    ended, incident = without_incident(content)
    assert incident is not None
    restored = KeyState.from_bytes(ended, stream)
    assert restored.incident is None
    assert comparable(restored.to_bytes(stream))[1:] == comparable(content)[1:]


def test_an_open_incident_is_restored() -> None:
    state = state_of(STREAM, [*noise(120), 60.0])
    assert state.incident is not None
    assert KeyState.from_bytes(CONTENT, STREAM).incident == state.incident


def test_a_newer_state_is_refused() -> None:
    newer = CONTENT.replace(b" 1 ", b" %d " % (SCHEMA + 1), 1)
    with pytest.raises(MalformedState, match=r"schema version 3.* reads up to 2; deploy"):
        KeyState.from_bytes(newer, STREAM)


def test_a_state_of_another_configuration_is_refused() -> None:
    changed = replace(STREAM, forest=ForestSettings(trees=6, sample_size=40))
    with pytest.raises(StateOfOtherConfiguration, match=rf"key 'a' .*{STREAM.fingerprint}.*{changed.fingerprint}"):  # fmt: skip
        KeyState.from_bytes(CONTENT, changed)


def test_a_state_outlives_a_change_of_the_sensitivity() -> None:
    changed = replace(STREAM, sensitivity="low")
    assert KeyState.from_bytes(CONTENT, changed).baseline.scores > 0


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    damaged = bytearray(CONTENT)
    damaged[place] ^= change
    with pytest.raises(MalformedState):
        KeyState.from_bytes(bytes(damaged), STREAM)


@pytest.mark.parametrize("content", [b"", b"x", CONTENT[:100], CONTENT[:-1], CONTENT + b"x"])
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedState, match=r"not a state|damaged"):
        KeyState.from_bytes(content, STREAM)
