"""Work of a table's functions: batches and seconds by endpoint and by forest, and what a training reads."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

from cutwatch.aws.limits import ENDPOINT_REQUEST_MAX_BYTES, READ_UNIT_BYTES
from cutwatch.detectors.stream import KeySettings
from cutwatch.detectors.watched_table import CHANGES_PER_FOREST, WatchedTable
from cutwatch.tables.forest_state import forest_buckets
from cutwatch.tables.scan import LONGEST_SCAN_SECONDS, MOST_BYTES, MOST_ITEMS
from cutwatch_cli.cost.stream_work import Load, StreamWork, distinct
from cutwatch_cli.cost.table_assumptions import TableAssumptions

_DAY_SECONDS = 86_400
_CHANGE_BYTES = 8
_MB = 1e6
# A scan reads with eventual consistency.
_BYTES_PER_UNIT = 2 * READ_UNIT_BYTES
_ITEMS_PER_GLUE_MINUTE = 2_000_000


@dataclass(frozen=True)
class EndpointWork:
    """Work of scoring by an endpoint, with a batching window in seconds; rates are per second and over all shards."""

    table: WatchedTable
    load: Load
    window: float
    assume: TableAssumptions

    @property
    def batch(self) -> float:
        """Changes in a batch."""
        stream = self.table.as_stream
        return StreamWork(stream, self.load, self.window, self.assume.of_streams).batch

    @property
    def batches(self) -> float:
        return self.load.records_per_second / self.batch

    @property
    def requests(self) -> float:
        """Requests of a batch to the endpoint."""
        return ceil(self.batch * self.assume.endpoint_row_bytes / ENDPOINT_REQUEST_MAX_BYTES)

    @property
    def endpoint_seconds(self) -> float:
        """Seconds of a batch in the endpoint."""
        assume = self.assume
        rows = self.batch * assume.endpoint_row_microseconds / 1e6
        return self.requests * assume.endpoint_milliseconds / 1e3 + rows

    @property
    def writes(self) -> float:
        """States that a batch writes: only one with anomalous or rejected changes does, and once more without its outbox."""
        return float(2 * (1 - (1 - self.assume.rejected_share) ** self.batch))

    @property
    def seconds(self) -> float:
        """Duration of a batch in the function, which waits for the endpoint."""
        assume = self.assume
        own = assume.batch_milliseconds / 1e3 + self.batch * assume.record_microseconds / 1e6
        return own + (1 + self.writes) * assume.call_milliseconds / 1e3 + self.endpoint_seconds

    @property
    def busy(self) -> float:
        """Share of the time in which a shard's batches are scored; above 1, changes wait ever longer."""
        return self.batches / self.load.shards * self.seconds


@dataclass(frozen=True)
class ForestWork(StreamWork):
    """Work of scoring by forests. Any shard has changes of any key, so batches that touch the same forests exclude each other."""

    table: WatchedTable

    @property
    def has_room(self) -> bool:
        """False if a day has more changes than the states can remember; `cutwatch validate` refuses such a table."""
        return self.load.records_per_second * _DAY_SECONDS <= self.load.keys * CHANGES_PER_FOREST

    @cached_property
    def buckets(self) -> int:
        """Stored objects of all forests."""
        changes = max(ceil(self.load.records_per_second * _DAY_SECONDS), 1)
        key = (self.table.key or "key") if self.load.keys > 1 else ""
        loaded = replace(
            self.table,
            key=key,
            allow_identifiers=True,
            keys=KeySettings(limit=self.load.keys),
            changes_per_day=min(changes, self.load.keys * CHANGES_PER_FOREST),
        )
        return forest_buckets(loaded)

    @property
    def bucket_mb(self) -> float:
        changes = self.load.records_per_second * _DAY_SECONDS * _CHANGE_BYTES
        return super().bucket_mb + changes / self.buckets / _MB

    @property
    def keys_in_batch(self) -> float:
        return distinct(self.load.keys, self.batch)

    @property
    def writes(self) -> float:
        return distinct(self.buckets, self.keys_in_batch)

    @property
    def reads(self) -> float:
        in_memory = min(self.assume.cached_mb / (self.buckets * self.bucket_mb), 1)
        return self.writes * (1 - in_memory * (1 - self.assume.rereads))

    @property
    def busy(self) -> float:
        """Share of the time in which batches are scored, one at a time; above 1, changes wait ever longer."""
        return self.batches * self.seconds


@dataclass(frozen=True)
class TrainingWork:
    """One training of a table with some items; `bytes` are those of all items."""

    items: int
    bytes: float
    assume: TableAssumptions

    @property
    def uses_glue(self) -> bool:
        """True for a table that a function refuses to read."""
        return self.items > MOST_ITEMS or self.bytes > MOST_BYTES

    @property
    def read_units(self) -> float:
        return 0.0 if self.uses_glue else self.bytes / _BYTES_PER_UNIT

    @property
    def preparation_seconds(self) -> float:
        """Duration of the function that reads the table, or only the summary of the Glue job."""
        if self.uses_glue:
            return 1.0
        reading = min(self.read_units / self.assume.read_units_per_second, LONGEST_SCAN_SECONDS)
        return max(reading, self.items * self.assume.item_microseconds / 1e6)

    @property
    def glue_hours(self) -> float:
        """Hours of data processing units."""
        if not self.uses_glue:
            return 0.0
        minutes = self.assume.glue_minutes + self.items / _ITEMS_PER_GLUE_MINUTE
        return self.assume.glue_workers * minutes / 60
