"""The end of a local AWS whose functions still run."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws
from support.streams import Scene

# Runs until it is let go, then says that it has ended.
SOURCE = """
    import pathlib, threading
    def handler(event, context):
        place = pathlib.Path({place!r})
        (place / "begun").touch()
        for _ in range(200):
            if (place / "let go").exists():
                break
            threading.Event().wait(0.05)
        (place / "ended").touch()
"""


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Every test has a local AWS of its own."""


class Stopped(Exception):
    """What interrupts a test."""


def begin(aws: LocalAws, place: Path, shards: int = 1) -> None:
    """Put a record for a function that runs until it is let go."""
    scene = Scene(aws, shards, source=SOURCE.format(place=str(place)))
    scene.map()
    for number in range(shards):
        scene.put("a", hash_key=number * 2**127)


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def test_an_error_ends_the_functions_that_run(tmp_path: Path) -> None:
    with suppress(Stopped), LocalAws(event_sources=True) as aws:
        begin(aws, tmp_path)
        wait_for(tmp_path / "begun")
        raise Stopped
    assert not (tmp_path / "ended").exists()


def test_a_normal_stop_lets_functions_end(tmp_path: Path) -> None:
    with LocalAws(event_sources=True) as aws:
        begin(aws, tmp_path)
        wait_for(tmp_path / "begun")
        (tmp_path / "let go").touch()
    assert (tmp_path / "ended").exists()


def test_an_error_while_batches_are_delivered_side_by_side_ends_their_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalAws() as aws:
        _deliver_interrupted(aws, tmp_path, monkeypatch)


def _deliver_interrupted(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(aws, tmp_path, shards=2)
    monkeypatch.setattr(aws.event_sources, "concurrency", 2)

    def interrupted(*_: Any) -> bool:
        wait_for(tmp_path / "begun")
        raise Stopped

    with monkeypatch.context() as interrupting:
        interrupting.setattr(aws.clock, "wait_until", interrupted)
        with pytest.raises(Stopped):
            aws.event_sources.deliver()
    assert not (tmp_path / "ended").exists()
    (tmp_path / "let go").touch()
    aws.event_sources.settle()
    assert (tmp_path / "ended").exists()
