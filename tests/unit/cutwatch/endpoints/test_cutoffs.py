"""The cutoff of a model: from all scores of its training data, or not at all."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from cutwatch.aws.s3 import ListedObject
from cutwatch.datasets.dataset import Dataset
from cutwatch.detectors.watched_table import TableCutoff
from cutwatch.endpoints.cutoff_cache import CutoffCache
from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.endpoints.cutoffs import cutoff_of, store_cutoff, training_scores
from cutwatch.errors import CutoffMissing, MalformedScores, NotFound
from tests.support.watched_tables import NEW, OLD, MemoryTable, cutoff, watched

DATASET = Dataset("taxi", "data/taxi/1/", "d", "f", 1, 4, 2, None)
SCORES = {"part-0.csv": [1.0, 1.2], "part-1.csv": [0.8, 3.0]}


class MemoryBucket:
    """Rows and scores of a run as texts."""

    def __init__(self, scores: dict[str, str]) -> None:
        self.objects = {f"data/taxi/1/rows/{name}": "10\n20\n" for name in SCORES}
        self.objects |= {f"scores/taxi/job/{name}.out": text for name, text in scores.items()}

    def uri(self, key: str) -> str:
        return f"s3://data/{key}"

    def list(self, prefix: str) -> Iterator[ListedObject]:
        now = datetime.now(UTC)
        yield from (
            ListedObject(key, "", now) for key in sorted(self.objects) if key.startswith(prefix)
        )

    def read(self, key: str) -> str:
        if key not in self.objects:
            raise NotFound("GetObject", "NoSuchKey", key)
        return self.objects[key]


def lines(scores: dict[str, list[float]]) -> dict[str, str]:
    return {
        name: "".join(json.dumps({"score": s}) + "\n" for s in found) + "\n"
        for name, found in scores.items()
    }


def test_sigmas_are_added_to_the_mean_of_all_scores() -> None:
    scores = training_scores(MemoryBucket(lines(SCORES)), DATASET, "job")  # type: ignore[arg-type]
    found = cutoff_of(TableCutoff(sigmas=2.0), scores)
    assert sorted(scores) == [0.8, 1.0, 1.2, 3.0]
    assert found.value == pytest.approx(np.mean(scores) + 2 * np.std(scores))


def test_a_quantile_leaves_its_share_above_the_cutoff() -> None:
    scores = np.random.default_rng(1).normal(1, 0.2, 10_000)
    found = cutoff_of(TableCutoff(method="quantile", quantile=0.99), scores)
    assert (scores >= found.value).mean() == pytest.approx(0.01, abs=1e-4)
    equal = np.ones(100)
    assert (
        equal >= cutoff_of(TableCutoff(method="quantile", quantile=0.9), equal).value
    ).sum() == 0


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (lines({"part-0.csv": [1.0, 1.2]}), "wrote no s3://data/scores/taxi/job/part-1.csv.out"),
        (lines(SCORES | {"part-1.csv": [1.0]}), "holds 3 scores for 4 rows"),
        (lines(SCORES) | {"part-1.csv": "<html>"}, "is not jsonlines"),
        (lines(SCORES) | {"part-1.csv": '{"score": NaN}\n{"score": 1}\n'}, "not finite"),
    ],
)
def test_scores_that_do_not_fit_the_rows_make_no_cutoff(
    scores: dict[str, str], reason: str
) -> None:
    with pytest.raises(MalformedScores, match=reason):
        training_scores(MemoryBucket(scores), DATASET, "job")  # type: ignore[arg-type]


def test_a_stored_cutoff_is_never_replaced() -> None:
    store = CutoffStore(MemoryTable(), "taxi")  # type: ignore[arg-type]
    bucket = MemoryBucket(lines(SCORES))
    first = store_cutoff(store, bucket, watched(), DATASET, "job", NEW, "2026-11-01T00:00:00Z")  # type: ignore[arg-type]
    store.record(cutoff(NEW, value=99.0))
    assert store.get(NEW) == first
    assert first.ranges == ((15.0, 10.0, 20.0),)
    assert first.fingerprint == watched().fingerprint


def test_a_cutoff_is_read_once_a_minute_and_a_missing_one_at_every_request() -> None:
    registry, now = MemoryTable(), [0.0]
    store = CutoffStore(registry, "taxi")  # type: ignore[arg-type]
    cache = CutoffCache(store, watched().fingerprint, lambda: now[0])
    with pytest.raises(CutoffMissing):
        cache.get(OLD)
    store.record(cutoff(OLD, value=2.0))
    assert cache.get(OLD).value == 2.0
    registry.items.clear()
    now[0] = 60.0
    assert cache.get(OLD).value == 2.0
    now[0] = 61.0
    with pytest.raises(CutoffMissing):
        cache.get(OLD)
