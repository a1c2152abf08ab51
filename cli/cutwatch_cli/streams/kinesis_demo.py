"""A fleet's records through a Kinesis stream, the mapping and the functions on the local AWS, with faults in the middle."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.incident_store import IncidentStore, RecordedIncident
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings, KeySettings, Stream
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.scoring import SILENT_SECONDS
from cutwatch.streams.state_store import StateStore
from cutwatch_cli.replay.application import staged
from cutwatch_cli.streams.demo_measurements import percentile, speed_payload
from cutwatch_cli.streams.demo_records import START, Fleet, FleetRecord, PlantedIncident
from localaws import Fault, LocalAws

if TYPE_CHECKING:
    from localaws import Stack

STREAM = Stream(
    "presses",
    "presses",
    RecordFormat(
        "measured_at", {"pressure": "pressure", "temperature": "temperature"}, "machine.id"
    ),
    forest=ForestSettings(trees=30, sample_size=256),
    keys=KeySettings(limit=20),
    sensitivity="low",
)
_BASE, _STACK, _TARGET, _ARCHIVE = (
    "cutwatch",
    "cutwatch-presses",
    "presses-scored",
    "presses-archive",
)
_MINUTE = timedelta(minutes=1)
_UNREADABLE = b"not a record"
# Indexes of the times at which faults happen, while machines have incidents.
_CRASH, _TWO_ENVIRONMENTS, _SPLIT, _UNREADABLE_AT, _OVERLAP = 60, 112, 178, (230, 231), 248
# At most as long as until the fleet's next records.
_SETTLED_WITHIN = 14.0


@dataclass
class StreamDemo:
    """The outcome. Latencies are seconds by the local clock, from putting a record to the email of its incident."""

    planted: Sequence[PlantedIncident]
    incidents: Sequence[RecordedIncident]
    sent: int = 0
    scored: int = 0
    late: int = 0
    rejected: int = 0
    lost: int = 0
    doubled: int = 0
    delivered_again: int = 0
    latencies: Sequence[float] = ()
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def found(self) -> dict[int, RecordedIncident]:
        """The incident of each planted one that was found, by its place in `planted`."""
        return {
            number: each
            for number, planted in enumerate(self.planted)
            for each in self.incidents
            if _is_of(each, planted)
        }

    @property
    def others(self) -> list[RecordedIncident]:
        """Other incidents."""
        return [
            each
            for each in self.incidents
            if not any(_is_of(each, planted) for planted in self.planted)
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
            "late": self.late,
            "rejected": self.rejected,
            "lost": self.lost,
            "doubled": self.doubled,
            "delivered_again": self.delivered_again,
            **speed_payload(self.latencies, self.sent, self.seconds),
        }


def _is_of(recorded: RecordedIncident, planted: PlantedIncident) -> bool:
    incident = recorded.incident
    first, last = (planted.begin - _MINUTE).timestamp(), planted.end.timestamp()
    return incident.key == planted.key and first <= incident.begin_time <= last


def run_demo(
    fleet: Fleet, planted: Sequence[PlantedIncident], progress: Callable[[str, int, int], None]
) -> StreamDemo:
    """Deploy, send every record, disturb the delivery, and compare what was sent with what was scored."""
    with LocalAws() as aws:
        aws.clock.move_to(START - 5 * _MINUTE)
        stage = _Stage(aws, fleet)
        stage.deploy()
        started = time.perf_counter()
        for number, records in enumerate(fleet.live):
            progress("sending records", number, len(fleet.live))
            if records:
                stage.send(number, records)
        seconds = time.perf_counter() - started
        stage.calm_down()
        demo = stage.outcome(planted)
        demo.seconds = seconds
        return demo


class _Stage:
    def __init__(self, aws: LocalAws, fleet: Fleet) -> None:
        self._aws = aws
        self._fleet = fleet
        self._kinesis = aws.client("kinesis")
        self._mails: list[tuple[datetime, str]] = []
        aws.mails.listener = lambda mail: self._mails.append((aws.clock.now(), mail.text))
        self._stack: Stack
        self._base: Stack
        self._sent = 0
        self._faults: list[str] = []

    def deploy(self) -> None:
        """Deploy the base stack, and the stream's stack for a stream of two shards and an archive of past records."""
        aws = self._aws
        self._kinesis.create_stream(StreamName=STREAM.source, ShardCount=2)
        self._kinesis.create_stream(StreamName=_TARGET, ShardCount=1)
        aws.clock.advance(30)
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=_ARCHIVE)
        past = b"\n".join(each.data for records in self._fleet.history for each in records)
        s3.put_object(Bucket=_ARCHIVE, Key="2026/11/02.json.gz", Body=gzip.compress(past, 1))
        with staged([], streams=[STREAM]) as template:
            self._base = aws.deploy(template, stack_name=_BASE)
            self._stack = aws.deploy(
                Path(template.parent, "stacks", "stream.yaml"),
                stack_name=_STACK,
                parameters={
                    "StreamName": STREAM.name,
                    "BaseStack": _BASE,
                    "KinesisStreamArn": self._arn(STREAM.source),
                    "TargetArn": self._arn(_TARGET),
                    "HistoryLocation": f"{_ARCHIVE}/2026/",
                    "NotificationSeverity": "low",
                },
            )

    def send(self, number: int, records: Sequence[FleetRecord]) -> None:
        """Put records at the time of the last one, and let the mapping deliver them."""
        aws = self._aws
        aws.clock.move_to(max(records[-1].at, aws.clock.now()))
        self._disturb(number)
        entries = [{"Data": each.data, "PartitionKey": each.key} for each in records]
        if number in _UNREADABLE_AT:
            entries.append({"Data": _UNREADABLE, "PartitionKey": records[0].key})
        answer = self._kinesis.put_records(StreamName=STREAM.source, Records=entries)
        if answer["FailedRecordCount"]:
            raise RuntimeError(f"{answer['FailedRecordCount']} records were not taken")
        self._sent += len(entries)
        aws.event_sources.settle(_SETTLED_WITHIN)
        if records[-1].at.second == 0:
            self._every_minute()

    def _disturb(self, number: int) -> None:
        aws = self._aws
        if number == _CRASH:
            role = f"*{self._stack.physical_id('ScoreKinesisRole')}*"
            aws.faults.add(Fault("s3", "PutObject", ends="killed", times=1, caller=role))
            self._faults.append("the function was killed after it had written its state")
        elif number == _TWO_ENVIRONMENTS:
            aws.event_sources.duplicate()
            self._faults.append("two environments got the same batch at once")
        elif number == _SPLIT:
            self._split()
            self._faults.append("a shard was split")
        elif number == _OVERLAP:
            aws.event_sources.redeliver(40)
            self._faults.append("the last 40 records of each shard were delivered again")

    def _split(self) -> None:
        [shard, *_] = self._kinesis.list_shards(StreamName=STREAM.source)["Shards"]
        first, last = (int(shard["HashKeyRange"][f"{edge}HashKey"]) for edge in ("Starting", "Ending"))  # fmt: skip
        self._kinesis.split_shard(
            StreamName=STREAM.source,
            ShardToSplit=shard["ShardId"],
            NewStartingHashKey=str((first + last) // 2),
        )

    def _every_minute(self) -> None:
        self._aws.fire(self._stack.physical_id("EveryMinute"))

    def calm_down(self) -> None:
        """Deliver everything, and let the machines be silent until their incidents end."""
        self._aws.event_sources.settle()
        self._aws.clock.advance(SILENT_SECONDS + 60)
        self._every_minute()
        self._aws.clock.advance(60)
        self._every_minute()

    def outcome(self, planted: Sequence[PlantedIncident]) -> StreamDemo:
        """Compare what was sent with the stored states and the scored rows."""
        rows = Counter(
            (row["id"], row["score"], row["times_cutoff"]) for row in self._scored_rows()
        )
        identities = Counter(identity for identity, *_ in rows)
        totals = [bucket.totals for bucket in self._buckets()]
        applied = sum(each.applied for each in totals)
        late, rejected = sum(each.late for each in totals), sum(each.rejected for each in totals)
        two_scores = sum(number > 1 for number in identities.values())
        return StreamDemo(
            planted=planted,
            incidents=self._incidents(),
            sent=self._sent,
            scored=len(identities),
            late=late,
            rejected=rejected,
            lost=max(self._sent - late - rejected - len(identities), self._sent - applied, 0),
            doubled=max(two_scores, applied - self._sent),
            delivered_again=rows.total() - len(identities),
            latencies=self._latencies(),
            faults=self._faults,
        )

    def _latencies(self) -> list[float]:
        begins = {each.incident.id: each.incident.begin_time for each in self._incidents()}
        first: dict[str, float] = {}
        for at, text in self._mails:
            for identity, begin in begins.items():
                if identity in text:
                    first.setdefault(identity, at.timestamp() - begin)
        return [*first.values()]

    def _incidents(self) -> list[RecordedIncident]:
        table = Table(self._aws.client("dynamodb"), self._base.outputs["RegistryTableName"])
        found = IncidentStore(table).between(START - 300 * _MINUTE, self._aws.clock.now())
        return found[::-1]

    def _buckets(self) -> list[KeyBucket]:
        bucket = Bucket(self._aws.client("s3"), self._base.outputs["DataBucketName"])
        store = StateStore(bucket, STREAM)
        return [store.load(each.number).bucket for each in store.stored()]

    def _scored_rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        [shard] = self._kinesis.list_shards(StreamName=_TARGET)["Shards"]
        answer = self._kinesis.get_shard_iterator(
            StreamName=_TARGET, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        position = answer["ShardIterator"]
        while position:
            answer = self._kinesis.get_records(ShardIterator=position)
            rows += [json.loads(each["Data"]) for each in answer["Records"]]
            self._aws.clock.advance(1)
            position = answer["NextShardIterator"] if answer["Records"] else None
        return rows

    def _arn(self, name: str) -> str:
        summary = self._kinesis.describe_stream_summary(StreamName=name)
        arn: str = summary["StreamDescriptionSummary"]["StreamARN"]
        return arn
