"""A watched table, its changes, an endpoint that scores, and a registry and a bucket in memory."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.endpoints.cutoff_cache import CutoffCache
from cutwatch.endpoints.cutoff_store import CutoffStore, VariantCutoff
from cutwatch.endpoints.invocation import ScoringEndpoint
from cutwatch.errors import AwsError, ConditionFailed
from cutwatch.streams.outbox import Outbox
from cutwatch.tables.changes import Change, changes_of
from cutwatch.tables.scoring import TableScorer
from cutwatch.tables.state import TableStateStore
from tests.support.stream_state import FakeBucket

NOW = 1_790_000_000.0
OLD, NEW = "model-1", "model-2"


def watched(**fields: Any) -> WatchedTable:
    defaults = {"name": "taxi", "source": "rides", "values": {"count": "ridecount"}}
    return WatchedTable(**{**defaults, **fields})


def stream_record(
    value: Any, sequence: int, *, item: str = "1", at: float = NOW, **attributes: Any
) -> dict[str, Any]:
    """A record of a table's stream; a number is an attribute of type N."""
    typed = value if isinstance(value, Mapping) else {"N": str(value)}
    return {
        "eventID": str(sequence),
        "eventName": "MODIFY",
        "dynamodb": {
            "Keys": {"id": {"S": item}},
            "NewImage": {"id": {"S": item}, "ridecount": typed, **attributes},
            "SequenceNumber": f"{sequence:021d}",
            "ApproximateCreationDateTime": at,
        },
    }


def changes(*records: Mapping[str, Any]) -> list[Change]:
    return changes_of({"Records": list(records)})


def cutoff(variant: str = OLD, value: float = 2.0, **fields: Any) -> VariantCutoff:
    defaults: dict[str, Any] = {
        "variant": variant,
        "fingerprint": watched().fingerprint,
        "columns": ("count",),
        "value": value,
        "mean": 1.0,
        "deviation": 0.3,
        "ranges": ((100.0, 80.0, 120.0),),
        "rows": 1_000,
        "trained_at": "2026-11-01T00:00:00Z",
    }
    return VariantCutoff(**{**defaults, **fields})


class MemoryTable:
    """Items of a registry by their keys, for stores that put, get, query, update and delete."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def put(self, item: Mapping[str, Any], condition: str = "") -> None:
        key = (item["pk"], item["sk"])
        if condition and key in self.items:
            raise ConditionFailed("PutItem", "ConditionalCheckFailedException", "exists")
        self.items[key] = json.loads(json.dumps(item))

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def query(self, pk: str, prefix: str) -> list[dict[str, Any]]:
        return [
            item for (p, s), item in sorted(self.items.items()) if p == pk and s.startswith(prefix)
        ]

    def update(
        self, pk: str, sk: str, update: str, values: Mapping[str, Any], condition: str
    ) -> None:
        """Set one attribute of an item that exists."""
        if (pk, sk) not in self.items:
            raise ConditionFailed("UpdateItem", "ConditionalCheckFailedException", condition)
        [value] = values.values()
        self.items[pk, sk][update.split()[1]] = value

    def delete(self, pk: str, sk: str) -> None:
        self.items.pop((pk, sk), None)


class FakeRuntime:
    """An endpoint whose score of a row is its first value; `fails` are errors that the next requests meet."""

    def __init__(self, variant: str = OLD) -> None:
        self.variant = variant
        self.fails: list[AwsError] = []
        self.requests: list[list[str]] = []
        self.change_scores: Callable[[list[float]], list[float]] = lambda scores: scores

    def invoke_endpoint(self, **request: Any) -> Mapping[str, Any]:
        lines = request["Body"].decode().splitlines()
        self.requests.append(lines)
        if self.fails:
            raise self.fails.pop(0)
        scores = self.change_scores([float(line.split(",")[0]) for line in lines])
        body = json.dumps({"scores": [{"score": each} for each in scores]}).encode()
        return {"Body": io.BytesIO(body), "InvokedProductionVariant": self.variant}


class Watching:
    """A scorer of a table with everything around it in memory."""

    def __init__(self, table: WatchedTable | None = None, *, keeps_rows: bool = False) -> None:
        self.table = table or watched()
        self.bucket = FakeBucket()
        self.runtime = FakeRuntime()
        self.registry = MemoryTable()
        self.cutoffs = CutoffStore(self.registry, self.table.name)  # type: ignore[arg-type]
        self.cutoffs.record(cutoff(fingerprint=self.table.fingerprint))
        self.store = TableStateStore(self.bucket, self.table.name)
        self.delivered: list[tuple[str, str]] = []
        self.rejected: list[str] = []
        self.rows: list[str] = []
        self.undeliverable: list[AwsError] = []
        self.now = 0.0
        self.scorer = TableScorer(
            self.table,
            ScoringEndpoint(self.runtime, "taxi", self._pause),
            CutoffCache(self.cutoffs, self.table.fingerprint, lambda: self.now),
            self.store,
            self._deliver,
            keeps_rows,
        )

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    def _deliver(self, outbox: Outbox) -> None:
        if self.undeliverable:
            raise self.undeliverable.pop(0)
        self.delivered += [(each.kind, each.incident.id) for each in outbox.changes]
        self.rejected += [str(each.rejected.reason) for each in outbox.rejected]
        self.rows += [each["id"] for each in outbox.rows]
        outbox.clear()

    def score(self, *records: Mapping[str, Any], seconds: float = 60) -> Any:
        """Score a batch within some seconds."""
        end = self.now + seconds
        return self.scorer.score(changes(*records), lambda: self.now < end)


def sequences(failed: Sequence[Change]) -> list[int]:
    return [int(each.sequence) for each in failed]
