"""Scoring of a stream's records: decode, window, score, detect, learn, in their order, in batches of any size.

The result does not depend on how records are divided into batches, nor on whether states went through bytes in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidSetting
from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_features import FeatureRow
from cutwatch.streams.buckets import bucket_of, key_limit
from cutwatch.streams.decoding import Decoder
from cutwatch.streams.detection import Detection, ScoredRow
from cutwatch.streams.incidents import IncidentChange, Origin
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.log_decoding import LogDecoder
from cutwatch.streams.record import DeadLetter, RawRecord, Reason, Record, Rejected
from cutwatch.streams.trained_model import TrainedModel
from cutwatch.streams.windows import TumblingWindows

_DAY = 86_400
# An incident of a key that has become silent ends after this time.
SILENT_SECONDS = 3_600


class Arrived(NamedTuple):
    """A record that was read from its lane, with what was decoded of it."""

    content: Record | Rejected
    raw: RawRecord


@dataclass(slots=True)
class BatchResult:
    """Outcome of a batch: each of the `read` records is accepted, late, a duplicate or rejected.

    `evicted` are keys whose state was removed to make room for a new key, `events` the accepted log events with their
    features, each after its lane and position.
    """

    read: int = 0
    accepted: int = 0
    late: int = 0
    duplicates: int = 0
    rows: list[ScoredRow] = field(default_factory=list)
    changes: list[IncidentChange] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    evicted: list[str] = field(default_factory=list)
    events: list[tuple[Origin, FeatureRow]] = field(default_factory=list)
    rejected_arrivals: list[float] = field(default_factory=list)
    late_arrivals: list[float] = field(default_factory=list)


class StreamScorer:
    """The scoring of one stream; all that changes is in the buckets of its keys."""

    def __init__(
        self, stream: Stream, buckets: int = 1, trained: TrainedModel | None = None
    ) -> None:
        self.stream = stream
        self.buckets = buckets
        self.trained = trained
        self._key_limit = key_limit(stream, buckets)
        self._decoder: Decoder | LogDecoder = (
            LogDecoder(stream.log, stream.time_zone)
            if stream.log
            else Decoder(stream.record, stream.time_zone)
        )
        self._detection = Detection(stream, trained)
        window = stream.window
        self._lateness = window.allowed_lateness
        self._windows = (
            TumblingWindows(window.size, window.statistics, tuple(stream.record.values))
            if window.size
            else None
        )

    def by_bucket(self, records: Iterable[RawRecord]) -> dict[int, list[Arrived]]:
        """Decode records and divide them among the buckets of their keys, each in its order.

        A record that cannot be read belongs to the bucket of its partition key.
        """
        divided: dict[int, list[Arrived]] = {}
        decode, buckets = self._decoder.decode, self.buckets
        for raw in records:
            content = decode(raw)
            key = content.key if isinstance(content, Record) else raw.partition
            number = bucket_of(key, buckets) if buckets > 1 else 0
            divided.setdefault(number, []).append(Arrived(content, raw))
        return divided

    def score(self, bucket: KeyBucket, records: Sequence[Arrived]) -> BatchResult:
        """Score a bucket's records in their order and learn them; the bucket is changed in place.

        Incidents and rejected records are added to its outbox. A record at or before its lane's position is a duplicate.
        """
        result = BatchResult(read=len(records))
        for content, raw in records:
            if raw.position <= bucket.position(raw.lane):
                result.duplicates += 1
                continue
            bucket.move_on(raw.lane, raw.position, raw.arrival)
            late = result.late
            rejected = self._apply(bucket, content, raw.arrival, result)
            if result.late > late:
                result.late_arrivals.append(raw.arrival)
            if rejected is not None:
                result.rejected.append(rejected)
                result.rejected_arrivals.append(raw.arrival)
                bucket.outbox.rejected.append(DeadLetter(rejected, raw))
        totals = bucket.totals
        totals.accepted += result.accepted
        totals.late += result.late
        totals.rejected += len(result.rejected)
        bucket.outbox.changes += result.changes
        return result

    def close_silent(self, bucket: KeyBucket, now: float) -> BatchResult:
        """Close what is due at an epoch second by which every record that had arrived was applied.

        The event time of a silent key is taken to go on as the clock does. Records of windows that are closed here are late.
        """
        result = BatchResult()
        for due, key in bucket.states.due():
            if due > now:
                break
            state = bucket.states[key]
            self._close_windows(state, state.newest + now - state.seen, result)
            if now - state.seen >= SILENT_SECONDS:
                _end_incident(state, result)
            state.due = self._due(state)
        bucket.outbox.changes += result.changes
        return result

    def _close_windows(self, state: KeyState, time: float, result: BatchResult) -> None:
        """Turn the windows that end before a key's event time, less the lateness, into rows."""
        if self._windows is None:
            return
        for start, closed in self._windows.close(state.windows, time - self._lateness):
            row = self._detection.row(state, start, closed, ("tumbling", start), result.changes)
            result.rows.append(row)
            state.newest = max(state.newest, start + self._windows.size + self._lateness)

    def _due(self, state: KeyState) -> float:
        """Return when a key has something to close if it stays silent."""
        due = state.seen + SILENT_SECONDS if state.incident else inf
        if self._windows is None or not state.windows:
            return due
        end = min(state.windows) + self._windows.size + self._lateness
        return min(due, state.seen + max(end - state.newest, 0))

    def _apply(
        self, bucket: KeyBucket, content: Record | Rejected, arrival: float, result: BatchResult
    ) -> Rejected | None:
        """Apply a record to its key; return it if it is rejected."""
        if isinstance(content, Rejected):
            return content
        state = bucket.states.get(content.key) or self._new_state(bucket, content, result)
        if state is None:
            detail = f"{self._key_limit} keys have a forest already; see keys.limit"
            return Rejected(Reason.TOO_MANY_KEYS, detail, content.lane, content.position)
        self._learn(state, content, result)
        state.seen = max(state.seen, arrival)
        state.due = self._due(state)
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
        state = KeyState.of_new_key(self.stream, record.key, record.time, self.trained)
        states[record.key] = state
        return state

    def _learn(self, state: KeyState, record: Record, result: BatchResult) -> None:
        """Score and learn a record, or the windows that it closes, unless it is late."""
        _, time, values, lane, position, event = record
        if time < state.newest - self._lateness:
            result.late += 1
            return
        result.accepted += 1
        state.newest = max(state.newest, time)
        explained = None
        if event is not None:
            explained = _features(self.trained, event, state)
            values = explained.values
            result.events.append(((lane, position), explained))
        if self._windows is None:
            row = self._detection.row(
                state, time, values, (lane, position), result.changes, explained
            )
            result.rows.append(row)
            return
        self._windows.add(state.windows, time, values)
        self._close_windows(state, state.newest, result)


def _features(trained: TrainedModel | None, event: LogEvent, state: KeyState) -> FeatureRow:
    if trained is None or trained.features is None:
        raise InvalidSetting(
            "a log is scored with the features of its trained model, which is missing"
        )
    return trained.features.row(event, state.traffic)


def _end_incident(state: KeyState, result: BatchResult) -> None:
    if state.incident is not None:
        result.changes.append(IncidentChange("ended", state.incident))
        state.incident = None
