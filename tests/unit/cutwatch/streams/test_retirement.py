from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.errors import ServiceFault
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.key_bucket import BucketHeader, KeyBucket
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.retirement import STILL_WRITTEN, RetiredBucket, Retirement
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.stream_state import Crash, FakeBucket
from tests.support.streams import a_stream, noise, records_of

OLD = a_stream()
NEW = a_stream(forest=ForestSettings(6, 40))
KEY = f"streams/sensors/{OLD.fingerprint}/0000"
WRITTEN = datetime(2026, 11, 2, tzinfo=UTC)
LATER = WRITTEN + STILL_WRITTEN + timedelta(seconds=1)
REASON = "another configuration"


@dataclass
class Shop:
    """A bucket in which the old configuration has a state, and the changes that were told, each once as the registry does."""

    bucket: FakeBucket = field(default_factory=lambda: FakeBucket(now=WRITTEN))
    told: list[tuple[str, str]] = field(default_factory=list)
    known: set[tuple[str, str]] = field(default_factory=set)
    deliver_fails: bool = False

    def score(self, values: list[float], stream: Stream = OLD, *, delivered: bool = True) -> None:
        deliver = self.deliver if delivered else fault
        scorer = BatchScorer(StreamScorer(stream), StateStore(self.bucket, stream), deliver)
        assert not scorer.score(records_of(values)).failed

    def deliver(self, outbox: Outbox) -> None:
        if self.deliver_fails:
            fault(outbox)
        while outbox.changes:
            change = outbox.changes[0]
            self.bucket.interrupt("deliver")
            told = (change.incident.id, change.kind)
            if told not in self.known:
                self.known.add(told)
                self.told.append((change.kind, change.reason))
            del outbox.changes[0]

    def retirement(self, current: Stream | None = NEW) -> Retirement:
        fingerprint = current.fingerprint if current else ""
        return Retirement(self.bucket, "streams/sensors/", fingerprint, REASON, self.deliver)

    def state(self) -> KeyBucket:
        return KeyBucket.from_bytes(self.bucket.objects[KEY][0], OLD)


def fault(_: Outbox) -> None:
    raise ServiceFault("Publish", "InternalError", "try again")


def run(retirement: Retirement, now: datetime = LATER) -> tuple[int, bool]:
    done = retirement.run(now, lambda: True)
    return done.incidents, done.is_settled and not done.errors


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.score([*noise(80), 90.0])
    assert shop.told == [("began", "")]
    return shop


def test_the_open_incident_of_a_replaced_configuration_ends_once_with_the_reason(
    shop: Shop,
) -> None:
    retirement = shop.retirement()

    assert run(retirement) == (1, True)
    assert run(retirement) == run(shop.retirement()) == (0, True)
    assert shop.told == [("began", ""), ("ended", REASON)]


def test_the_state_is_otherwise_as_it_was_so_that_a_rollback_continues(shop: Shop) -> None:
    before = shop.state().states["a"]
    run(shop.retirement())
    after = shop.state().states["a"]

    assert after.incident is None
    before.incident = None
    assert after.to_bytes(OLD) == before.to_bytes(OLD)
    shop.score([*noise(80), 90.0, 95.0])
    assert shop.told[2:] == [("began", "")]


def test_states_of_the_current_configuration_and_other_objects_are_left_alone(shop: Shop) -> None:
    shop.bucket.write_bytes("streams/sensors/damaged/0123456789ab-0000-1", b"damaged")
    shop.bucket.write_bytes("streams/sensors2/0123456789ab/0000", b"of another stream")
    assert run(shop.retirement(OLD)) == (0, True)
    assert shop.told == [("began", "")]


def test_all_configurations_of_a_stream_that_is_no_longer_declared_are_retired(shop: Shop) -> None:
    assert run(shop.retirement(None)) == (1, True)


def test_a_state_that_may_still_be_written_waits(shop: Shop) -> None:
    assert run(shop.retirement(), WRITTEN + STILL_WRITTEN) == (0, False)
    assert shop.told == [("began", "")]


def test_what_the_old_configuration_had_not_delivered_is_delivered_first() -> None:
    shop = Shop()
    shop.score([*noise(80), 90.0], delivered=False)
    run(shop.retirement())
    assert shop.told == [("began", ""), ("ended", REASON)]


def test_an_end_that_cannot_be_delivered_is_delivered_later(shop: Shop) -> None:
    retirement = shop.retirement()
    shop.deliver_fails = True
    done = retirement.run(LATER, lambda: True)
    assert [type(error) for error in done.errors] == [ServiceFault]

    shop.deliver_fails, shop.bucket.now = False, LATER
    assert run(retirement, LATER + STILL_WRITTEN * 2) == (1, True)
    assert shop.told == [("began", ""), ("ended", REASON)]


def test_nothing_begins_once_the_time_is_over(shop: Shop) -> None:
    assert not shop.retirement().run(LATER, lambda: False).is_settled
    assert shop.told == [("began", "")]


def test_a_state_in_which_nothing_is_open_is_not_rewritten() -> None:
    shop = Shop()
    shop.score(noise(80))
    writes = shop.bucket.writes
    assert run(shop.retirement()) == (0, True)
    assert shop.bucket.writes == writes


def test_a_damaged_state_is_looked_at_once(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    content = shop.bucket.objects[KEY][0]
    shop.bucket.write_bytes(KEY, content[:-1] + b"?")
    retirement = shop.retirement()

    assert run(retirement) == run(retirement) == (0, True)
    assert caplog.messages.count("incidents of a replaced configuration unknown") == 1


def test_a_function_of_the_old_configuration_that_was_faster_is_not_overwritten(shop: Shop) -> None:
    def write_meanwhile(name: str) -> None:
        if name == "write before":
            shop.bucket.interrupt = lambda _: None
            shop.score([*noise(80), 90.0, 95.0])

    shop.bucket.interrupt = write_meanwhile
    retirement = shop.retirement()
    assert run(retirement) == (0, False)
    assert [kind for kind, _ in shop.told] == ["began"]
    assert shop.state().states["a"].incident is not None
    assert run(retirement) == (1, True)


@pytest.mark.parametrize("number", range(12))
def test_a_crash_at_any_call_leaves_an_end_that_is_told(shop: Shop, number: int) -> None:
    calls = count()
    undisturbed = shop.state().states["a"]

    def crash(_: str) -> None:
        if next(calls) == number:
            raise Crash

    shop.bucket.interrupt = crash
    with suppress(Crash):
        run(shop.retirement())
    shop.bucket.interrupt = lambda _: None
    assert run(shop.retirement())[1]

    assert shop.told == [("began", ""), ("ended", REASON)]
    undisturbed.incident = None
    assert shop.state().states["a"].to_bytes(OLD) == undisturbed.to_bytes(OLD)


def test_a_retired_bucket_is_the_same_after_it_went_through_bytes(shop: Shop) -> None:
    content = shop.bucket.objects[KEY][0]
    bucket = RetiredBucket.from_bytes(content)
    again = RetiredBucket.from_bytes(bucket.to_bytes())

    assert again.states == bucket.states
    assert KeyBucket.from_bytes(bucket.to_bytes(), OLD).applied == shop.state().applied
    header = BucketHeader.from_bytes(bucket.to_bytes())
    assert header is not None
    assert not header.is_retired
