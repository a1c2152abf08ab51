"""One batch of a table's changes: scored by the endpoint, compared with the cutoff of the model that scored them, committed.

Scores do not depend on the order of changes, so a batch that comes again gets the same scores from the same model. What it adds
to incidents and to the rejected records is committed once, by the ids of the changes.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.endpoints.cutoff_cache import CutoffCache
from cutwatch.endpoints.cutoff_store import VariantCutoff
from cutwatch.endpoints.invocation import ScoringEndpoint, csv_line
from cutwatch.errors import ConditionFailed, CutwatchError
from cutwatch.streams.batch import BatchReport
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.outbox import Deliver
from cutwatch.streams.record import DeadLetter, Record, Rejected
from cutwatch.streams.result_rows import row_payload
from cutwatch.streams.scoring import SILENT_SECONDS, BatchResult
from cutwatch.tables.changes import Change
from cutwatch.tables.decoding import ChangeDecoder
from cutwatch.tables.detection import TableDetection
from cutwatch.tables.state import TableState, TableStateStore

# Batches of other shards may write the state between reading and writing it.
_ATTEMPTS = 10


class Decoded(NamedTuple):
    """A change with its row, or with the reason why there is none."""

    change: Change
    content: Record | Rejected


class Scored(NamedTuple):
    """A decoded change with its score, and the cutoff of the model that gave it; None for a rejected one."""

    decoded: Decoded
    score: float
    cutoff: VariantCutoff | None


@dataclass
class TableBatch:
    """Outcome of a batch: the report, the changes that must come again, and the variants that scored the others."""

    report: BatchReport = field(default_factory=BatchReport)
    failed: list[Change] = field(default_factory=list)
    variants: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class TableScorer:
    """Scores batches of a table's changes. `deliver` empties an outbox; `keeps_rows` puts every scored row into it."""

    table: WatchedTable
    endpoint: ScoringEndpoint
    cutoffs: CutoffCache
    store: TableStateStore
    deliver: Deliver
    keeps_rows: bool = False

    def score(
        self, changes: Sequence[Change], has_time: Callable[[], bool] = lambda: True
    ) -> TableBatch:
        """Score a batch. What cannot be scored now, or not be committed, comes again."""
        batch = TableBatch()
        decode = ChangeDecoder(self.table).decode
        decoded = [Decoded(change, decode(change)) for change in changes]
        scored = self._scored(decoded, has_time, batch)
        try:
            self._commit(scored, batch)
        except CutwatchError as error:
            batch.report.errors.append(error)
            batch.failed = list(changes)
        batch.report.failed += [change.raw for change in batch.failed]
        return batch

    def close_silent(self, now: datetime, _has_time: Callable[[], bool]) -> TableBatch:
        """End incidents of keys that have been silent, and deliver what is left in the outbox of the one state."""
        batch = TableBatch()
        state, etag = self.store.load()
        result = BatchResult()
        for key, found in list(state.incidents.items()):
            if now.timestamp() - found.seen >= SILENT_SECONDS:
                result.changes.append(IncidentChange("ended", found.incident))
                del state.incidents[key]
        state.outbox.changes += result.changes
        if result.changes:
            # Whoever was faster has closed them, or found that they go on.
            with suppress(ConditionFailed):
                etag = self.store.save(state, etag)
                batch.report.results.append(result)
                self._deliver(state, etag, batch)
        else:
            self._deliver(state, etag, batch)
        return batch

    def _scored(
        self, decoded: Sequence[Decoded], has_time: Callable[[], bool], batch: TableBatch
    ) -> list[Scored]:
        """Return what is scored, in its order. At the first error, its rows and those after them fail."""
        rows = [
            (each, csv_line(each.content.values))
            for each in decoded
            if isinstance(each.content, Record)
        ]
        found: dict[str, Scored] = {}
        place = 0
        try:
            for variant, scores in self.endpoint.score([line for _, line in rows], has_time):
                cutoff = self.cutoffs.get(variant)
                batch.variants.add(variant)
                for (each, _), score in zip(rows[place:], scores, strict=False):
                    found[each.change.id] = Scored(each, score, cutoff)
                place += len(scores)
        except CutwatchError as error:
            batch.report.errors.append(error)
            batch.failed = [each.change for each, _ in rows[place:]]
        lost = {each.id for each in batch.failed}
        return [
            found.get(each.change.id) or Scored(each, 0.0, None)
            for each in decoded
            if each.change.id not in lost
        ]

    def _commit(self, scored: Sequence[Scored], batch: TableBatch) -> None:
        """Apply what is scored to the state; after a lost race, to the state that the winner wrote."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(ConditionFailed):
                return self._apply(scored, batch)
        return self._apply(scored, batch)

    def _apply(self, scored: Sequence[Scored], batch: TableBatch) -> None:
        state, etag = self.store.load()
        if scored:
            state.outbox.forget_old_rows(scored[-1].decoded.change.raw.arrival)
        result = self._result(state, scored)
        if self.keeps_rows:
            state.outbox.rows += [row_payload(self.table, row) for row in result.rows]
        if state.is_changed or (result.rows and self.keeps_rows):
            etag = self.store.save(state, etag)
        batch.report.results.append(result)
        self._deliver(state, etag, batch)

    def _result(self, state: TableState, scored: Sequence[Scored]) -> BatchResult:
        result = BatchResult(read=len(scored))
        detection = TableDetection(self.table)
        for (change, content), score, cutoff in scored:
            if change.id in state.applied:
                result.duplicates += 1
            elif isinstance(content, Rejected):
                state.apply(change.id, change.raw.arrival)
                result.rejected.append(content)
                state.outbox.rejected.append(DeadLetter(content, change.raw))
            elif cutoff is not None:
                result.accepted += 1
                row = detection.row(state, content, score, cutoff, result.changes)
                result.rows.append(row)
                if row.incident:
                    state.apply(change.id, change.raw.arrival)
                    state.incidents[row.key].seen = change.raw.arrival
        state.outbox.changes += result.changes
        return result

    def _deliver(self, state: TableState, etag: str | None, batch: TableBatch) -> None:
        """Deliver the outbox, and write the state without it: another environment must not deliver it again."""
        if not state.outbox:
            return
        try:
            self.deliver(state.outbox)
        except CutwatchError as undelivered:
            batch.report.undelivered.append(undelivered)
        with suppress(CutwatchError):
            self.store.save(state, etag)
