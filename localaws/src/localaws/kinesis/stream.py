"""A stream: its shards from their birth to their expiry, and the way of a record into one of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from localaws.api_response import ApiError
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.kinesis.sequence_numbers import is_of_stream, sequence_number, shard_of
from localaws.kinesis.shards import HASH_KEYS, Shard, StoredRecord

_SECONDS_PER_HOUR = 3600


@dataclass(eq=False)
class Stream:
    """Times are epoch seconds. `key` is the KMS key of an encrypted stream."""

    name: str
    arn: str
    created: float
    mode: str
    max_record_kib: int
    retention_hours: int = 24
    key: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    shards: dict[str, Shard] = field(default_factory=dict)
    _numbers: int = 0
    _births: int = 0

    def open_with(self, count: int, now: float) -> None:
        """Open the stream's first shards, with ranges of the same size."""
        for first, last in even_ranges(count):
            self._open(first, last, (), now)

    @property
    def open_shards(self) -> list[Shard]:
        """Return the open shards in the order of their hash ranges."""
        return sorted(
            (shard for shard in self.shards.values() if shard.is_open),
            key=lambda shard: shard.first_hash,
        )

    def children_of(self, shard: Shard) -> list[Shard]:
        return [child for child in self.shards.values() if shard.id in child.parents]

    def shard(self, shard_id: str) -> Shard:
        try:
            return self.shards[shard_id]
        except KeyError:
            raise ApiError(
                "ResourceNotFoundException",
                f"Shard {shard_id} in stream {self.name} under account {ACCOUNT_ID} does not exist",
            ) from None

    def shard_for(self, partition_key: str, explicit_hash_key: str | None) -> Shard:
        hash_key = hash_of(partition_key) if explicit_hash_key is None else int(explicit_hash_key)
        for shard in self.shards.values():
            if shard.is_open and shard.owns(hash_key):
                return shard
        raise ApiError(
            "InvalidArgumentException",
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {explicit_hash_key}",
        )

    def add(self, shard: Shard, partition_key: str, data: str, size: int, now: float) -> int:
        """Store a record and return its sequence number; raise if the shard takes no more within this second."""
        if not shard.writes.admits(now, size):
            raise self._throttled(shard)
        shard.writes.use(now, size)
        number = self._next_number(shard.index, now)
        shard.records.append(StoredRecord(number, partition_key, data, size, round(now, 3)))
        return number

    def check_read(self, shard: Shard, now: float) -> None:
        """Raise if the shard gives no more within this second."""
        if not shard.reads.admits(now):
            raise self._throttled(shard)

    def split(self, shard: Shard, at: int, now: float) -> None:
        """Close a shard and open two children; the second starts at hash key `at`."""
        self._check_open(shard)
        if not shard.first_hash < at <= shard.last_hash:
            raise ApiError(
                "InvalidArgumentException",
                f"NewStartingHashKey {at} used in SplitShard() on shard {shard.id} in stream "
                f"{self.name} under account {ACCOUNT_ID} is not both greater than one plus the "
                f"shard's StartingHashKey {shard.first_hash} and less than the shard's "
                f"EndingHashKey {shard.last_hash}.",
            )
        self._close(shard, now)
        self._open(shard.first_hash, at - 1, (shard.id,), now)
        self._open(at, shard.last_hash, (shard.id,), now)

    def merge(self, shard: Shard, adjacent: Shard, now: float) -> None:
        """Close two neighbours and open the child of both."""
        self._check_open(shard)
        self._check_open(adjacent)
        low, high = sorted((shard, adjacent), key=lambda each: each.first_hash)
        if low.last_hash + 1 != high.first_hash:
            raise ApiError(
                "InvalidArgumentException",
                f"Shards {shard.id} and {adjacent.id} in stream {self.name} under account "
                f"{ACCOUNT_ID} are not an adjacent pair of shards eligible for merging",
            )
        self._close(shard, now)
        self._close(adjacent, now)
        self._open(low.first_hash, high.last_hash, (shard.id, adjacent.id), now)

    def resize(self, count: int, now: float) -> None:
        """Split at every boundary of `count` even ranges, then merge what lies between two of them."""
        for first, last in even_ranges(count):
            around = next(shard for shard in self.open_shards if shard.owns(first))
            if around.first_hash != first:
                self.split(around, first, now)
            around = next(shard for shard in self.open_shards if shard.owns(last))
            if around.last_hash != last:
                self.split(around, last + 1, now)
            self._merge_within(first, last, now)

    def expire(self, now: float) -> None:
        """Drop records beyond retention, and closed shards that had none younger."""
        oldest = now - self.retention_hours * _SECONDS_PER_HOUR
        for shard in list(self.shards.values()):
            shard.expire(oldest)
            if shard.closed_at is not None and shard.closed_at < oldest:
                del self.shards[shard.id]

    def is_from(self, number: int, shard: Shard) -> bool:
        """Return whether a sequence number is one of this shard's."""
        return is_of_stream(number, int(self.created)) and shard_of(number) == shard.index

    def _merge_within(self, first: int, last: int, now: float) -> None:
        inside = [s for s in self.open_shards if first <= s.first_hash and s.last_hash <= last]
        while len(inside) > 1:
            self.merge(inside[0], inside[1], now)
            inside = [s for s in self.open_shards if first <= s.first_hash and s.last_hash <= last]

    def _open(self, first: int, last: int, parents: tuple[str, ...], now: float) -> None:
        index = self._births
        self._births += 1
        number = self._next_number(index, now)
        shard = Shard(index, first, last, number, now, parents)
        self.shards[shard.id] = shard

    def _close(self, shard: Shard, now: float) -> None:
        shard.last_number = self._next_number(shard.index, now)
        shard.closed_at = now

    def _check_open(self, shard: Shard) -> None:
        if not shard.is_open:
            raise ApiError(
                "ResourceInUseException",
                f"Shard {shard.id} in stream {self.name} under account {ACCOUNT_ID} has already "
                "been merged or split, and thus is not eligible for merging or splitting.",
            )

    def _next_number(self, shard: int, now: float) -> int:
        self._numbers += 1
        return sequence_number(int(self.created), self._numbers, int(now), shard)

    def _throttled(self, shard: Shard) -> ApiError:
        return ApiError(
            "ProvisionedThroughputExceededException",
            f"Rate exceeded for shard {shard.id} in stream {self.name} under account {ACCOUNT_ID}.",
        )


def even_ranges(count: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last hash key of `count` ranges of the same size."""
    for index in range(count):
        yield HASH_KEYS * index // count, HASH_KEYS * (index + 1) // count - 1


def hash_of(partition_key: str) -> int:
    return int.from_bytes(
        hashlib.md5(partition_key.encode(), usedforsecurity=False).digest(), "big"
    )
