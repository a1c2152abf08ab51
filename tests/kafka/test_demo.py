"""stacks/kafka_stream.yaml on the local AWS, from Apache Kafka to the report, the metrics, the alarm and the mails."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from cutwatch.features.log_event import LogEvent
from cutwatch_cli.replay.application import staged
from localaws import LocalAws, Stack
from localaws.kafka.broker import KafkaBroker
from tests.support.kafka_logs import STREAM, log_line
from tests.support.log_events import MONDAY, ordinary_events

TOPIC, PARTITIONS, RECORDS, TRAINING = "shop-access", 3, 600, 4_000
# Seconds and records, for there is one each second.
PIECE = int(STREAM.window.allowed_lateness) - 10
ARCHIVE = "shop-archive"
SLOW = range(420, RECORDS, 20)
HOUR, WEEK = 3_600, 7 * 86_400
SECONDS = 120.0


@dataclass
class Deployed:
    """Both stacks after an hour of traffic; `begin` is the hour's begin in epoch seconds."""

    aws: LocalAws
    base: Stack
    stack: Stack
    begin: int
    subjects: Sequence[str]

    def report(self, ending: str) -> bytes:
        at = datetime.fromtimestamp(self.begin, UTC)
        key = f"{self.stack.outputs['ReportsPrefix']}{at:%Y/%m/%d/%H}.{ending}"
        bucket = self.base.outputs["DataBucketName"]
        content: bytes = self.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def total(self, metric: str) -> float:
        name = {"Name": "Stream", "Value": STREAM.name}
        found = {"Namespace": "Cutwatch", "MetricName": metric, "Dimensions": [name]}
        [answer] = self.aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": found, "Period": 60, "Stat": "Sum"}}],
            StartTime=datetime.fromtimestamp(self.begin, UTC),
            EndTime=self.aws.clock.now(),
        )["MetricDataResults"]  # fmt: skip
        return float(sum(answer["Values"]))

    def states(self, alarm: str) -> list[str]:
        """Return the states that an alarm has entered, the first one first."""
        history = self.aws.client("cloudwatch").describe_alarm_history(
            AlarmName=f"cutwatch-shop: {alarm}",
            HistoryItemType="StateUpdate",
            ScanBy="TimestampAscending",
        )["AlarmHistoryItems"]
        return [each["HistorySummary"].rpartition(" to ")[2] for each in history]


@pytest.fixture(scope="module")
def deployed(aws: LocalAws, broker: KafkaBroker) -> Iterator[Deployed]:
    now = aws.clock.now().timestamp()
    weeks = int(now - MONDAY) // WEEK + 1
    begin = MONDAY + weeks * WEEK + 2 * HOUR
    move_to(aws, begin - 60)
    aws.msk_brokers = broker.address
    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(SECONDS)
    subjects: list[str] = []
    aws.mails.listener = lambda mail: subjects.append(mail.subject)
    base, stack = deploy(aws, history(begin))
    answer = aws.client("lambda").invoke(FunctionName=stack.outputs["TrainFunction"], Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()
    send(aws, broker, begin)
    aws.fire(stack.physical_id("EveryMinute"))
    move_to(aws, begin + HOUR + 300)
    aws.fire(stack.physical_id("EveryHour"))
    yield Deployed(aws, base, stack, begin, subjects)
    aws.mails.listener = lambda _: None
    aws.event_sources.stop()


def move_to(aws: LocalAws, seconds: float) -> None:
    aws.clock.move_to(datetime.fromtimestamp(seconds, UTC))


def history(end: int) -> list[LogEvent]:
    """Return ordinary requests up to a time: after a pause, the first minute of requests is unusual."""
    earlier = end - TRAINING - MONDAY
    return [each._replace(time=each.time + earlier) for each in ordinary_events(TRAINING)]


def traffic(begin: int) -> Iterator[LogEvent]:
    for number, event in enumerate(ordinary_events(RECORDS, seed=7)):
        slow: dict[str, Any] = {"method": "POST", "path": "/cart", "response_time": 9.0}
        yield event._replace(time=event.time - MONDAY + begin, **slow if number in SLOW else {})


def deploy(aws: LocalAws, past: Sequence[LogEvent]) -> tuple[Stack, Stack]:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=ARCHIVE)
    s3.put_object(Bucket=ARCHIVE, Key="shop/1.json", Body=b"\n".join(map(log_line, past)))
    cluster = aws.client("kafka").create_cluster(
        ClusterName="shop",
        KafkaVersion="4.1.1",
        NumberOfBrokerNodes=2,
        BrokerNodeGroupInfo={"ClientSubnets": ["subnet-1"], "InstanceType": "kafka.m7g.large"},
    )["ClusterArn"]
    with staged([], streams=[STREAM]) as template:
        base = aws.deploy(
            template, stack_name="cutwatch", parameters={"NotificationEmail": "a@example.com"}
        )
        stack = aws.deploy(
            template.parent / "stacks" / "kafka_stream.yaml",
            stack_name="cutwatch-shop",
            parameters={
                "StreamName": STREAM.name,
                "BaseStack": "cutwatch",
                "Topic": TOPIC,
                "MskClusterArn": cluster,
                "Authentication": "IAM",
                "HistoryLocation": f"{ARCHIVE}/shop/",
                "NotificationSeverity": "low",
                "MaximumPollers": "1",
            },
        )
    return base, stack


