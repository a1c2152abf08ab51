"""Scoring of a stream's records: decode, window, score, detect, learn, in their order, in batches of any size.

The result does not depend on how records are divided into batches, nor on whether states went through bytes in between.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field

from cutwatch.detectors.stream import Stream
from cutwatch.streams.detection import Detection, ScoredRow
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.key_windows import KeyWindows
from cutwatch.streams.preprocessing import Preprocessor
from cutwatch.streams.record import RawRecord, Reason, Record, Rejected
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.reference import Reference
from cutwatch.streams.windows import ClosedWindow

_DAY = 86_400


@dataclass(slots=True)
class BatchResult:
    """Outcome of a batch: each of the `read` records is accepted, late, a duplicate, rejected or dropped.

    A preprocessor drops records, and may divide a record into several: `added` are those beyond the first.
    `evicted` are keys whose state was removed to make room for a new key.
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


class StreamScorer:
    """The scoring of one stream; all that changes is in the states of its keys."""

    def __init__(
        self,
        stream: Stream,
        preprocessor: Preprocessor | None = None,
        reference: Reference | None = None,
    ) -> None:
        self.stream = stream
        self._reader = RecordReader(stream, preprocessor, reference)
        self._detection = Detection(stream)
        self._windows = KeyWindows(stream)

    def score(
        self, states: MutableMapping[str, KeyState], records: Sequence[RawRecord]
    ) -> BatchResult:
        """Score records in their order and learn them; `states` by key are changed, added and removed in place."""
        result = BatchResult(read=len(records))
        for _, contents in self._reader.read(records):
            if contents:
                result.added += len(contents) - 1
            else:
                result.dropped += 1
            for content in contents:
                self._take(states, content, result)
        return result

    def _take(
        self, states: MutableMapping[str, KeyState], content: Record | Rejected, result: BatchResult
    ) -> None:
        if isinstance(content, Rejected):
            result.rejected.append(content)
            return
        state = states.get(content.key) or self._new_state(states, content, result)
        if state is not None:
            self._apply(state, content, result)

    def close_idle(self, states: Iterable[KeyState], now: float) -> BatchResult:
        """Close the windows of keys that ended more than their allowed lateness before `now`, in epoch seconds.

        Records of these windows that come later are late, so `now` must not be ahead of a stream that is read with delay.
        """
        result = BatchResult()
        for state in states:
            self._score(state, self._windows.close(state, now), result)
        return result

    def next_close(self, state: KeyState) -> float:
        """Return the time in epoch seconds from which `close_idle` closes a window of this key; infinite without one."""
        return self._windows.next_close(state)

    def _new_state(
        self, states: MutableMapping[str, KeyState], record: Record, result: BatchResult
    ) -> KeyState | None:
        """Return the state of a new key; reject the record if there is no room for it."""
        keys = self.stream.keys
        if len(states) >= keys.limit:
            idle = record.time - keys.idle_days * _DAY
            evicted = [key for key, state in states.items() if state.newest < idle]
            for key in evicted:
                del states[key]
            result.evicted += sorted(evicted)
        if len(states) >= keys.limit:
            detail = f"{keys.limit} keys have a forest already; see keys.limit"
            rejected = Rejected(Reason.TOO_MANY_KEYS, detail, record.lane, record.position)
            result.rejected.append(rejected)
            return None
        state = KeyState.of_new_key(self.stream, record.key, record.time)
        states[record.key] = state
        return state

    def _apply(self, state: KeyState, record: Record, result: BatchResult) -> None:
        """Apply a record to its key, once."""
        if record.position <= state.applied.get(record.lane, -1):
            result.duplicates += 1
            return
        state.applied[record.lane] = record.position
        rows = self._windows.add(state, record)
        if rows is None:
            result.late += 1
            return
        result.accepted += 1
        self._score(state, rows, result)

    def _score(self, state: KeyState, rows: Iterable[ClosedWindow], result: BatchResult) -> None:
        row = self._detection.row
        for time, values, origin in rows:
            result.rows.append(row(state, time, values, origin, result.changes))
