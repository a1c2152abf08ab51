"""The application with the streams of the same Kafka topics, deployed to a local AWS: the base stack, and a stack for each stream."""

import gzip
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.kafka_source import topics_of
from cutwatch.detectors.stream import Stream
from cutwatch.streams.key_bucket import Totals
from cutwatch.streams.state_store import StateStore
from cutwatch_cli.replay.application import staged

if TYPE_CHECKING:
    from localaws import LocalAws, Stack

_log = logging.getLogger(__name__)
_BASE, _ARCHIVE = "cutwatch", "log-archive"
# Generous: the machine may be busy.
_SECONDS = 120.0
_TRAINING_SECONDS = 900
_KAFKA_VERSION = "4.1.1"
_TOPIC_PARAMETERS = ("Topic", "SecondTopic", "ThirdTopic")


class KafkaApplication:
    """Topics with their streams, whose models are trained on `history`, lines of log records in the order of time.

    `brokers` is the address of a broker. Each topic has its partitions read from its beginning.
    """

    def __init__(
        self,
        aws: "LocalAws",
        brokers: str,
        streams: Sequence[Stream],
        history: Sequence[bytes],
        *,
        partitions: int = 3,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self.aws = aws
        self.streams = streams
        self.topics = topics_of(streams[0].source)
        self.partitions = partitions
        self._clients: dict[str, Any] = {}
        self._create_topics(brokers)
        self._producer = Producer({"bootstrap.servers": brokers}, logger=_log)
        aws.msk_brokers = brokers
        self._archive(history)
        self.base: Stack
        self.stacks: dict[str, Stack] = {}
        self._deploy(parameters or {})

    def client(self, service: str) -> Any:
        """Return the operator's client of a service, the same at each call."""
        if service not in self._clients:
            config = {"read_timeout": _TRAINING_SECONDS} if service == "lambda" else {}
            self._clients[service] = self.aws.client(service, **config)
        return self._clients[service]

    def _create_topics(self, brokers: str) -> None:
        admin = AdminClient({"bootstrap.servers": brokers}, logger=_log)
        wanted = [NewTopic(each, self.partitions, 1) for each in self.topics]
        for created in admin.create_topics(wanted).values():
            created.result(_SECONDS)

    def _archive(self, history: Sequence[bytes]) -> None:
        s3 = self.client("s3")
        s3.create_bucket(Bucket=_ARCHIVE)
        body = gzip.compress(b"\n".join(history), 1)
        s3.put_object(Bucket=_ARCHIVE, Key=f"{self.topics[0]}/1.json.gz", Body=body)

    def _deploy(self, parameters: Mapping[str, str]) -> None:
        cluster = self.client("kafka").create_cluster(
            ClusterName="shop",
            KafkaVersion=_KAFKA_VERSION,
            NumberOfBrokerNodes=2,
            BrokerNodeGroupInfo={"ClientSubnets": ["subnet-1"], "InstanceType": "kafka.m7g.large"},
        )["ClusterArn"]
        with staged([], streams=self.streams) as template:
            self.base = self.aws.deploy(
                template, stack_name=_BASE, parameters={"NotificationEmail": "operator@example.com"}
            )
            for stream in self.streams:
                self.stacks[stream.name] = self.aws.deploy(
                    template.parent / "stacks" / "kafka_stream.yaml",
                    stack_name=f"{_BASE}-{stream.name}",
                    parameters={
                        "StreamName": stream.name,
                        "BaseStack": _BASE,
                        **dict(zip(_TOPIC_PARAMETERS, self.topics, strict=False)),
                        "MskClusterArn": cluster,
                        "Authentication": "IAM",
                        "HistoryLocation": f"{_ARCHIVE}/{self.topics[0]}/",
                        "NotificationSeverity": "low",
                        "MaximumPollers": "1",
                        **parameters,
                    },
                )

    def train(self, stream: Stream) -> Mapping[str, Any]:
        """Train a stream's model; raise RuntimeError with the function's error if it fails."""
        function = self.stacks[stream.name].outputs["TrainFunction"]
        answer = self.client("lambda").invoke(FunctionName=function, Payload=b"{}")
        payload: Mapping[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"{payload['errorType']}: {payload['errorMessage']}")
        return payload

    def produce(self, lines: Sequence[tuple[float, bytes]]) -> None:
        """Send lines with their times in epoch seconds, in turn to the topics and their partitions, and wait until the broker has them."""
        for number, (time, line) in enumerate(lines):
            turn, place = divmod(number, len(self.topics))
            self._producer.produce(
                self.topics[place],
                line,
                partition=turn % self.partitions,
                timestamp=round(1_000 * time),
            )
        if left := self._producer.flush(_SECONDS):
            raise RuntimeError(f"{left} records were not taken by the broker")

    def fire(self, rule: str) -> None:
        """Fire a rule of every stream's stack, by its name in the template."""
        for stack in self.stacks.values():
            self.aws.fire(stack.physical_id(rule))

    def rejoin(self) -> None:
        """Let the members of every consumer group leave and join again."""
        for mapping in self.aws.event_sources.kafka.values():
            mapping.rejoin()

    @property
    def data(self) -> Bucket:
        """The data bucket of the base stack."""
        return Bucket(self.client("s3"), self.base.outputs["DataBucketName"])

    def totals(self, stream: Stream) -> Totals:
        """Return the counts of the records that a stream's states have applied."""
        store = StateStore(self.data, stream)
        every = [store.load(each.number).bucket.totals for each in store.stored()]
        names = ("accepted", "late", "rejected", "dropped")
        return Totals(**{name: sum(getattr(each, name) for each in every) for name in names})

    def reports(self, stream: Stream) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the hourly reports of a stream with their keys without the ending, the oldest first."""
        prefix = self.stacks[stream.name].outputs["ReportsPrefix"]
        keys = sorted(each.key for each in self.data.list(prefix))
        for key in keys:
            if key.endswith(".json"):
                yield key.removesuffix(".json"), self.data.read_json(key)

    def alarm_name(self, stream: Stream, alarm: str) -> str:
        """Return the name of an alarm of a stream's stack."""
        return f"{_BASE}-{stream.name}: {alarm}"

    def alarm_states(self, stream: Stream, alarm: str) -> list[str]:
        """Return the states that an alarm of a stream has entered, the first one first."""
        history = self.client("cloudwatch").describe_alarm_history(
            AlarmName=self.alarm_name(stream, alarm),
            HistoryItemType="StateUpdate",
            ScanBy="TimestampAscending",
        )["AlarmHistoryItems"]
        return [each["HistorySummary"].rpartition(" to ")[2] for each in history]

    def move_to(self, seconds: float) -> None:
        """Move the clock to an epoch second, unless it has passed."""
        self.aws.clock.move_to(max(datetime.fromtimestamp(seconds, UTC), self.aws.clock.now()))
