"""A stack that scores a stream, the records of one scenario, and a single process that replays them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.delivery.served_streams import ServedStreams
from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings, KeySettings, Stream
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.detector_store import DetectorStore
from cutwatch.streams.cold_start import cold_start_key, read_copy
from cutwatch.streams.key_bucket import KeyBucket, Totals
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import SILENT_SECONDS, StreamScorer
from cutwatch.streams.state_store import StateStore, VersionedBucket
from cutwatch_cli.replay.application import staged
from localaws import Fault, LocalAws, Stack
from localaws.ministack_patches.mails import Mail
from tests.support import stream_companions as companions
from tests.support.detector_forests import (
    a_detector,
    a_recipe,
    store_model,
    trained_checkpoint,
)
from tests.support.streams import a_stream, comparable_bucket, noise

STREAM = a_stream(
    source="sensors",
    record=RecordFormat("at", {"x": "x"}, "reference.machine", time_format="seconds"),
    forest=ForestSettings(5, 40),
    keys=KeySettings(limit=4),
    sensitivity="low",
    preprocess=companions.PREPROCESSOR,
    postprocess=companions.POSTPROCESSOR,
    reference=companions.REFERENCE,
)
# Seconds between records, so that the profile is fitted while they come; the last record is as old as the clock.
FEATURED = replace(STREAM, features=("value", "difference", "residual"))
# Keys begin with the forest of a detector, which is trained again while records come.
DETECTOR = a_detector("vibration")
SEEDED = replace(STREAM, forest=DETECTOR_FOREST, cold_start=DETECTOR.name)
_LEARNED, _TRAINED_THROUGH = 600, 1_790_000_100
_PACE, _MOST_RECORDS = 3_000, 300
STACK, BASE, TARGET = "cutwatch-sensors", "cutwatch", "sensors-scored"
_START = datetime(2026, 11, 2, tzinfo=UTC)
# The keys of the scenario; the first has an incident.
_KEYS, _NEW_KEY = "ad", "r"
_NORMAL, _AFTER = 90, 6
# What the stack served before: another configuration of the stream, in a bucket of its own number, and another name.
_REPLACED_BUCKET = 7
# The last sweep comes when nobody can write any more for the name before.
_SWEEPS = (60, 60, 400)
# MaximumRecordAgeSeconds, less than the stream's retention.
_RECORD_AGE = 72_000


@dataclass
class StreamShop:
    """The deployed stacks, and what a scenario left behind."""

    aws: LocalAws
    base: Stack
    stack: Stack
    stream: Stream = STREAM
    first: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    replaced: set[str] = field(default_factory=set)
    parameters: Mapping[str, str] = field(default_factory=dict)
    _mails: list[Mail] = field(default_factory=list)

    def change(self, **parameters: str) -> None:
        """Deploy the stream's stack again with parameters that differ."""
        self.stack = deployed(self.aws, self.stream, {**self.parameters, **parameters})

    @property
    def title(self) -> str:
        """The stream, as the matrix has it."""
        if self.stream.cold_start:
            return "stream with a cold start"
        return "stream with features" if self.stream.feature_names else "stream"

    def rewind(self) -> None:
        """Forget states, incidents, mails and messages; the stream goes on."""
        aws = self.aws
        aws.faults.clear()
        aws.cool_down()
        s3 = aws.client("s3")
        for each in s3.list_objects_v2(Bucket=self._bucket, Prefix="streams/").get("Contents", []):
            s3.delete_object(Bucket=self._bucket, Key=each["Key"])
        if self.stream.cold_start:
            s3.delete_object(Bucket=self._bucket, Key=cold_start_key(self.stream))
            self._train("first", 1)
        for item in self._items():
            self._table.delete(item["pk"], item["sk"])
        for queue in ("RejectedRecords", "LostRecords"):
            aws.client("sqs").purge_queue(QueueUrl=self.stack.physical_id(queue))
        self.first, self.sent = {}, 0
        self._mails.clear()
        self._leave_behind()
        aws.mails.listener = self._mails.append

    def _leave_behind(self) -> None:
        """Leave an open incident of a replaced configuration, not yet told, and one of the name before."""
        at = self.aws.clock.now().timestamp()
        values = [*noise(_NORMAL, 3), 90.0]
        records = [
            RawRecord(companions.content("r", at + n, x), "0", n, at + n)
            for n, x in enumerate(values)
        ]
        self.replaced, table = set(), IncidentStore(self._table)
        for stream in (self._other, self._renamed):
            bucket = KeyBucket.empty(stream, _REPLACED_BUCKET)
            scorer = StreamScorer(stream, reader=companions.reader(stream))
            change = scorer.score(bucket, scorer.by_bucket(records)[0]).changes[-1]
            self.replaced.add(change.incident.id)
            if stream == self._other:
                store = StateStore(self._store.bucket, stream)
                store.save(VersionedBucket(bucket, _REPLACED_BUCKET, None))
            else:
                table.record(stream.name, change, self.aws.clock.now())
                table.mark(change.incident, frozenset({"began:high"}), mailed=True)
        ServedStreams(self._table).record(STACK, self._renamed.name, self.aws.clock.now())

    def untrain(self) -> None:
        """Forget the model of the detector."""
        DetectorStore(self._table).delete(DETECTOR.name)

    def run(self) -> None:
        """Send normal records, then an incident and rubbish, then normal ones, then be silent."""
        self.aws.fire(self.stack.physical_id("EveryMinute"))
        values = noise(_NORMAL + _AFTER, 3)
        self._send([(key, x) for x in values[:_NORMAL] for key in _KEYS])
        if self.stream.cold_start:
            self._train_again()
        self._send([(_KEYS[0], 90.0), (_KEYS[1], None), (_KEYS[0], 95.0)])
        self._send([(key, x) for x in values[_NORMAL:] for key in _KEYS])
        self.aws.clock.advance(SILENT_SECONDS + 60)
        for seconds in _SWEEPS:
            self.aws.clock.advance(seconds)
            self.aws.fire(self.stack.physical_id("EveryMinute"))

    def _train(self, name: str, seed: int) -> None:
        """Leave behind what a training of the detector does."""
        checkpoint = _trained(seed)
        detectors = DetectorStore(self._table)
        detectors.delete(DETECTOR.name)
        model = store_model(self._store.bucket, DETECTOR, a_recipe(), checkpoint, name)
        detectors.add_model(DETECTOR.name, model)

    def _train_again(self) -> None:
        """Replace the detector's model, begin with other environments, and send the record of a new key."""
        before = DetectorStore(self._table).get(DETECTOR.name).models
        self._train("second", 2)
        for model in before:
            for key in (model.checkpoint or "", model.recipe):
                self._store.bucket.delete(key)
        self.aws.cool_down()
        self._send([(_NEW_KEY, 0.5)])

    def give_up(self) -> bool:
        """Send records while S3 denies every write, until Lambda gives them up; return True if the alarm on it was raised."""
        values = noise(_NORMAL, 3)
        self._send([(_KEYS[0], x) for x in values])
        role = f"*{self.stack.physical_id('ScoreKinesisRole')}*"
        self.aws.faults.add(Fault("s3", "PutObject", error="AccessDenied", status=403, caller=role))
        self._send([(key, x) for x in values[:8] for key in _KEYS], wait=360)
        names = [f"{STACK}: not committed"]
        [alarm] = self.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        self.aws.clock.advance(_RECORD_AGE + 60)
        self.aws.event_sources.settle()
        self.aws.faults.clear()
        self._send([(_KEYS[1], values[0]), (_KEYS[1], None)])
        return bool(alarm["StateValue"] == "ALARM")

    def lose(self) -> int:
        """Send records while S3 denies the function every write, until Lambda gives them up; return their number."""
        function = f"*/{self.stack.physical_id('ScoreKinesis')}"
        denied = Fault("s3", "PutObject", error="AccessDenied", status=403, caller=function)
        values = noise(8, 3)
        with self.aws.faults.during(denied):
            self._send([(_KEYS[0], x) for x in values])
        return len(values)

    def rings(self, alarm: str) -> bool:
        """Return True if an alarm of the stack is raised in one of the next three minutes."""
        cloudwatch, found = self.aws.client("cloudwatch"), False
        for _ in range(3):
            [state] = cloudwatch.describe_alarms(AlarmNames=[f"{STACK}: {alarm}"])["MetricAlarms"]
            found = found or state["StateValue"] == "ALARM"
            self.aws.clock.advance(60)
        return found

    def _send(self, records: Sequence[tuple[str, float | None]], wait: float = 7 * 86_400) -> None:
        """Put records and let them be delivered, however often it takes in `wait` seconds."""
        kinesis, now = self.aws.client("kinesis"), self.aws.clock.now().timestamp()
        entries = [
            {"PartitionKey": key, "Data": companions.content(key, self._event_time(now, n), x)}
            for n, (key, x) in enumerate(records)
        ]
        # Producers' clocks agree with the stream's: the records are as old as they say.
        self.aws.clock.advance(len(records))
        answer = kinesis.put_records(StreamName=self.stream.source, Records=entries)
        for each in answer["Records"]:
            self.first.setdefault(each["ShardId"], each["SequenceNumber"])
        self.sent += len(entries)
        self.aws.event_sources.settle(wait)

    def _event_time(self, now: float, number: int) -> float:
        """Return the time of a record: a second after the one before, or many for features, and none in the future."""
        if not self.stream.feature_names:
            return now + number
        return now + (self.sent + number - _MOST_RECORDS) * _PACE

    def states(self) -> dict[int, Any]:
        """The stored buckets, comparably."""
        store = self._store
        return {
            each.number: comparable_bucket(store.bucket.read_bytes(f"{store.prefix}{each.number:04d}"))
            for each in store.stored()
        }  # fmt: skip

    def replayed(self) -> tuple[dict[int, Any], set[str], set[int]]:
        """States, incidents and rejected positions of a single process that reads each shard once."""
        begun = read_copy(self._store.bucket, self.stream) if self.stream.cold_start else None
        reader = companions.reader(self.stream)
        scorer = StreamScorer(self.stream, self._store.buckets(), reader, first=begun)
        buckets: dict[int, KeyBucket] = {}
        incidents = set(self.replaced)
        rejected: set[int] = set()
        for shard, first in sorted(self.first.items()):
            for number, arrived in scorer.by_bucket([*self._records(shard, first)]).items():
                bucket = buckets.setdefault(number, KeyBucket.empty(self.stream, number))
                result = scorer.score(bucket, arrived)
                incidents |= {change.incident.id for change in result.changes}
                rejected |= {each.position for each in result.rejected}
        for bucket in buckets.values():
            scorer.close_silent(bucket, self.aws.clock.now().timestamp())
        found = {
            number: comparable_bucket(bucket.to_bytes(self.stream))
            for number, bucket in buckets.items()
        }
        return found, incidents, rejected

    def _records(self, shard: str, first: str) -> Iterator[RawRecord]:
        kinesis = self.aws.client("kinesis")
        answer = kinesis.get_shard_iterator(
            StreamName=self.stream.source,
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=first,
        )
        self.aws.clock.advance(2)
        for each in kinesis.get_records(ShardIterator=answer["ShardIterator"])["Records"]:
            arrival = each["ApproximateArrivalTimestamp"].timestamp()
            yield RawRecord(
                each["Data"], shard, int(each["SequenceNumber"]), arrival, each["PartitionKey"]
            )

    def incidents(self) -> dict[str, tuple[bool, frozenset[str]]]:
        """Each recorded incident: whether it ended, and the changes that were notified."""
        store = IncidentStore(self._table)
        found = store.between(
            _START - _MOST_RECORDS * timedelta(seconds=_PACE), self.aws.clock.now()
        )
        return {each.incident.id: (each.ended, each.notified) for each in found}

    def mails(self) -> list[str]:
        """The subjects of mails of this scenario."""
        return [each.subject for each in self._mails if "NotificationTopic" in each.topic]

    def notices(self) -> list[str]:
        """The mails to operators of this scenario."""
        return [each.text for each in self._mails if "OperationsTopic" in each.topic]

    def rejected(self) -> list[int]:
        """The positions in the queue of rejected records."""
        sqs, url = self.aws.client("sqs"), self.stack.physical_id("RejectedRecords")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [int(json.loads(each["Body"])["sequence_number"]) for each in found]

    def lost(self) -> int:
        """The number of records that the mapping gave up."""
        sqs, url = self.aws.client("sqs"), self.stack.physical_id("LostRecords")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return sum(json.loads(each["Body"])["KinesisBatchInfo"]["batchSize"] for each in found)

    def totals(self) -> Totals:
        """The counts of the stored state, which has one bucket."""
        [stored] = self._store.stored()
        return self._store.header(stored.number).totals

    def outboxes(self) -> list[int]:
        """The buckets with an outbox that is not empty."""
        return [
            each.number
            for each in self._store.stored()
            if self._store.header(each.number).has_outbox
        ]

    @property
    def _other(self) -> Stream:
        return replace(self.stream, forest=ForestSettings(6, 40))

    @property
    def _renamed(self) -> Stream:
        return replace(self.stream, name="vibrations", forest=STREAM.forest, cold_start="")

    @property
    def _bucket(self) -> str:
        return self.base.outputs["DataBucketName"]

    @property
    def _store(self) -> StateStore:
        return StateStore(Bucket(self.aws.client("s3"), self._bucket), self.stream)

    @property
    def _table(self) -> Table:
        return Table(self.aws.client("dynamodb"), self.base.outputs["RegistryTableName"])

    def _items(self) -> list[dict[str, Any]]:
        partitions = (
            "INCIDENT",
            "STREAM_STACK",
            *(f"STREAM#{each.name}" for each in (self.stream, self._renamed)),
        )
        return [item for partition in partitions for item in self._table.query(partition)]


