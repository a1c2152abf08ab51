"""From raw records to decoded ones: preprocessing, then decoding with reference data."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from cutwatch.detectors.stream import Stream
from cutwatch.streams.decoding import Decoder
from cutwatch.streams.log_decoding import LogDecoder
from cutwatch.streams.preprocessing import Preprocessed, Preprocessor
from cutwatch.streams.record import PART, RawRecord, Record, Rejected
from cutwatch.streams.reference import Reference, ReferenceJoin

# A raw record with the records that it became: none if the preprocessor dropped it, several if it divided it.
ReadRecord = tuple[RawRecord, tuple[Record | Rejected, ...]]


class Reader(Protocol):
    """Whatever turns a batch of raw records into decoded ones."""

    def read(self, records: Sequence[RawRecord]) -> Iterator[ReadRecord]:
        """Yield the records in their order. Raises `CutwatchError` before the first if the batch has to be tried again."""
        ...


class RecordReader:
    """Reading of one stream's records."""

    def __init__(
        self,
        stream: Stream,
        preprocessor: Preprocessor | None = None,
        reference: Reference | None = None,
    ) -> None:
        self._lacks = bool(
            (stream.preprocess and preprocessor is None)
            or (stream.reference.s3 and reference is None)
        )
        declared = stream.reference
        join = (
            ReferenceJoin(reference, declared.place, declared.columns, declared.required)
            if reference
            else None
        )
        self._decode = (
            LogDecoder(stream.log, stream.time_zone).decode
            if stream.log
            else Decoder(stream.record, stream.time_zone, join).decode
        )
        self._preprocessor = preprocessor
        self._reference = reference

    def read(self, records: Sequence[RawRecord]) -> Iterator[ReadRecord]:
        """Yield the records in their order. Raises `CutwatchError` before the first if the batch has to be tried again."""
        if self._lacks:
            raise ValueError(
                "the stream declares a preprocessor or reference data, and has not got them"
            )
        if self._reference is not None:
            self._reference.refresh()
        if self._preprocessor is None:
            decode = self._decode
            for raw in records:
                yield raw, (decode(raw),)
            return
        outcomes = self._preprocessor.process(records)
        for raw, outcome in zip(records, outcomes, strict=True):
            yield raw, self._decoded(raw, outcome)

    def _decoded(self, raw: RawRecord, outcome: Preprocessed) -> tuple[Record | Rejected, ...]:
        """Return the decoded contents of a record; each after the first has a lane of its own, so that its rows do."""
        if outcome.rejected:
            return (outcome.rejected,)
        lanes = (raw, *(raw._replace(lane=f"{raw.lane}{PART}{n}") for n in range(1, len(outcome.contents))))  # fmt: skip
        return tuple(map(self._decode, lanes, outcome.contents))
