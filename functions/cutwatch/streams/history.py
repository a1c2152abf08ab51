"""Cold start: the forests learn past records from S3 before the first record of the stream is scored."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import ConditionFailed, MalformedObject
from cutwatch.observability import logger
from cutwatch.streams.key_bucket import KeyBucket, Totals
from cutwatch.streams.record import RawRecord
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore, VersionedBucket

LANE = "history"
_BATCH = 1_000


def learn(
    history: Bucket,
    prefix: str,
    store: StateStore,
    buckets: int,
    now: float,
    has_time: Callable[[], bool],
    reader: RecordReader | None = None,
) -> None:
    """Learn the lines of the objects below a prefix, in the order of their keys, and store the states.

    Objects are JSON lines or lines of CSV as the stream's records are; those that end in `.gz` are decompressed. It stops
    early when the time is over. Incidents of the past are not notified, and buckets that exist are left as they are.
    """
    scorer, learned = StreamScorer(store.stream, buckets, reader), dict[int, KeyBucket]()
    records, rejected = _records(history, prefix, now), 0
    while batch := list(islice(records, _BATCH)):
        for number, arrived in scorer.by_bucket(batch).items():
            bucket = learned.setdefault(number, KeyBucket.empty(store.stream, number))
            rejected += len(scorer.score(bucket, arrived).rejected)
            bucket.outbox.clear()
        if not has_time():
            logger.warning(
                "history is longer than the time to learn it", learned=batch[-1].position
            )
            break
    logger.info(
        "history learned",
        accepted=sum(each.totals.accepted for each in learned.values()),
        rejected=rejected,
    )
    for bucket in learned.values():
        _store(store, bucket)


def _store(store: StateStore, bucket: KeyBucket) -> None:
    for state in bucket.states.values():
        state.incident = None
    bucket.totals = Totals()
    with suppress(ConditionFailed):
        store.save(VersionedBucket(bucket, None))


def _records(history: Bucket, prefix: str, now: float) -> Iterator[RawRecord]:
    position = 0
    for listed in history.list(prefix):
        for line in _content(history, listed.key).splitlines():
            if line:
                position += 1
                yield RawRecord(line, LANE, position, now)


def _content(history: Bucket, key: str) -> bytes:
    content = history.read_bytes(key)
    if not key.endswith(".gz"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise MalformedObject(f"{history.uri(key)} is not a gzip file: {error}") from None
