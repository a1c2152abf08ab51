"""Streams and records for tests of record scoring."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from krcf import RandomCutForest

from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_state import _parts
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import BatchResult, StreamScorer

START = 1_780_000_000
LONG_AFTER = START + 10_000_000.0
SMALL = ForestSettings(trees=5, sample_size=40)


def a_stream(**changes: Any) -> Stream:
    """Return a stream of `{"id", "at", "x"}`, with a small forest per id."""
    record = RecordFormat("at", {"x": "x"}, "id", time_format="seconds")
    settings: dict[str, Any] = {
        "name": "sensors",
        "source": "sensors",
        "record": record,
        "forest": SMALL,
    }
    return Stream(**settings | changes)


def a_record(position: int = 0, lane: str = "0", arrival: float = LONG_AFTER, **fields: Any) -> RawRecord:  # fmt: skip
    content = {"id": "a", "at": START + position, "x": 1.0} | fields
    return RawRecord(json.dumps(content).encode(), lane, position, arrival)


def records_of(values: Sequence[float], step: float = 1.0, **fields: Any) -> list[RawRecord]:
    """Return one record per value, `step` seconds apart."""
    return [a_record(n, at=START + n * step, x=x, **fields) for n, x in enumerate(values)]


def score_records(
    stream: Stream, records: Sequence[RawRecord], bucket: KeyBucket | None = None
) -> BatchResult:
    """Score records with one bucket for all keys."""
    scorer = StreamScorer(stream)
    arrived = scorer.by_bucket(records).get(0, [])
    return scorer.score(bucket or KeyBucket.empty(stream, 0), arrived)


def comparable(content: bytes) -> tuple[Any, ...]:
    """Return the stored state of a key in a form in which equal states are equal."""
    header, recent, forest, features = _parts(content)
    forests, rest = [forest], features
    # Residuals and profile follow the forests of features, and have no map.
    for length in header.get("features", {"lengths": []})["lengths"][:-2]:
        forests.append(rest[:length])
        rest = rest[length:]
    read = (json.loads(RandomCutForest.from_msgpack(each).to_json()) for each in forests)
    return header, recent, rest, *read


def comparable_bucket(content: bytes) -> tuple[Any, ...]:
    """Return a stored bucket in a form in which equal buckets are equal; what was delivered of its outbox does not count."""
    _, header, states = content.split(b"\n", maxsplit=2)
    read = json.loads(header)
    keys, start = {}, 0
    for key, _, _, length in read["keys"]:
        keys[key] = comparable(states[start : start + length])
        start += length
    return read["applied"], read["totals"], keys


def noise(count: int, seed: int = 0) -> list[float]:
    """Return normally distributed values around 0."""
    source = random.Random(seed)
    return [source.gauss(0, 1) for _ in range(count)]


def blood_pressures(count: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """Yield level, systolic and diastolic pressure, distributed as in the guide of Kinesis Data Analytics for SQL."""
    source = random.Random(seed)
    for _ in range(count):
        chance = source.random()
        if chance < 0.005:
            yield "low", source.randint(50, 80), source.randint(30, 50)
        elif chance > 0.995:
            yield "high", source.randint(130, 200), source.randint(90, 150)
        else:
            yield "normal", source.randint(90, 120), source.randint(60, 80)
