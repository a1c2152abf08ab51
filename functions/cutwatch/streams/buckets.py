"""Division of a stream's keys into buckets: the keys of a bucket share one stored object.

A bucket is a range of the MD5 hashes by which Kinesis assigns partition keys to shards, so where the record's key is the
partition key, the records of a bucket come from one shard at a time.
"""

import hashlib
import math

from cutwatch.detectors.stream import Stream
from cutwatch.detectors.stream_window import most_values

# Measured with krcf: bytes of a stored forest per tree and sampled row, and per value of a row.
_ROW_BYTES, _VALUE_BYTES = 33, 11
# Measured: a key's latest rows and traffic, where its model is behind an endpoint.
_STATE_OF_ENDPOINT_BYTES = 64 * 1024
# A value of an open window as JSON.
_WINDOW_VALUE_BYTES = 20
# The means of a column's profile, 28 days of 288, its table, 7 days of 288, and 512 residuals.
_PROFILE_BYTES = 8 * (28 * 288 + 7 * 288 + 512)
_LARGEST_OBJECT = 8 * 1024 * 1024
_MOST_BUCKETS = 4_096
# Hashing spreads keys unevenly: a bucket takes this many standard deviations more than its share.
_SPREAD = 5


def key_bytes(stream: Stream) -> int:
    """Return the approximate largest size of a key's stored state: its forest and its open windows."""
    if stream.is_scored_by_endpoint:
        return _STATE_OF_ENDPOINT_BYTES
    settings = stream.forest
    values = len(stream.columns) * settings.shingle_size
    forest = settings.trees * settings.sample_size * (_ROW_BYTES + _VALUE_BYTES * values)
    if stream.feature_names:
        forest = forest * len(stream.feature_names) + _PROFILE_BYTES * len(stream.columns)
    return forest + _WINDOW_VALUE_BYTES * most_values(stream.window, len(stream.record.values))


def bucket_count(stream: Stream) -> int:
    """Return the number of buckets, a power of two: as few as keep a bucket's object below about 8 MB."""
    if not stream.record.key:
        return 1
    objects = stream.keys.limit * key_bytes(stream) / _LARGEST_OBJECT
    return int(min(2 ** math.ceil(math.log2(max(objects, 1))), _MOST_BUCKETS))


def bucket_of(key: str, buckets: int) -> int:
    """Return the bucket of a key: the leading bits of its MD5 hash."""
    digest = hashlib.md5(key.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest) * buckets >> 128


def key_limit(stream: Stream, buckets: int) -> int:
    """Return the number of keys that a bucket takes."""
    share = stream.keys.limit / buckets
    if buckets == 1:
        return stream.keys.limit
    return min(math.ceil(share + _SPREAD * math.sqrt(share)), stream.keys.limit)
