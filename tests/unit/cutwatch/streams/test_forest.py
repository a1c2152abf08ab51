import random

import pytest
from krcf import RandomCutForest

from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings
from cutwatch.streams.forest import KeyForest
from tests.support.streams import a_stream

SETTINGS = ForestSettings(trees=10, sample_size=32, time_decay=1_000)


def values(count: int, seed: int = 1) -> list[tuple[float, ...]]:
    source = random.Random(seed)
    return [(source.gauss(0, 1),) for _ in range(count)]


def scores(forest: KeyForest, rows: list[tuple[float, ...]]) -> list[float | None]:
    found: list[float | None] = []
    for row in rows:
        shingle = forest.shingled(row)
        found.append(None if shingle is None else forest.score(shingle))
        if shingle is not None:
            forest.learn(shingle)
    return found


def test_scores_are_those_of_the_library_with_the_parameters_of_the_sql_function() -> None:
    stream = a_stream(forest=SETTINGS)
    forest = KeyForest.untrained(stream, "a")
    bare = RandomCutForest(forest._forest.options())
    expected = []
    for row in values(200):
        expected.append(bare.score(row))
        bare.update(row)

    assert (
        bare.options() | {"lambda": 1 / 1_000, "num_trees": 10, "sample_size": 32} == bare.options()
    )
    assert scores(forest, values(200)) == expected
    assert forest.learned == 200


def test_equal_keys_and_configurations_grow_equal_forests() -> None:
    def first_scores(key: str, **changes: object) -> list[float | None]:
        return scores(KeyForest.untrained(a_stream(forest=SETTINGS, **changes), key), values(100))

    assert first_scores("a") == first_scores("a")
    assert first_scores("a") != first_scores("b")
    assert first_scores("a") != first_scores("a", name="others")


def test_a_shingle_has_the_latest_rows_with_the_oldest_first() -> None:
    forest = KeyForest.untrained(a_stream(forest=ForestSettings(shingle_size=3)), "a")
    shingles = [forest.shingled((float(n),)) for n in range(5)]
    assert shingles == [None, None, (0, 1, 2), (1, 2, 3), (2, 3, 4)]


@pytest.mark.parametrize("shingle_size", [1, 4])
def test_a_restored_forest_continues_exactly(shingle_size: int) -> None:
    settings = ForestSettings(trees=10, sample_size=32, shingle_size=shingle_size)
    stream = a_stream(forest=settings)
    forest = KeyForest.untrained(stream, "a")
    scores(forest, values(50))
    restored = KeyForest.from_parts(*forest.to_parts(), stream, forest.learned)

    assert scores(restored, values(100, seed=2)) == scores(forest, values(100, seed=2))
    assert restored.to_parts() == forest.to_parts()
    assert restored.learned == forest.learned


@pytest.mark.parametrize("shingle_size", [1, 3])
def test_attributions_add_up_to_the_score_and_know_the_side(shingle_size: int) -> None:
    settings = ForestSettings(trees=30, sample_size=64, shingle_size=shingle_size)
    record = RecordFormat("at", {"x": "x", "y": "y"})
    forest = KeyForest.untrained(a_stream(forest=settings, record=record), "a")
    rows: list[tuple[float, ...]] = [
        (x, y) for (x,), (y,) in zip(values(300), values(300, seed=2), strict=True)
    ]
    scores(forest, rows)
    shingle = forest.shingled((0.0, -30.0))
    assert shingle is not None
    x, y = forest.attribute(shingle)

    assert x.score + y.score == pytest.approx(forest.score(shingle))
    assert y.score > 3 * x.score
    assert y.direction == "below"
