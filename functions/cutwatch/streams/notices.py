"""Notices to operators about what was lost or replaced."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from zlib import crc32

from cutwatch.errors import ConditionFailed
from cutwatch.streams.detector_forest import DetectorForest
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.outbox import Notice
from cutwatch.streams.record import RawRecord
from cutwatch.streams.state_store import StateStore
from cutwatch.timestamps import format_timestamp

# Pauses between two records of a shard that are no loss.
_PAUSE_SECONDS = 60.0

# Returns True if records that arrived shortly before an epoch second have left the stream by now.
HasExpired = Callable[[float], bool]


def expiry_notice(bucket: KeyBucket, first: RawRecord, has_expired: HasExpired) -> Notice | None:
    """Return the notice that records of a shard may have expired unread before the first of a batch, if so.

    Sequence numbers have gaps, so a loss is not certain: the first record that is left is as old as the stream keeps any.
    """
    last = bucket.applied.get(first.lane)
    if last is None or first.arrival - last[1] <= _PAUSE_SECONDS or not has_expired(first.arrival):
        return None
    since, until = (
        format_timestamp(datetime.fromtimestamp(each, UTC)) for each in (last[1], first.arrival)
    )
    text = (
        f"records of {first.lane} that arrived between {since} and {until} may have expired before they were read; "
        "the forests continue with those that are left"
    )
    return Notice(f"expired:{first.lane}:{until[:13]}", "records lost", text)


def announce_configuration(store: StateStore) -> None:
    """Put a notice into the first bucket if states of another configuration exist, which begin from scratch with this one."""
    others = store.other_configurations()
    if not others:
        return
    text = (
        f"the entry now has configuration {store.stream.fingerprint}; its forests start from scratch, and open incidents of the "
        f"configurations before ({', '.join(others)}) end in a few minutes"
    )
    _announce(
        store, Notice(f"configuration:{store.stream.fingerprint}", "configuration changed", text)
    )


def announce_missing_forest(store: StateStore, first: DetectorForest | None) -> None:
    """Put a notice into the first bucket if the forest of a detector that keys should begin with is missing."""
    if first is None or not first.is_missing:
        return
    text = (
        f"keys begin with nothing, not with the forest of detector {first.detector!r}: {first.reason}. Each is mute for its first "
        f"{store.stream.forest.sample_size} rows; docs/streams.md, Try again after a missing forest, says what to do"
    )
    identity = f"cold-start:{store.stream.fingerprint}:{crc32(first.reason.encode()):08x}"
    _announce(store, Notice(identity, "no cold start", text))


def _announce(store: StateStore, notice: Notice) -> None:
    taken = store.load(0)
    if notice not in taken.bucket.outbox.notices:
        taken.bucket.outbox.notices.append(notice)
        with suppress(ConditionFailed):
            store.save(taken)
    store.forget(0)