@cache
def _trained(seed: int) -> ForestCheckpoint:
    return trained_checkpoint(noise(_LEARNED, seed), a_recipe(), _TRAINED_THROUGH)


@contextmanager
def opened_stream_shop(stream: Stream = STREAM) -> Iterator[StreamShop]:
    """Deploy the base stack and the stream's stack, with a stream of two shards and a target for scored rows."""
    with LocalAws() as aws:
        aws.clock.move_to(_START)
        kinesis = aws.client("kinesis")
        kinesis.create_stream(StreamName=STREAM.source, ShardCount=2)
        kinesis.create_stream(StreamName=TARGET, ShardCount=1)
        aws.clock.advance(60)
        arns = [
            kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
            for name in (STREAM.source, TARGET)
        ]  # fmt: skip
        companions.make_companions(aws)
        parameters = {
            "StreamName": stream.name,
            "BaseStack": BASE,
            "KinesisStreamArn": arns[0],
            "TargetArn": arns[1],
            "NotificationSeverity": "low",
            "PreprocessorArn": companions.PREPROCESSOR,
            "PostprocessorArn": companions.POSTPROCESSOR,
            "ReferenceLocation": "/".join(companions.REFERENCE.bucket_and_key),
            "ColdStartDetector": stream.cold_start,
        }
        with staged(_detectors_of(stream), streams=[stream]) as template:
            base = aws.deploy(template, stack_name=BASE)
        stack = deployed(aws, stream, parameters)
        yield StreamShop(aws, base, stack, stream, parameters=parameters)


def deployed(aws: LocalAws, stream: Stream, parameters: Mapping[str, str]) -> Stack:
    """Deploy a stream's stack, or change it."""
    with staged(_detectors_of(stream), streams=[stream]) as template:
        path = Path(template.parent, "stacks", "stream.yaml")
        return aws.deploy(path, stack_name=STACK, parameters=parameters)


def _detectors_of(stream: Stream) -> Sequence[Detector]:
    return [DETECTOR] if stream.cold_start else []