def send(aws: LocalAws, broker: KafkaBroker, begin: int) -> None:
    """Send the traffic in pieces that are shorter than the allowed lateness: no order of the partitions makes a record late."""
    producer = Producer({"bootstrap.servers": broker.address})
    events = [*traffic(begin)]
    for start in range(0, RECORDS, PIECE):
        for number, event in enumerate(events[start : start + PIECE]):
            producer.produce(
                TOPIC,
                log_line(event),
                partition=number % PARTITIONS,
                timestamp=int(1_000 * event.time),
            )
        assert producer.flush(SECONDS) == 0
        move_to(aws, max(begin + start + PIECE, aws.clock.now().timestamp()))
        aws.event_sources.settle()
    move_to(aws, max(begin + RECORDS + 10, aws.clock.now().timestamp()))


def test_every_record_of_the_hour_is_in_its_report_once(deployed: Deployed) -> None:
    report = json.loads(deployed.report("json"))
    assert report["total"]["records"] == RECORDS
    assert report["rejected"] == {}
    slow = [each for each in report["anomalies"] if each["response_time"] == 9.0]
    assert len({each["id"] for each in slow}) == len(slow) == len(SLOW)
    assert slow[0]["reasons"][0].startswith("`POST /cart` took 9 s, usually")
    assert b"POST /cart" in deployed.report("html")
    assert deployed.report("csv").count(b"\n") > 10


def test_the_metric_filters_count_what_the_functions_log(deployed: Deployed) -> None:
    assert deployed.total("LogRecords") == RECORDS
    report = json.loads(deployed.report("json"))
    assert deployed.total("LogAnomalies") == report["total"]["anomalies"] >= len(SLOW)


def test_the_alarm_is_raised_and_mailed_and_ends(deployed: Deployed) -> None:
    assert deployed.states("anomalies")[-2:] == ["ALARM", "OK"]
    assert any('ALARM: "cutwatch-shop: anomalies"' in each for each in deployed.subjects)
    assert "ALARM" not in deployed.states("functions fail")
    assert "ALARM" not in deployed.states("records wait")
    assert "ALARM" not in deployed.states("records lost")


def test_the_incident_is_mailed_with_its_reason(deployed: Deployed) -> None:
    mails = [each for each in deployed.subjects if each.startswith("Cutwatch ")]
    assert any("POST /cart" in each for each in mails), mails


def test_no_function_was_refused_anything(deployed: Deployed) -> None:
    events = deployed.aws.client("logs").filter_log_events(
        logGroupName=deployed.stack.outputs["FunctionsLogGroupName"], filterPattern="ERROR"
    )["events"]
    assert [each["message"] for each in events] == []
