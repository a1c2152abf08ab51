"""Scoring of a stream's records: decode, window, score, detect, learn, in their order, in batches of any size.

The result does not depend on how records are divided into batches, nor on whether states went through bytes in between.
"""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field

from cutwatch.detectors.stream import Stream
from cutwatch.streams.decoding import Decoder
from cutwatch.streams.detection import Detection, ScoredRow
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.key_windows import KeyWindows
from cutwatch.streams.record import RawRecord, Reason, Record, Rejected
from cutwatch.streams.windows import ClosedWindow

_DAY = 86_400


@dataclass(slots=True)
class BatchResult:
    """Outcome of a batch: each of the `read` records is accepted, late, a duplicate or rejected.

    `evicted` are keys whose state was removed to make room for a new key.
    """

    read: int = 0
    accepted: int = 0
    late: int = 0
    duplicates: int = 0
    rows: list[ScoredRow] = field(default_factory=list)
    changes: list[IncidentChange] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    evicted: list[str] = field(default_factory=list)


class StreamScorer:
    """The scoring of one stream; all that changes is in the states of its keys."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._decoder = Decoder(stream.record, stream.time_zone)
        self._detection = Detection(stream)
        self._windows = KeyWindows(stream)

    def score(
        self, states: MutableMapping[str, KeyState], records: Iterable[RawRecord]
    ) -> BatchResult:
        """Score records in their order and learn them; `states` by key are changed, added and removed in place."""
        result = BatchResult()
        decode = self._decoder.decode
        for raw in records:
            result.read += 1
            record = decode(raw)
            if isinstance(record, Record):
                state = states.get(record.key) or self._new_state(states, record, result)
                if state is not None:
                    self._apply(state, record, result)
            else:
                result.rejected.append(record)
        return result

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
