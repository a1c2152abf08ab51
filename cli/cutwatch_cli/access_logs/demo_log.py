"""A shop's access log for the demo of a Kafka topic: the streams that read it, its history, and live requests with planted faults."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from cutwatch.detectors.log_format import LogFormat
from cutwatch.detectors.stream import IncidentBegin, Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.features.log_event import LogEvent
from cutwatch_cli.access_logs.faults import Fault, planted_faults
from cutwatch_cli.access_logs.shop import Shop

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
STEP = timedelta(minutes=1)
TOPIC = "shop-access"
_HISTORY, _LIVE = timedelta(days=8), timedelta(hours=4)
_REQUESTS_PER_SECOND = 0.6
_CALM_SECONDS = 600
_LOG = LogFormat(
    time="timestamp",
    response_time="duration_ms",
    response_time_unit="milliseconds",
    level="level",
    method="request.method",
    path="request.path",
    status="status",
)
# One model scores every request and says what is unusual about it; the other one scores minutes, and sees silence and small lasting shifts.
BY_RECORD = Stream(
    "shop",
    f"kafka:{TOPIC}",
    log=_LOG,
    model="one_class_svm",
    notify=IncidentBegin(at_least=5, ends_after=_CALM_SECONDS),
)
BY_MINUTE = Stream(
    "shop-minutes",
    f"kafka:{TOPIC}",
    log=_LOG,
    model="harmonic_regression",
    window=StreamWindow(
        type="tumbling",
        size=60,
        statistics=("count", "sum(response_time_of_path)", "sum(path)", "sum(status)", "sum(method)"),
        missing_data="zero",
    ),
    notify=IncidentBegin(ends_after=_CALM_SECONDS),
)  # fmt: skip


@dataclass(frozen=True)
class ShopLog:
    """Requests before `START`, and those from then on: a list for each `STEP` in which there are any; and the planted faults."""

    history: Sequence[LogEvent]
    live: Sequence[Sequence[LogEvent]]
    planted: Sequence[Fault]


def shop_log(seed: int, history: timedelta = _HISTORY, live: timedelta = _LIVE) -> ShopLog:
    """Generate the log; one fault of each kind is spread over the live requests."""
    begin = START.timestamp()
    span = live.total_seconds()
    faults = planted_faults(begin, begin + span)
    past = Shop((START - history).timestamp(), int(history.total_seconds()), _REQUESTS_PER_SECOND, seed)  # fmt: skip
    now = Shop(begin, int(span), _REQUESTS_PER_SECOND, seed + 1, faults)
    events = [each.event for each in now.requests()]
    steps = groupby(events, key=lambda event: (event.time - begin) // STEP.total_seconds())
    return ShopLog([each.event for each in past.requests()], [[*each] for _, each in steps], faults)
