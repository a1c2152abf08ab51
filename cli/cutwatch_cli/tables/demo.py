"""Changes of a table through its stream, the mapping, the function and the endpoint on the local AWS, with a training in the middle."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isclose
from typing import TYPE_CHECKING, Any

import numpy as np

from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.incident_store import IncidentStore, RecordedIncident
from cutwatch_cli.streams.demo_measurements import percentile, speed_payload
from cutwatch_cli.tables.application import WatchedApplication, watched_application
from cutwatch_cli.tables.ridership import HALF_HOUR, PlantedRides, Ride, Ridership, declaration
from localaws import Fault, LocalAws
from localaws.sagemaker import random_cut_forest

if TYPE_CHECKING:
    from localaws import Execution

# Shards of a table's stream roll at noon.
_START = datetime(2026, 11, 2, 11, tzinfo=UTC)
_TARGET = "taxi-scored"
_PER_BATCH = 4
_SECONDS_PER_BATCH = 20.0
_ENDPOINT_SECONDS, _TRAINING_SECONDS = 240, 180
# Shares of the live rides after which faults happen.
_CRASH, _TWO_ENVIRONMENTS, _TRAINING, _OVERLAP = 0.2, 0.35, 0.45, 0.8
_SAME_SCORE = 1e-9


@dataclass
class TableDemo:
    """The outcome. Latencies are seconds by the local clock, from the write of an item to the email of its incident."""

    planted: Sequence[PlantedRides]
    incidents: Sequence[RecordedIncident]
    sent: int = 0
    scored: int = 0
    lost: int = 0
    doubled: int = 0
    delivered_again: int = 0
    foreign_cutoff: int = 0
    scored_by: Mapping[str, int] = field(default_factory=dict)
    latencies: Sequence[float] = ()
    seconds: float = 0.0
    faults: Sequence[str] = ()

    @property
    def found(self) -> dict[int, RecordedIncident]:
        """The first incident of each planted one that was found, by its place in `planted`."""
        pairs = [
            (number, each)
            for number, planted in enumerate(self.planted)
            for each in self.incidents[::-1]
            if _is_of(each, planted)
        ]
        return dict(pairs)

    @property
    def others(self) -> list[RecordedIncident]:
        """Other incidents."""
        return [
            each for each in self.incidents if not any(_is_of(each, one) for one in self.planted)
        ]

    def percentile(self, percent: float) -> float:
        """Return a percentile of the latencies."""
        return percentile(self.latencies, percent)

    def to_payload(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "planted": len(self.planted),
            "found": len(self.found),
            "other_events": len(self.others),
            "sent": self.sent,
            "scored": self.scored,
            "lost": self.lost,
            "doubled": self.doubled,
            "delivered_again": self.delivered_again,
            "foreign_cutoff": self.foreign_cutoff,
            "scored_by_model": list(self.scored_by.values()),
            **speed_payload(self.latencies, self.sent, self.seconds),
        }


def _is_of(recorded: RecordedIncident, planted: PlantedRides) -> bool:
    begin = recorded.incident.begin_time
    return (planted.begin - HALF_HOUR).timestamp() <= begin < planted.end.timestamp()


def run_demo(ridership: Ridership, progress: Callable[[str, int, int], None]) -> TableDemo:
    """Train, deploy, write every ride, train again meanwhile, and compare what was written with what was scored."""
    with LocalAws() as aws:
        aws.clock.move_to(_START)
        aws.sagemaker.training_seconds = _TRAINING_SECONDS
        aws.clock.advance(30)
        target = _target(aws)
        parameters = {"TargetArn": target, "NotificationSeverity": "low", "BakeSeconds": "60"}
        with watched_application(aws, declaration(), parameters) as application:
            progress("training the first model", 0, 2)
            application.put([ride.item for ride in ridership.training])
            _ended(application.run())
            # Changes from before the endpoint was there are scored first.
            aws.event_sources.settle()
            aws.sagemaker.endpoint_seconds = _ENDPOINT_SECONDS
            return _Stage(application, ridership).run(progress)


def _target(aws: LocalAws) -> str:
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=_TARGET, ShardCount=1)
    aws.clock.advance(30)
    summary = kinesis.describe_stream_summary(StreamName=_TARGET)
    return str(summary["StreamDescriptionSummary"]["StreamARN"])


def _ended(execution: "Execution") -> None:
    result = execution.wait(300)
    if result.status != "SUCCEEDED":
        raise RuntimeError(f"the training ended {result.status}: {result.error}: {result.cause}")


class _Stage:
    def __init__(self, application: WatchedApplication, ridership: Ridership) -> None:
        self._application = application
        self._aws = application.aws
        self._ridership = ridership
        self._written: dict[float, datetime] = {}
        self._mails: list[tuple[datetime, str]] = []
        self._aws.mails.listener = lambda mail: self._mails.append((self._aws.clock.now(), mail.text))  # fmt: skip
        self._faults: list[str] = []
        self._execution: Execution | None = None
        self._models: dict[str, tuple[float, bytes]] = {}

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
        if self._execution is not None:
            _ended(self._execution)
        self._aws.event_sources.settle()
        demo = self._outcome()
        demo.seconds = seconds
        return demo

    def _disturbances(self, batches: int) -> dict[int, Callable[[], None]]:
        shares = {
            _CRASH: self._crash,
            _TWO_ENVIRONMENTS: self._work_twice,
            _TRAINING: self._train,
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
        self._remember_models()

    def _crash(self) -> None:
        role = f"*{self._application.stack.physical_id('ScoreDynamodbStreamRole')}*"
        self._aws.faults.add(Fault("s3", "PutObject", ends="killed", times=1, caller=role))
        self._faults.append("the function was killed after it had written its state")

    def _work_twice(self) -> None:
        self._aws.event_sources.duplicate()
        self._faults.append("two environments got the same batch at once")

    def _train(self) -> None:
        self._execution = self._application.run()
        self._faults.append("a second model was trained and deployed while rides were written")

    def _redeliver(self) -> None:
        self._aws.event_sources.redeliver(40)
        self._faults.append("the last 40 changes were delivered again")

    def _remember_models(self) -> None:
        """Keep cutoff and artefact of each model, which may be retired later."""
        for each in self._application.cutoffs:
            if each.variant not in self._models:
                self._models[each.variant] = (each.value, self._artefact(each.variant))

    def _artefact(self, model: str) -> bytes:
        bucket = self._application.base.outputs["DataBucketName"]
        key = f"models/{self._application.name}/{model}/output/model.tar.gz"
        body: bytes = (
            self._application.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        )
        return body

    def _outcome(self) -> TableDemo:
        live = {ride.time.timestamp() for ride in self._ridership.live}
        rows = [row for row in _rows(self._aws) if _epoch(row) in live]
        once = {(row["id"], row["score"], row["times_cutoff"]): row for row in rows}
        models = self._models_of(list(once.values()))
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

    def _models_of(self, rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """Return the model of each row: it gives the row's score, and its cutoff the row's multiple. None for any other pair."""
        values = np.array([list(row["values"].values()) for row in rows])
        scores = {
            name: random_cut_forest.score(random_cut_forest.load(artefact), values)
            for name, (_, artefact) in self._models.items()
        }
        return [
            next(
                (
                    name
                    for name, (cutoff, _) in self._models.items()
                    if isclose(scores[name][place], row["score"], rel_tol=_SAME_SCORE)
                    and isclose(row["score"] / cutoff, row["times_cutoff"], rel_tol=_SAME_SCORE)
                ),
                None,
            )
            for place, row in enumerate(rows)
        ]

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
