"""The end of incidents by endpoint, after forests have replaced it: each once, and nobody's who still writes."""

from datetime import UTC, datetime, timedelta

import pytest

from cutwatch.errors import AccessDenied, ConditionFailed
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.retirement import STILL_WRITTEN
from cutwatch.tables.retirement import EndpointRetirement
from tests.support.stream_state import Crash
from tests.support.watched_tables import Watching, stream_record

REASON = "table taxi no longer has engine: endpoint"
WRITTEN = datetime(2026, 11, 2, tzinfo=UTC)
LATER = WRITTEN + STILL_WRITTEN + timedelta(seconds=1)


class Retiring:
    """A table by endpoint with an open incident, which is retired."""

    def __init__(self) -> None:
        self.watching = Watching()
        self.watching.score(stream_record(9.0, 1))
        self.ended: list[tuple[str, str | None]] = []
        self.fails: list[BaseException] = []

    def run(self, now: datetime = LATER) -> tuple[int, bool, int]:
        retired = EndpointRetirement(self.watching.store, REASON, self._deliver).run(now, lambda: True)  # fmt: skip
        return retired.incidents, retired.is_settled, len(retired.errors)

    def _deliver(self, outbox: Outbox) -> None:
        if self.fails:
            raise self.fails.pop()
        self.ended += [(change.kind, change.reason) for change in outbox.changes]
        outbox.clear()


def test_an_open_incident_ends_once_with_the_reason() -> None:
    retiring = Retiring()
    assert retiring.run() == (1, True, 0)
    writes = retiring.watching.bucket.writes
    assert retiring.run(LATER + timedelta(hours=2)) == (0, True, 0)
    assert retiring.ended == [("ended", REASON)]
    assert retiring.watching.bucket.writes == writes


def test_what_was_applied_stays_so_a_rollback_counts_nothing_twice() -> None:
    retiring = Retiring()
    retiring.run()
    again = retiring.watching.score(stream_record(9.0, 1))
    assert again.report.total("duplicates") == 1


def test_a_state_that_may_still_be_written_waits() -> None:
    retiring = Retiring()
    assert retiring.run(WRITTEN + STILL_WRITTEN) == (0, False, 0)
    assert retiring.ended == []


def test_a_table_that_never_had_an_endpoint_is_settled() -> None:
    retiring = Retiring()
    retiring.watching.bucket.objects.clear()
    assert retiring.run() == (0, True, 0)


def test_an_end_that_was_not_delivered_is_delivered_by_the_next_run() -> None:
    retiring = Retiring()
    retiring.fails.append(AccessDenied("Publish", "AccessDenied", "no"))
    assert retiring.run() == (0, True, 1)
    assert retiring.run(LATER + STILL_WRITTEN + timedelta(minutes=1)) == (1, True, 0)
    assert retiring.ended == [("ended", REASON)]


def test_a_crash_before_the_delivery_loses_no_end() -> None:
    retiring = Retiring()
    retiring.fails.append(Crash())
    with pytest.raises(Crash):
        retiring.run()
    assert retiring.run(LATER + STILL_WRITTEN + timedelta(minutes=1)) == (1, True, 0)
    assert retiring.ended == [("ended", REASON)]


def test_a_lost_race_is_tried_again() -> None:
    retiring = Retiring()
    bucket = retiring.watching.bucket

    def lose(call: str) -> None:
        if call == "write before":
            bucket.interrupt = lambda _: None
            raise ConditionFailed("PutObject", "PreconditionFailed", "state")

    bucket.interrupt = lose
    assert retiring.run() == (0, False, 0)
    assert retiring.run() == (1, True, 0)
