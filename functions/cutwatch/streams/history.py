"""Cold start: the keys' models learn past records from S3 before the first record of the stream is scored."""

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from math import inf, nextafter
from typing import TYPE_CHECKING

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.stream import Stream
from cutwatch.errors import ConditionFailed
from cutwatch.observability import logger
from cutwatch.streams.archive import oldest_first
from cutwatch.streams.key_bucket import KeyBucket, Totals
from cutwatch.streams.record import Record
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.scoring import Arrived, StreamScorer
from cutwatch.streams.state_store import StateStore, VersionedBucket

if TYPE_CHECKING:
    from cutwatch.streams.detector_forest import DetectorForest
    from cutwatch.streams.trained_model import TrainedModel

_BATCH = 1_000


def learn(
    history: Bucket,
    prefix: str,
    store: StateStore,
    buckets: int,
    now: float,
    has_time: Callable[[], bool],
    reader: RecordReader | None = None,
    trained: "TrainedModel | None" = None,
    first: "DetectorForest | None" = None,
) -> None:
    """Learn the lines of the objects below a prefix, in the order of their keys, and store the states.

    Objects have one record per line, as the stream's records are; those that end in `.gz` are decompressed. A trained model has
    learned the records up to the end of its training, and so has the forest of a detector, so keys begin with those after it. Records whose key Kafka has, and not
    the line, belong to no key here: such a stream begins with its trained model alone. It stops early when the time is over.
    Incidents of the past are not notified, and buckets that exist are left as they are.
    """
    if _lacks_keys(store.stream):
        logger.info("history not learned", reason="its lines do not have Kafka's keys")
        return
    # Nothing of the past is notified, so an endpoint is not asked.
    scorer = StreamScorer(
        store.stream, buckets, reader, trained and trained.unscored(), first=first
    )
    learned = dict[int, KeyBucket]()
    # Of an earlier attempt that ended while it stored them; another one must not take as long.
    stored = {each.number for each in store.stored()}
    since = (trained.fitted.trained_until if trained else None) or _learned_until(first)
    records, rejected = oldest_first(history, prefix, now), 0
    while batch := list(islice(records, _BATCH)):
        divided = scorer.by_bucket(batch)
        for number, arrived in ((n, divided[n]) for n in divided if n not in stored):
            bucket = learned.setdefault(number, KeyBucket.empty(store.stream, number))
            later = [each for each in arrived if not _is_before(each, since)]
            rejected += len(scorer.score(bucket, later).rejected)
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


def _learned_until(first: "DetectorForest | None") -> float:
    """Return the newest time that the forest of a detector may have learned."""
    return -inf if first is None or first.is_missing else nextafter(first.through, -inf)


def _lacks_keys(stream: Stream) -> bool:
    return stream.log is not None and stream.log.is_keyed_by_kafka


def _is_before(arrived: Arrived, since: float) -> bool:
    """Return True if every record that a line became is one of the training."""
    contents = arrived.contents
    return all(isinstance(each, Record) and each.time <= since for each in contents)


def _store(store: StateStore, bucket: KeyBucket) -> None:
    for state in bucket.states.values():
        state.incident = None
    bucket.totals = Totals()
    with suppress(ConditionFailed):
        store.save(VersionedBucket(bucket, bucket.number, None))
