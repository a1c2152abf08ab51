"""Backtest of a stream: the records of a file, scored by the code that scores a stream."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from cutwatch.detectors.stream import Stream
from cutwatch.detectors.templates import Configuration
from cutwatch.errors import InvalidInput
from cutwatch.streams.buckets import bucket_count
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.incidents import Incident, IncidentChange
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.postprocessing import Postprocessor
from cutwatch.streams.record import RawRecord, Reason, Rejected
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import BatchResult, StreamScorer
from cutwatch_cli.streams.payloads import incident_payload
from cutwatch_cli.streams.stream_functions import NO_FUNCTIONS, StreamFunctions


@dataclass(slots=True)
class StreamBacktest:
    """Counts of a backtest, and its incidents by id in the order in which they began.

    Rows are records, or windows of records. `examples` has the first rejected record of each reason.
    """

    stream: Stream
    postprocessor: Postprocessor | None = None
    read: int = 0
    accepted: int = 0
    late: int = 0
    dropped: int = 0
    added: int = 0
    scored: int = 0
    learning: int = 0
    keys: int = 0
    evicted: int = 0
    open_windows: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, Rejected] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def to_payload(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "stream": self.stream.name,
            "read": self.read,
            "accepted": self.accepted,
            "late": self.late,
            "dropped": self.dropped,
            "added": self.added,
            "rejected": {reason.value: count for reason, count in self.rejected.most_common()},
            "scored": self.scored,
            "learning": self.learning,
            "keys": self.keys,
            "evicted": self.evicted,
            "open_windows": self.open_windows,
            "incidents": [
                self._extended(incident_payload(each, ended=each.id in self.ended))
                for each in self.incidents.values()
            ],
        }

    def _extended(self, payload: dict[str, Any]) -> dict[str, Any]:
        return self.postprocessor.extended(payload) if self.postprocessor else payload


def find_stream(configuration: Configuration, name: str) -> Stream:
    """Return the stream of this name. Raises `InvalidInput` with the nearest name."""
    streams = {stream.name: stream for stream in configuration.streams}
    if name in streams:
        return streams[name]
    near = get_close_matches(name, streams, n=1)
    known = (
        f"did you mean {near[0]!r}?" if near else f"the streams are: {', '.join(streams) or 'none'}"
    )
    raise InvalidInput(f"{name!r} is not a stream of the file; {known}")


def backtest_stream(
    stream: Stream,
    batches: Iterable[list[RawRecord]],
    write: Callable[[list[ScoredRow]], None],
    functions: StreamFunctions = NO_FUNCTIONS,
) -> StreamBacktest:
    """Score the batches in their order; `write` receives the rows of each."""
    reader = RecordReader(stream, functions.preprocessor, functions.reference)
    scorer = StreamScorer(stream, bucket_count(stream), reader, first=functions.first)
    buckets = dict[int, KeyBucket]()
    backtest = StreamBacktest(stream, functions.postprocessor)
    for batch in batches:
        for number, arrived in scorer.by_bucket(batch).items():
            bucket = buckets.setdefault(number, KeyBucket.empty(stream, number))
            result = scorer.score(bucket, arrived)
            bucket.outbox.clear()
            _count(backtest, result)
            write(result.rows)
    states = [state for bucket in buckets.values() for state in bucket.states.values()]
    for state in states:
        # What the last batch added to open incidents is not a change.
        if state.incident is not None:
            backtest.incidents[state.incident.id] = state.incident
    backtest.keys = len(states)
    backtest.open_windows = sum(state.windows.open for state in states)
    return backtest


def _count(backtest: StreamBacktest, result: BatchResult) -> None:
    learning = sum(row.learning for row in result.rows)
    backtest.read += result.read
    backtest.accepted += result.accepted
    backtest.late += result.late
    backtest.dropped += result.dropped
    backtest.added += result.added
    backtest.learning += learning
    backtest.scored += len(result.rows) - learning
    backtest.evicted += len(result.evicted)
    for rejected in result.rejected:
        backtest.rejected[rejected.reason] += 1
        backtest.examples.setdefault(rejected.reason, rejected)
    for change in result.changes:
        _follow(backtest, change)


def _follow(backtest: StreamBacktest, change: IncidentChange) -> None:
    backtest.incidents[change.incident.id] = change.incident
    if change.kind == "ended":
        backtest.ended.add(change.incident.id)
