"""Changes of a table through its stream, the mapping and the function on the local AWS, through faults and a training."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.incident_store import IncidentStore, RecordedIncident
from cutwatch.detectors.watched_table import TableEngine
from cutwatch_cli.tables.application import WatchedApplication, watched_application
from cutwatch_cli.tables.demo_engines import ENGINES, DemoEngine
from cutwatch_cli.tables.demo_outcome import TableDemo
from cutwatch_cli.tables.ridership import HALF_HOUR, Ride, Ridership
from localaws import Fault, LocalAws

# Shards of a table's stream roll at noon.
_START = datetime(2026, 11, 2, 11, tzinfo=UTC)
_TARGET = "taxi-scored"
_PER_BATCH = 4
_SECONDS_PER_BATCH = 20.0
# Shares of the live rides after which faults happen.
_CRASH, _TWO_ENVIRONMENTS, _RENEWAL, _OVERLAP = 0.2, 0.35, 0.45, 0.8


def run_demo(
    ridership: Ridership,
    progress: Callable[[str, int, int], None],
    engine: TableEngine = "endpoint",
) -> TableDemo:
    """Learn, write every ride through faults, train again meanwhile, and compare what was written with what was scored."""
    chosen = ENGINES[engine]()
    with LocalAws() as aws:
        aws.clock.move_to(_START)
        aws.clock.advance(30)
        parameters = {"TargetArn": _target(aws), "NotificationSeverity": "low", **chosen.parameters}
        with watched_application(aws, chosen.declaration, parameters) as application:
            progress(chosen.beginning, 0, 2)
            chosen.prepare(application, ridership)
            return _Stage(application, ridership, chosen).run(progress)


def _target(aws: LocalAws) -> str:
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=_TARGET, ShardCount=1)
    aws.clock.advance(30)
    summary = kinesis.describe_stream_summary(StreamName=_TARGET)
    return str(summary["StreamDescriptionSummary"]["StreamARN"])


class _Stage:
    def __init__(
        self, application: WatchedApplication, ridership: Ridership, engine: DemoEngine
    ) -> None:
        self._application = application
        self._aws = application.aws
        self._ridership = ridership
        self._written: dict[float, datetime] = {}
        self._mails: list[tuple[datetime, str]] = []
        self._aws.mails.listener = lambda mail: self._mails.append((self._aws.clock.now(), mail.text))  # fmt: skip
        self._faults: list[str] = []
        self._engine = engine

    def run(self, progress: Callable[[str, int, int], None]) -> TableDemo:
        live = self._ridership.live
        batches = [live[start : start + _PER_BATCH] for start in range(0, len(live), _PER_BATCH)]
        disturbances = self._disturbances(len(batches))
        started = time.perf_counter()
        for number, rides in enumerate(batches):
            progress("writing rides", number * _PER_BATCH, len(live))
            disturbances.get(number, lambda: None)()
            self._write(rides)
        seconds = time.perf_counter() - started
        self._engine.end()
        self._aws.event_sources.settle()
        demo = self._outcome()
        demo.seconds = seconds
        return demo

    def _disturbances(self, batches: int) -> dict[int, Callable[[], None]]:
        shares = {
            _CRASH: self._crash,
            _TWO_ENVIRONMENTS: self._work_twice,
            _RENEWAL: self._renew,
            _OVERLAP: self._redeliver,
        }
        return {int(share * batches): disturb for share, disturb in shares.items()}

    def _write(self, rides: Sequence[Ride]) -> None:
        self._application.put([ride.item for ride in rides])
        now = self._aws.clock.now()
        self._written |= {ride.time.timestamp(): now for ride in rides}
        self._aws.event_sources.settle(_SECONDS_PER_BATCH - 5)
        self._aws.clock.move_to(
            max(now + timedelta(seconds=_SECONDS_PER_BATCH), self._aws.clock.now())
        )
        self._engine.look(self._application)

    def _crash(self) -> None:
        role = f"*{self._application.stack.physical_id('ScoreDynamodbStreamRole')}*"
        self._aws.faults.add(Fault("s3", "PutObject", ends="killed", times=1, caller=role))
        self._faults.append("the function was killed after it had written its state")

    def _work_twice(self) -> None:
        self._aws.event_sources.duplicate()
        self._faults.append("two environments got the same batch at once")

    def _renew(self) -> None:
        if words := self._engine.renew(self._application):
            self._faults.append(words)

    def _redeliver(self) -> None:
        self._aws.event_sources.redeliver(40)
        self._faults.append("the last 40 changes were delivered again")

    def _outcome(self) -> TableDemo:
        live = {ride.time.timestamp() for ride in self._ridership.live}
        rows = [row for row in _rows(self._aws) if _epoch(row) in live]
        once = {(row["id"], row["score"], row["times_cutoff"]): row for row in rows}
        models = self._engine.models_of(list(once.values()), self._ridership)
        identities = Counter(row["id"] for row in once.values())
        scored = len({_epoch(row) for row in rows})
        two_incidents = self._doubled_rows()
        return TableDemo(
            planted=self._ridership.planted,
            incidents=self._incidents(),
            sent=len(live),
            scored=scored,
            lost=len(live) - scored,
            doubled=two_incidents,
            delivered_again=len(rows) - len(identities),
            foreign_cutoff=sum(model is None for model in models),
            scored_by=Counter(model for model in models if model),
            latencies=self._latencies(),
            faults=self._faults,
        )

    def _doubled_rows(self) -> int:
        """Return the anomalous rows that incidents count beyond the changes that were anomalous."""
        anomalous = {row["id"] for row in _rows(self._aws) if row["incident"]}
        counted = sum(each.incident.rows for each in self._incidents(every=True))
        return max(counted - len(anomalous), 0)

    def _incidents(self, *, every: bool = False) -> list[RecordedIncident]:
        """Return the incidents, oldest first, as they are after their last row; without `every`, of live rides only."""
        name = self._application.base.outputs["RegistryTableName"]
        table = Table(self._application.client("dynamodb"), name)
        rides = self._ridership.training if every else self._ridership.live
        last = self._ridership.live[-1].time + HALF_HOUR
        found = IncidentStore(table).between(rides[0].time, last)
        return found[::-1]

    def _latencies(self) -> list[float]:
        first: dict[str, float] = {}
        incidents = [each.incident for each in self._incidents()]
        for at, text in self._mails:
            for incident in incidents:
                if incident.id in text and incident.begin_time in self._written:
                    waited = at - self._written[incident.begin_time]
                    first.setdefault(incident.id, waited.total_seconds())
        return [*first.values()]


def _epoch(row: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(row["time"]).timestamp()


def _rows(aws: LocalAws) -> list[dict[str, Any]]:
    """Return every row that the target has got."""
    kinesis, rows = aws.client("kinesis"), []
    [shard] = kinesis.list_shards(StreamName=_TARGET)["Shards"]
    answer = kinesis.get_shard_iterator(
        StreamName=_TARGET, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    position = answer["ShardIterator"]
    while position:
        answer = kinesis.get_records(ShardIterator=position)
        rows += [json.loads(each["Data"]) for each in answer["Records"]]
        aws.clock.advance(1)
        position = answer["NextShardIterator"] if answer["Records"] else None
    return rows
