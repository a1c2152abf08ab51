"""Work of a stream's functions: batches, buckets of keys, seconds and requests per second."""

from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

from cutwatch.detectors.stream import KeySettings, Stream
from cutwatch.streams.buckets import bucket_count, key_bytes
from cutwatch_cli.cost.stream_assumptions import StreamAssumptions

# A synchronous payload of Lambda; records travel as base64, each with its metadata.
PAYLOAD_BYTES = 6 * 1_024 * 1_024
_RECORD_OVERHEAD = 500
# Objects in a page of a listing.
_PAGE = 1_000
_MB = 1e6


class Load(NamedTuple):
    """Records of a stream: per second, their keys, the shards, and the bytes of a record."""

    records_per_second: float
    keys: int = 1
    shards: int = 1
    record_bytes: float = 1_000


@dataclass(frozen=True)
class StreamWork:
    """Work of one stream with a batching window in seconds; rates are per second and over all shards.

    Keys are partition keys and equally frequent, so each shard has its share of keys and of buckets.
    """

    stream: Stream
    load: Load
    window: float
    assume: StreamAssumptions

    @property
    def batch(self) -> float:
        """Records in a batch."""
        encoded = self.load.record_bytes * 4 / 3 + _RECORD_OVERHEAD
        most = min(self.assume.batch_size, max(PAYLOAD_BYTES // encoded, 1))
        arriving = self.load.records_per_second / self.load.shards * max(self.window, 1)
        return min(max(arriving, 1), most)

    @property
    def batches(self) -> float:
        return self.load.records_per_second / self.batch

    @property
    def buckets(self) -> int:
        """Stored objects of the whole stream."""
        if self.load.keys == 1:
            return 1
        return bucket_count(replace(self.stream, keys=KeySettings(limit=self.load.keys)))

    @property
    def bucket_mb(self) -> float:
        return self.load.keys / self.buckets * key_bytes(self.stream) / _MB

    @property
    def keys_in_batch(self) -> float:
        return distinct(max(self.load.keys / self.load.shards, 1), self.batch)

    @property
    def writes(self) -> float:
        """Buckets that a batch writes."""
        return distinct(max(self.buckets / self.load.shards, 1), self.keys_in_batch)

    @property
    def reads(self) -> float:
        """Buckets that a batch reads: those that do not fit into memory, and some of the others."""
        needed = max(self.buckets / self.load.shards, 1) * self.bucket_mb
        in_memory = min(self.assume.cached_mb / needed, 1)
        return self.writes * (1 - in_memory * (1 - self.assume.rereads))

    @property
    def seconds(self) -> float:
        """Duration of a batch."""
        assume = self.assume
        scoring = self.batch * self._record_microseconds / 1e6
        state_mb = self.keys_in_batch * key_bytes(self.stream) / _MB
        reread = self.reads / self.writes
        packing = state_mb * (1 + reread) * assume.state_milliseconds_per_mb / 1e3
        call = assume.call_milliseconds / 1e3 + self.bucket_mb / assume.s3_mb_per_second
        calls = (self.writes + self.reads) * call / assume.s3_calls_at_once
        own = assume.batch_milliseconds / 1e3 + scoring + packing + calls
        return own + (self._endpoint_seconds if self.stream.is_scored_by_endpoint else 0)

    @property
    def _endpoint_seconds(self) -> float:
        """Time that a batch waits for the endpoint."""
        rows = self.batch * self.assume.endpoint_row_microseconds / 1e6
        return self.writes * self.assume.endpoint_milliseconds / 1e3 + rows

    @property
    def _record_microseconds(self) -> float:
        """Time of a record: decoding, features and score."""
        assume, stream = self.assume, self.stream
        trees = stream.forest.trees if stream.model == "random_cut_forest" else 0
        if stream.log is not None:
            return assume.log_record_microseconds + trees * assume.log_tree_microseconds
        mixed = self.load.keys / self.load.shards > 1
        tree = assume.mixed_tree_microseconds if mixed else assume.tree_microseconds
        forests = max(len(stream.feature_names), 1)
        return assume.record_microseconds + forests * trees * tree

    @property
    def busy(self) -> float:
        """Share of the time in which a shard's batches are scored; above 1, records wait ever longer."""
        return self.batches / self.load.shards * self.seconds

    @property
    def swept_headers(self) -> float:
        """Headers that a sweep reads: buckets that were written since the last one."""
        written = self.batches * self.writes * 3_600 / self.assume.sweeps_per_hour
        return distinct(self.buckets, written)

    @property
    def sweep_seconds(self) -> float:
        calls = self.listings + self.swept_headers
        return self.assume.sweep_seconds + calls * self.assume.call_milliseconds / 1e3

    @property
    def listings(self) -> int:
        return ceil((self.buckets + 1) / _PAGE)


def distinct(kinds: float, drawn: float) -> float:
    """Return the expected number of different kinds among a number drawn at random."""
    return min(kinds * (1 - (1 - 1 / kinds) ** drawn), drawn) if kinds > 1 else min(drawn, 1.0)
