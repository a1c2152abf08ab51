"""Mappings that deliver by themselves, where that is wanted."""

import time
from collections.abc import Iterator

import pytest

from localaws import LocalAws
from support.streams import Scene


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws(event_sources=True) as running:
        yield running


def wait_for(scene: Scene, count: int) -> list[str]:
    """The texts that have been delivered, once there are so many."""
    deadline = time.monotonic() + 240
    texts: list[str] = []
    while len(texts) < count and time.monotonic() < deadline:
        time.sleep(0.02)
        texts = [text for batch in scene.batches() for text in batch]
    return texts


def test_records_are_delivered_without_being_asked_for(aws: LocalAws) -> None:
    scene = Scene(aws)
    scene.map()
    scene.put("a")
    assert wait_for(scene, 1) == ["a"]


def test_a_batching_window_takes_no_real_time(aws: LocalAws) -> None:
    scene = Scene(aws)
    scene.map(MaximumBatchingWindowInSeconds=300)
    scene.put("a")
    before = time.monotonic()
    assert wait_for(scene, 1) == ["a"]
    assert time.monotonic() - before < 300
