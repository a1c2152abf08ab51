"""A shop's access log through a Kafka topic, its mappings, functions, queue, hourly reports and alarm on the local AWS, with faults in the middle."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.incident_store import IncidentStore, RecordedIncident
from cutwatch.detectors.stream import Stream
from cutwatch_cli.access_logs.demo_log import BY_MINUTE, BY_RECORD, START, STEP, ShopLog
from cutwatch_cli.access_logs.kafka_application import KafkaApplication
from cutwatch_cli.access_logs.kafka_outcome import KafkaDemo, StreamCounts
from cutwatch_cli.access_logs.shop import json_line
from localaws import Fault, LocalAws
from localaws.kafka.broker import KafkaBroker

STREAMS = (BY_RECORD, BY_MINUTE)
_BEFORE = timedelta(minutes=30)
_HOUR = 3_600
# A report is written this long after its hour.
_REPORT_SECONDS = 300
_UNREADABLE = (b"not a log record", b"{}")
# Shares of the live time after which faults happen, each while a planted fault lasts.
_CRASH, _UNREADABLE_AT, _REBALANCE, _BROKER_KILLED = 0.15, 0.25, 0.30, 0.44
# At most as long as until the next requests.
_SETTLED_WITHIN = STEP.total_seconds() - 5
_ALARM = "anomalies"
Progress = Callable[[str, int, int], None]


def run_demo(log: ShopLog, broker: KafkaBroker, progress: Progress) -> KafkaDemo:
    """Train, send every request, disturb the delivery, and compare what was sent with what was scored and reported."""
    with deployed(log, broker, progress) as stage:
        stage.run(progress)
        return stage.outcome()


@contextmanager
def deployed(log: ShopLog, broker: KafkaBroker, progress: Progress) -> Iterator["DemoStage"]:
    """Deploy both streams to a local AWS shortly before the log's first live request."""
    with _expecting_faults(), LocalAws() as aws:
        aws.clock.move_to(START - _BEFORE)
        progress("deploying", 0, len(log.live))
        history = [json_line(each).encode() for each in log.history]
        application = KafkaApplication(aws, broker.address, STREAMS, history)
        try:
            yield DemoStage(application, broker, log)
        finally:
            aws.event_sources.stop()


@contextmanager
def _expecting_faults() -> Iterator[None]:
    """Keep from the terminal what is logged about the faults of the demo."""
    loggers = [
        logging.getLogger(name) for name in ("cutwatch_cli", "function_consumer", "localaws")
    ]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


