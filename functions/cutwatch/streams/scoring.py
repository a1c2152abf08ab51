"""Scoring of a stream's records: decode, window, score, detect, learn, in their order, in batches of any size.

The result does not depend on how records are divided into batches, nor on whether states went through bytes in between.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidSetting
from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_features import FeatureRow
from cutwatch.streams.buckets import bucket_of, key_limit
from cutwatch.streams.detection import Detection, ScoredRow
from cutwatch.streams.incidents import IncidentChange, Origin
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.key_windows import KeyWindows
from cutwatch.streams.record import DeadLetter, RawRecord, Reason, Record, Rejected
from cutwatch.streams.record_reader import Reader, RecordReader
from cutwatch.streams.result_rows import row_payload
from cutwatch.streams.windows import ClosedWindow

if TYPE_CHECKING:
    from cutwatch.streams.detector_forest import DetectorForest
    from cutwatch.streams.trained_model import TrainedModel

_DAY = 86_400
# An incident of a key that has become silent ends after this time at least.
SILENT_SECONDS = 3_600


class Arrived(NamedTuple):
    """A record that was read from its lane, with the records of one bucket that it became.

    There are none if the preprocessor dropped it, and several if it divided it.
    """

    contents: tuple[Record | Rejected, ...]
    raw: RawRecord


@dataclass(slots=True)
class BatchResult:
    """Outcome of a batch: each of the `read` records is accepted, late, a duplicate, rejected or dropped.

    A preprocessor drops records, and may divide a record into several: `added` are those of a bucket beyond the first.
    `evicted` are keys whose state was removed to make room for a new key, `unaided` those that began without the forest of the declared
    detector, because it is missing, `events` the accepted log events with their
    features, each after its lane and position.
    """

    read: int = 0
    accepted: int = 0
    late: int = 0
    duplicates: int = 0
    dropped: int = 0
    added: int = 0
    rows: list[ScoredRow] = field(default_factory=list)
    changes: list[IncidentChange] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    evicted: list[str] = field(default_factory=list)
    unaided: int = 0
    events: list[tuple[Origin, FeatureRow]] = field(default_factory=list)
    rejected_arrivals: list[float] = field(default_factory=list)
    late_arrivals: list[float] = field(default_factory=list)


class StreamScorer:
    """The scoring of one stream; all that changes is in the buckets of its keys."""

    def __init__(
        self,
        stream: Stream,
        buckets: int = 1,
        reader: Reader | None = None,
        trained: "TrainedModel | None" = None,
        newest: "Callable[[], TrainedModel | None] | None" = None,
        *,
        by_lane: bool = True,
        first: "DetectorForest | None" = None,
        keeps_rows: bool = False,
    ) -> None:
        """Score with `trained`; `newest` returns the model that is current now, where that changes; new keys begin with `first`.

        Records are late behind their own lane, or, unless `by_lane`, behind all records of their key. `keeps_rows` puts every
        scored row into the outbox.
        """
        self.stream = stream
        self.buckets = buckets
        self.trained = trained
        self._newest = newest
        self._first = first
        self._key_limit = key_limit(stream, buckets)
        self._silence = max(SILENT_SECONDS, stream.notify.ends_after)
        self._reader: Reader = reader or RecordReader(stream)
        self.keeps_rows = keeps_rows
        self._detection = Detection(stream, trained, expects_all=keeps_rows)
        self._windows = KeyWindows(stream, by_lane=by_lane)

    def use(self, trained: "TrainedModel | None") -> None:
        """Score with another trained model from now on; keys take it with their next record."""
        if trained is not self.trained:
            self.trained = trained
            self._detection = Detection(self.stream, trained, expects_all=self.keeps_rows)

    def _enter_generation(self, bucket: KeyBucket) -> None:
        """Use the model of a bucket that another execution environment has scored with a newer one."""
        if self.trained is None:
            return
        if bucket.generation > self.trained.generation and self._newest is not None:
            self.use(self._newest())
        bucket.generation = max(bucket.generation, self.trained.generation)

    def _with_model(self, state: KeyState) -> KeyState:
        if self.trained is not None and state.model != self.trained.version:
            state.begin_again(self.stream, self.trained)
        elif self.trained is not None and self.stream.is_scored_by_endpoint:
            state.score_with(self.trained)
        return state

    def by_bucket(self, records: Sequence[RawRecord]) -> dict[int, list[Arrived]]:
        """Read records and divide them among the buckets of their keys, each in its order.

        A record that cannot be read, or that is dropped, belongs to the bucket of its partition key. Raises `CutwatchError`
        if the batch has to be tried again.
        """
        read = self._reader.read(records)
        if self.buckets == 1:
            return {0: [Arrived(contents, raw) for raw, contents in read]} if records else {}
        divided: dict[int, list[Arrived]] = {}
        for raw, contents in read:
            for number, part in self._parts(raw, contents):
                divided.setdefault(number, []).append(Arrived(part, raw))
        return divided

    def _parts(
        self, raw: RawRecord, contents: tuple[Record | Rejected, ...]
    ) -> Iterable[tuple[int, tuple[Record | Rejected, ...]]]:
        """Return the contents of a record by bucket."""
        parts: dict[int, tuple[Record | Rejected, ...]] = {}
        for content in contents:
            key = content.key if isinstance(content, Record) else raw.partition
            number = bucket_of(key, self.buckets)
            parts[number] = (*parts.get(number, ()), content)
        return parts.items() if parts else ((bucket_of(raw.partition, self.buckets), ()),)

    def score(self, bucket: KeyBucket, records: Sequence[Arrived]) -> BatchResult:
        """Score a bucket's records in their order and learn them; the bucket is changed in place.

        Incidents and rejected records are added to its outbox. A record at or before its lane's position is a duplicate.
        """
        result = BatchResult(read=len(records))
        self._enter_generation(bucket)
        apply = self._apply
        for contents, raw in records:
            if raw.position <= bucket.position(raw.lane):
                result.duplicates += 1
                continue
            bucket.move_on(raw.lane, raw.position, raw.arrival)
            if len(contents) != 1:
                result.dropped += not contents
                result.added += max(len(contents) - 1, 0)
            for content in contents:
                rejected = apply(bucket, content, raw.arrival, result)
                if rejected is not None:
                    result.rejected.append(rejected)
                    result.rejected_arrivals.append(raw.arrival)
                    bucket.outbox.rejected.append(DeadLetter(rejected, raw))
        self._settle(bucket, result)
        return result

    def _settle(self, bucket: KeyBucket, result: BatchResult) -> None:
        """Enter a batch into the bucket's totals and outbox, and what its keys have to close later."""
        for state in bucket.states.read():
            state.due = self._due(state)
        totals = bucket.totals
        totals.accepted += result.accepted
        totals.late += result.late
        totals.rejected += len(result.rejected)
        totals.dropped += result.dropped
        self._put_out(bucket, result)

    def _put_out(self, bucket: KeyBucket, result: BatchResult) -> None:
        bucket.outbox.changes += result.changes
        if self.keeps_rows:
            bucket.outbox.rows += [row_payload(self.stream, row) for row in result.rows]

    def close_silent(self, bucket: KeyBucket, now: float) -> BatchResult:
        """Close what is due at an epoch second by which every record that had arrived was applied.

        The event time of a silent key is taken to go on as the clock does. Records of windows that are closed here are late.
        """
        result = BatchResult()
        self._enter_generation(bucket)
        for due, key in bucket.states.due():
            if due > now:
                break
            state = bucket.states[key]
            # Only the function that asks an endpoint knows which model serves, and only windows would need it here.
            if not self.stream.is_scored_by_endpoint:
                state = self._with_model(state)
            time = state.newest + now - state.seen
            self._score(state, self._windows.close(state, time), result)
            if now >= self._silence_ends(state):
                _end_incident(state, result)
            state.due = self._due(state)
        self._put_out(bucket, result)
        return result

    def _due(self, state: KeyState) -> float:
        """Return when a key has something to close if it stays silent."""
        due = self._silence_ends(state) if state.incident else inf
        return min(due, state.seen + max(self._windows.next_close(state) - state.newest, 0))

    def _silence_ends(self, state: KeyState) -> float:
        """Return when silence ends a key's incident; not as long as empty windows are rows, which may be the incident."""
        if self.stream.window.missing_data == "zero" and self._windows.next_close(state) < inf:
            return inf
        return state.seen + self._silence

    def _apply(
        self, bucket: KeyBucket, content: Record | Rejected, arrival: float, result: BatchResult
    ) -> Rejected | None:
        """Apply a record to its key; return it if it is rejected."""
        if isinstance(content, Rejected):
            return content
        state = bucket.states.find(content.key) or self._new_state(bucket, content, result)
        if state is None:
            detail = f"{self._key_limit} keys have a forest already; see keys.limit"
            return Rejected(Reason.TOO_MANY_KEYS, detail, content.lane, content.position)
        if self.trained is not None:
            state = self._with_model(state)
        if self._learn(state, content, result):
            result.accepted += 1
        else:
            result.late += 1
            result.late_arrivals.append(arrival)
        state.seen = max(state.seen, arrival)
        return None

    def _new_state(self, bucket: KeyBucket, record: Record, result: BatchResult) -> KeyState | None:
        """Return the state of a new key, if there is room for it; idle keys make room."""
        states = bucket.states
        if len(states) >= self._key_limit:
            idle = record.time - self.stream.keys.idle_days * _DAY
            for key in sorted(key for key in states if states.newest(key) < idle):
                _end_incident(states[key], result)
                del states[key]
                result.evicted.append(key)
        if len(states) >= self._key_limit:
            return None
        first = self._first
        state = KeyState.of_new_key(self.stream, record.key, record.time, self.trained, first)
        result.unaided += first is not None and first.is_missing
        states[record.key] = state
        return state

    def _learn(self, state: KeyState, record: Record, result: BatchResult) -> bool:
        """Score and learn a record, or the windows that it closes; return False, and do nothing, if it is late."""
        event = None
        if record.event is not None:
            if self._windows.is_late(state, record):
                return False
            event = _features(self.trained, record.event, state)
            record = record._replace(values=event.values)
            result.events.append(((record.lane, record.position), event))
        rows = self._windows.add(state, record)
        if rows is None:
            return False
        if rows:
            self._score(state, rows, result, event)
        return True

    def _score(
        self,
        state: KeyState,
        rows: Iterable[ClosedWindow],
        result: BatchResult,
        event: FeatureRow | None = None,
    ) -> None:
        row = self._detection.row
        for time, values, origin in rows:
            result.rows.append(row(state, time, values, origin, result.changes, event))


def _features(trained: "TrainedModel | None", event: LogEvent, state: KeyState) -> FeatureRow:
    if trained is None or trained.features is None:
        raise InvalidSetting(
            "a log is scored with the features of its trained model, which is missing"
        )
    return trained.features.row(event, state.traffic)


def _end_incident(state: KeyState, result: BatchResult) -> None:
    if state.incident is not None:
        result.changes.append(IncidentChange("ended", state.incident))
        state.incident = None
