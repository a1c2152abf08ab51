"""The stored state of the keys of a stream or of a table's forests, as the headers of its objects in S3 show it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, isfinite

from cutwatch.aws.s3 import Bucket, ListedObject
from cutwatch.errors import MalformedState
from cutwatch.streams.archive import LANE as HISTORY
from cutwatch.streams.key_bucket import BucketHeader
from cutwatch.streams.state_store import read_header

_LAYOUT = "layout.json"
# Beside the states: damaged ones, and the reports of a log.
_OTHERS = ("damaged", "reports")
_AT_ONCE = 8

Read = tuple[ListedObject, BucketHeader | MalformedState]


@dataclass(frozen=True)
class StreamState:
    """The state of the configuration that was written last.

    Counts are those of records since that configuration's first record. `newest` is the arrival of the newest record that
    was applied; of a table, which has no positions, its event time. `undelivered_since` is the time of the oldest outbox
    that is not empty, `configured` that of the configuration's first state, `replaced` are the configurations before it.
    """

    configuration: str = ""
    configured: datetime | None = None
    replaced: tuple[str, ...] = ()
    keys: int = 0
    applied: int = 0
    late: int = 0
    rejected: int = 0
    dropped: int = 0
    newest: datetime | None = None
    undelivered_since: datetime | None = None
    unreadable: tuple[str, ...] = ()


def read_state(bucket: Bucket, prefix: str) -> StreamState:
    """Read the state of the configurations below a prefix; an empty one before the first record."""
    listed: dict[str, list[ListedObject]] = defaultdict(list)
    for each in bucket.list(prefix):
        configuration, _, name = each.key.removeprefix(prefix).partition("/")
        if name and configuration not in _OTHERS:
            listed[configuration].append(each)
    if not listed:
        return StreamState()
    newest_first = sorted(listed, key=lambda name: _written(listed[name]), reverse=True)
    in_use = (name for name in newest_first if not _is_retired(bucket, listed[name]))
    current = next(in_use, newest_first[0]) if len(listed) > 1 else newest_first[0]
    replaced = [name for name in newest_first if name != current]
    return _state(current, replaced, listed[current], _headers(bucket, listed[current]))


def _written(objects: Iterable[ListedObject]) -> datetime:
    return max(each.modified for each in objects)


def _is_retired(bucket: Bucket, objects: Sequence[ListedObject]) -> bool:
    """Return True if the last write of a configuration ended its incidents, because another one had replaced it."""
    buckets = [each for each in objects if not each.key.endswith(_LAYOUT)]
    if not buckets:
        return False
    try:
        return read_header(bucket, max(buckets, key=lambda each: each.modified).key).is_retired
    except MalformedState:
        return False


def _headers(bucket: Bucket, objects: Sequence[ListedObject]) -> list[Read]:
    buckets = [each for each in objects if not each.key.endswith(_LAYOUT)]

    def read(listed: ListedObject) -> Read:
        try:
            return listed, read_header(bucket, listed.key)
        except MalformedState as error:
            return listed, error

    with ThreadPoolExecutor(_AT_ONCE) as readers:
        return list(readers.map(read, buckets))


def _state(
    current: str, replaced: Sequence[str], objects: Sequence[ListedObject], found: Sequence[Read]
) -> StreamState:
    headers = [(listed, each) for listed, each in found if isinstance(each, BucketHeader)]
    totals = [header.totals for _, header in headers]
    layout = [each.modified for each in objects if each.key.endswith(_LAYOUT)]
    newest = max((_newest(header) for _, header in headers), default=-inf)
    left = [listed.modified for listed, header in headers if header.has_outbox]
    return StreamState(
        configuration=current,
        configured=min(layout, default=None),
        replaced=tuple(replaced),
        keys=sum(header.keys for _, header in headers),
        applied=sum(each.applied for each in totals),
        late=sum(each.late for each in totals),
        rejected=sum(each.rejected for each in totals),
        dropped=sum(each.dropped for each in totals),
        newest=datetime.fromtimestamp(newest, UTC) if isfinite(newest) else None,
        undelivered_since=min(left, default=None),
        unreadable=tuple(
            f"{listed.key}: {error}" for listed, error in found if isinstance(error, MalformedState)
        ),
    )


def _newest(header: BucketHeader) -> float:
    """Return the newest arrival of a bucket's records, without positions the newest event time; -inf without either."""
    if not header.arrivals:
        return header.newest
    return max((at for lane, at in header.arrivals.items() if lane != HISTORY), default=-inf)