class DemoStage:
    """The live part of the demo on a deployed application. `mails` have the time of the local clock, the subject and the text."""

    def __init__(self, application: KafkaApplication, broker: KafkaBroker, log: ShopLog) -> None:
        self.application = application
        self._broker = broker
        self.log = log
        self._aws = application.aws
        self.mails: list[tuple[datetime, str, str]] = []
        self._aws.mails.listener = lambda mail: self.mails.append(
            (self._aws.clock.now(), mail.subject, mail.text)
        )
        self._sent = 0
        self._faults: list[str] = []
        self._seconds = 0.0

    def run(self, progress: Progress) -> None:
        """Train the models; send the requests of each step at its end, and fire what the clock would fire."""
        live = self.log.live
        for stream in STREAMS:
            progress(f"training {stream.name}", 0, len(live))
            self.application.train(stream)
        disturbances = {
            int(share * len(live)): disturb
            for share, disturb in (
                (_CRASH, self._crash),
                (_UNREADABLE_AT, self._send_unreadable),
                (_REBALANCE, self._rebalance),
                (_BROKER_KILLED, self._kill_broker),
            )
        }
        self.application.move_to(START.timestamp())
        started = time.perf_counter()
        for number, requests in enumerate(live):
            progress("sending records", number, len(live))
            disturbances.get(number, lambda: None)()
            self._send([(each.time, json_line(each).encode()) for each in requests])
        self._seconds = time.perf_counter() - started
        self._finish()

    def _send(self, lines: Sequence[tuple[float, bytes]]) -> None:
        """Let time pass up to the step of these lines, in which silence has no records; send them at its end."""
        step = STEP.total_seconds()
        begin = lines[0][0] // step * step
        while self._now() + step <= begin:
            self._pass_time(self._now() // step * step + step)
        self.application.produce(lines)
        self._sent += len(lines)
        self._pass_time(begin + step)

    def _pass_time(self, until: float) -> None:
        """Move the clock to the end of a step, deliver what waits, and fire what is due then."""
        self.application.move_to(until)
        self._aws.event_sources.settle(_SETTLED_WITHIN)
        self.application.fire("EveryMinute")
        if until % _HOUR == _REPORT_SECONDS:
            self.application.fire("EveryHour")

    def _now(self) -> float:
        return self._aws.clock.now().timestamp()

    def _crash(self) -> None:
        stack = self.application.stacks[BY_RECORD.name]
        role = f"*{stack.physical_id('ScoreKafkaRole')}*"
        self._aws.faults.add(Fault("s3", "PutObject", ends="killed", times=1, caller=role))
        self._faults.append("a function was killed after it had written its state")

    def _send_unreadable(self) -> None:
        now = self._now()
        self.application.produce([(now, line) for line in _UNREADABLE])
        self._sent += len(_UNREADABLE)
        self._faults.append(f"{len(_UNREADABLE)} records were not log records")

    def _rebalance(self) -> None:
        self.application.rejoin()
        self._faults.append("every member of the consumer groups was replaced")

    def _kill_broker(self) -> None:
        self._broker.kill()
        self._broker.start()
        self._faults.append("the broker was killed and came back")

    def _finish(self) -> None:
        """Deliver everything, and write the report of the last hour; what happens after the log is not part of the demo."""
        self._aws.event_sources.settle()
        now = self._now()
        self.application.move_to((now // _HOUR + 1) * _HOUR + _REPORT_SECONDS)
        self.application.fire("EveryHour")

    def outcome(self) -> KafkaDemo:
        """Compare what was sent with the stored states, the reports, the incidents and the alarm."""
        reports = {each.name: [*self.application.reports(each)] for each in STREAMS}
        incidents = self._incidents()
        return KafkaDemo(
            planted=self.log.planted,
            incidents=incidents,
            sent=self._sent,
            counts={each.name: self._counts(each) for each in STREAMS},
            alarms=self.application.alarm_states(BY_RECORD, _ALARM).count("ALARM"),
            alarm_mails=sum(
                f'ALARM: "{self.application.alarm_name(BY_RECORD, _ALARM)}"' in subject
                for _, subject, _ in self.mails
            ),
            page=self._page(reports[BY_RECORD.name]),
            latencies=self._latencies(incidents),
            seconds=self._seconds,
            faults=self._faults,
        )

    def _counts(self, stream: Stream) -> StreamCounts:
        reports = [report for _, report in self.application.reports(stream)]
        return StreamCounts.of(self.application.totals(stream), reports)

    def _page(self, reports: Sequence[tuple[str, Mapping[str, Any]]]) -> bytes:
        if not reports:
            return b""
        key, _ = max(reports, key=lambda each: each[1]["total"]["anomalies"])
        return self.application.data.read_bytes(f"{key}.html")

    def _incidents(self) -> list[RecordedIncident]:
        table = Table(self.application.client("dynamodb"), self.application.base.outputs["RegistryTableName"])  # fmt: skip
        return IncidentStore(table).between(START - _BEFORE, self._aws.clock.now())[::-1]

    def _latencies(self, incidents: Sequence[RecordedIncident]) -> list[float]:
        step = STEP.total_seconds()
        found = []
        for each in incidents:
            written = (each.incident.begin_time // step + 1) * step
            mails = (at for at, _, text in self.mails if each.incident.id in text)
            if first := next(mails, None):
                found.append(first.timestamp() - written)
        return found
