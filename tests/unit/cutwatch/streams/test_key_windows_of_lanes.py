"""A key on several lanes: after a backlog they are read at different speeds, and nothing is late but what is behind its own lane."""

import json
from collections.abc import Sequence
from zlib import crc32

import pytest

from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import Stream
from cutwatch.detectors.stream_window import StreamWindow, idle_seconds
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from tests.support.streams import a_stream

TUMBLING = StreamWindow("tumbling", 60, ("count", "sum(x)"))
EACH = StreamWindow()
BEGIN, BACKLOG, PARTITIONS = 1_200_000.0, 600, 3


def a_record(time: float, partition: int, position: int) -> RawRecord:
    return RawRecord(json.dumps({"at": time, "x": 1.0}).encode(), f"t-{partition}", position, time)


def a_log(window: StreamWindow) -> Stream:
    record = RecordFormat("at", {"x": "x"}, time_format="seconds")
    return a_stream(window=window, record=record)


class Scored:
    """The state after batches, which goes through bytes in between."""

    def __init__(self, window: StreamWindow, batches: Sequence[Sequence[RawRecord]]) -> None:
        stream = a_log(window)
        self.scorer = StreamScorer(stream)
        bucket = KeyBucket.empty(stream, 0)
        self.rows: list[tuple[float, tuple[float, ...]]] = []
        for batch in batches:
            [arrived] = self.scorer.by_bucket(batch).values()
            result = self.scorer.score(bucket, arrived)
            self.rows += [(row.time, row.values) for row in result.rows]
            bucket.outbox.clear()
            bucket = KeyBucket.from_bytes(bucket.to_bytes(stream), stream)
        self.totals, self.state = bucket.totals, bucket.states[""]


def backlog() -> list[list[RawRecord]]:
    """Return a second before the backlog in every partition, then the backlog: two partitions by one poller, then the third by another."""
    known = [a_record(BEGIN - 1, each, 0) for each in range(PARTITIONS)]
    lanes = [
        [
            a_record(BEGIN + time, partition, 1 + number)
            for number, time in enumerate(range(partition, BACKLOG, PARTITIONS))
        ]
        for partition in range(PARTITIONS)
    ]
    first = sorted((*lanes[0], *lanes[1]), key=lambda each: each.arrival)
    return [known, first, lanes[2]]


@pytest.mark.parametrize("window", [EACH, TUMBLING])
def test_nothing_of_a_backlog_is_late_whoever_reads_first(window: StreamWindow) -> None:
    scored = Scored(window, backlog())
    assert (scored.totals.late, scored.totals.accepted) == (0, BACKLOG + PARTITIONS)


def test_windows_of_a_backlog_have_the_records_of_every_lane() -> None:
    scored = Scored(TUMBLING, backlog())
    assert scored.rows[1:] == [
        (BEGIN + 60 * number, (60.0, 60.0)) for number in range(BACKLOG // 60 - 2)
    ]


@pytest.mark.parametrize("window", [EACH, TUMBLING])
def test_batches_that_come_again_in_other_sizes_change_nothing(window: StreamWindow) -> None:
    undisturbed = Scored(window, backlog())
    known, first, last = backlog()
    again = Scored(
        window, [known, first[:250], first[:251], [*known, *first], first, last[:7], last]
    )
    assert again.rows == undisturbed.rows
    assert again.totals == undisturbed.totals
    assert again.state.lanes == undisturbed.state.lanes
    assert again.state.windows.to_payload() == undisturbed.state.windows.to_payload()


def test_each_record_of_a_lane_that_is_first_seen_in_a_backlog_counts() -> None:
    assert Scored(EACH, backlog()[1:]).totals.late == 0


def test_a_record_behind_its_own_lane_is_late() -> None:
    batch = [a_record(BEGIN, 0, 0), a_record(BEGIN + 100, 0, 1), a_record(BEGIN + 39, 0, 2)]
    assert Scored(EACH, [batch]).totals.late == 1


def test_an_idle_lane_does_not_keep_windows_open() -> None:
    idle = [a_record(BEGIN, 1, 0)]
    busy = [
        a_record(BEGIN + time, 0, number)
        for number, time in enumerate(range(0, idle_seconds(TUMBLING) + 240, 30))
    ]
    scored = Scored(TUMBLING, [idle, busy])
    assert scored.state.lanes.keys() == {"t-0"}
    assert scored.rows[-1][0] == busy[-1].arrival - busy[-1].arrival % 60 - 120


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        (EACH, 900),
        (TUMBLING, 900),
        (StreamWindow("tumbling", 1, ("count",)), 900),
        (StreamWindow("sliding", 60, ("count",), every=1, allowed_lateness=600), 339),
        (StreamWindow("tumbling", 60, ("p95(x)",)), 780),
        (StreamWindow("tumbling", 1, ("p95(x)",)), 0),
    ],
)
def test_a_lane_keeps_no_more_windows_open_than_a_key_may_keep(
    window: StreamWindow, seconds: int
) -> None:
    assert idle_seconds(window) == seconds


def test_a_state_of_an_earlier_version_goes_on_without_lanes() -> None:
    stream = a_log(EACH)
    state = Scored(EACH, [[a_record(BEGIN, 0, 0)]]).state
    state.lanes = {}
    bucket = KeyBucket.empty(stream, 0)
    bucket.states[""] = KeyState.from_bytes(_without_lanes(state, stream), stream)
    scorer = StreamScorer(stream)
    batch = [a_record(BEGIN - 61, 0, 1), a_record(BEGIN - 59, 0, 2), a_record(BEGIN - 500, 1, 0)]
    [arrived] = scorer.by_bucket(batch).values()
    result = scorer.score(bucket, arrived)
    assert (result.late, result.accepted) == (1, 2)


def _without_lanes(state: KeyState, stream: Stream) -> bytes:
    """Return the bytes of a state as versions before lanes wrote them."""
    first, line, rest = state.to_bytes(stream).split(b"\n", 2)
    header = json.loads(line)
    del header["lanes"]
    written = json.dumps(header).encode() + b"\n"
    return b" ".join([*first.split(b" ")[:2], b"%d" % crc32(rest, crc32(written))]) + b"\n" + written + rest  # fmt: skip
