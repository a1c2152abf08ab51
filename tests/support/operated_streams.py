"""A base stack and the stack of one stream in an account on moto, as an operator's commands find them."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto import mock_aws

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.registry.silence_store import SilenceStore
from cutwatch.streams.cold_start import cold_start_key
from cutwatch.streams.detector_forest import DetectorForest
from cutwatch.streams.expectation import Expected
from cutwatch.streams.incidents import ChangeKind, ColumnFinding, Incident, IncidentChange
from cutwatch.streams.state_store import StateStore
from tests.support.streams import a_stream, noise, records_of, score_records

BASE, STREAM_STACK, STREAM = "cutwatch", "cutwatch-sensors", "sensors"
NAMESPACE = "Cutwatch"
OPTIONS = ("--stack", BASE, "--region", "us-east-1")
_SCORE, _CLOSE = f"{STREAM_STACK}-ScoreKinesis", f"{STREAM_STACK}-CloseWindows"
KAFKA_REPORT, KAFKA_TRAIN = "cutwatch-shop-ReportHour", "cutwatch-shop-TrainLog"
LOG_GROUP = f"/aws/lambda/{STREAM_STACK}"
_BASE_OUTPUTS = {
    "AnomalyNamespace": NAMESPACE,
    "DataBucketName": "data",
    "DataDelayMinutes": "15",
    "FunctionsLogGroupName": f"/aws/lambda/{BASE}",
    "RegistryTableName": "registry",
    "ScheduleState": "ENABLED",
    "TransformSchedule": "cron(0 3 ? * MON *)",
}


@dataclass(frozen=True)
class OperatedStream:
    """The stream `sensors` with its mapping, functions, queues, logs and stored state. Times are real."""

    now: datetime
    queues: Mapping[str, str]
    mapping: str

    @property
    def bucket(self) -> Bucket:
        return Bucket(client("s3"), "data")

    @property
    def incidents(self) -> IncidentStore:
        return IncidentStore(Table(client("dynamodb"), "registry"))

    @property
    def silences(self) -> SilenceStore:
        return SilenceStore(Table(client("dynamodb"), "registry"))

    def apply(self, count: int = 30, *, undelivered: bool = False, **settings: Any) -> None:
        """Store the state after some records of one key; another `forest` makes it another configuration's."""
        stream = a_stream(**settings)
        store = StateStore(self.bucket, stream)
        store.buckets()
        taken = store.take(0)
        records = records_of(noise(count))
        arrived = [each._replace(arrival=self.now.timestamp() - 90) for each in records]
        score_records(stream, arrived, taken.bucket)
        if undelivered:
            taken.bucket.outbox.changes.append(IncidentChange("began", an_incident(self.now)))
        store.save(taken)

    def begin_cold(self, reason: str, **settings: Any) -> None:
        """Let the stack name a detector whose forest is missing, for a reason, to the configuration with these settings."""
        cloudformation = client("cloudformation")
        template = cloudformation.get_template(StackName=STREAM_STACK)["TemplateBody"]
        template["Parameters"]["ColdStartDetector"]["Default"] = "vibration"
        cloudformation.update_stack(StackName=STREAM_STACK, TemplateBody=json.dumps(template))
        copy = DetectorForest("vibration", reason).to_bytes()
        self.bucket.write_bytes(cold_start_key(a_stream(**settings)), copy)

    def record(self, incident: Incident, kind: ChangeKind = "began") -> None:
        self.incidents.record(STREAM, IncidentChange(kind, incident), self.now)

    def report(self, metric: str, values: Sequence[float | None], **dimension: str) -> None:
        """Put one value a minute, the last one now; `dimension` names the function or the stream."""
        namespace = NAMESPACE if "Stream" in dimension else "AWS/Lambda"
        [(name, value)] = dimension.items()
        datums = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value}],
                "Timestamp": self.now - timedelta(minutes=len(values) - 1 - position),
                "Value": number,
            }
            for position, number in enumerate(values)
            if number is not None
        ]
        client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=datums)

    def fail(self, times: int) -> None:
        """Let the scoring function fail now."""
        self.report("Errors", [float(times)], FunctionName=_SCORE)

    def wait(self, span: timedelta) -> None:
        """Let records be this old when they are read."""
        self.report("IteratorAge", [span.total_seconds() * 1_000], FunctionName=_SCORE)

    def send(self, queue: str) -> None:
        client("sqs").send_message(QueueUrl=self.queues[queue], MessageBody="{}")

    def log(self, *lines: Mapping[str, Any], ago: timedelta = timedelta(minutes=1)) -> None:
        """Write log lines of one invocation, a second apart."""
        first = int((self.now - ago).timestamp() * 1_000)
        events = [
            {"timestamp": first + 1_000 * place, "message": json.dumps(line)}
            for place, line in enumerate(lines)
        ]
        client("logs").put_log_events(logGroupName=LOG_GROUP, logStreamName="one", logEvents=events)

    def join_kafka(self, topics: str = "shop-access") -> None:
        """Make the stack of Kafka topics, whose functions are those of the other stream."""
        outputs = {f"{name}QueueUrl": url for name, url in self.queues.items()} | {
            "BaseStack": BASE,
            "CloseWindowsFunction": _CLOSE,
            "FunctionsLogGroupName": LOG_GROUP,
            "ReportFunction": KAFKA_REPORT,
            "ScoreFunction": _SCORE,
            "StreamArn": f"kafka:{topics}",
            "StreamName": "shop",
            "TrainFunction": KAFKA_TRAIN,
        }
        _make_stack("cutwatch-shop", outputs, OffsetLagAlarmRecords="1000")

    def join_table(self, name: str, **outputs: str) -> None:
        """Make the stack of a table with the functions of the stream; without an endpoint among its outputs, it has forests."""
        common = {f"{each}QueueUrl": url for each, url in self.queues.items()} | {
            "BaseStack": BASE,
            "CloseIncidentsFunction": _CLOSE,
            "FunctionsLogGroupName": LOG_GROUP,
            "ScoreFunction": _SCORE,
            "WatchedTable": name,
        }
        table = f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"
        _make_stack(
            f"cutwatch-{name}",
            {**common, **outputs},
            IteratorAgeAlarmSeconds="300",
            SourceTableArn=table,
        )

    def lag(self, *records: float) -> None:
        """Let records wait in the topic, by minute."""
        self.report("OffsetLag", records, FunctionName=_SCORE)

    def disable_mapping(self) -> None:
        client("lambda").update_event_source_mapping(UUID=self.mapping, Enabled=False)


def an_incident(
    now: datetime, ago: timedelta = timedelta(hours=1), number: int = 1, severity: float = 3.25
) -> Incident:
    """Return an incident that began some time ago and lasted ten minutes."""
    begin = (now - ago).timestamp()
    columns = (
        ColumnFinding("x", 60.0, 3.0, "above", Expected(1.0, 0.5, 1.5)),
        ColumnFinding("y", 2.0, 1.0, "above", None),
    )
    return Incident(
        f"{STREAM}:{number:016x}",
        "pump-1",
        begin,
        begin + 600,
        begin + 60,
        7,
        severity,
        4.0,
        columns,
    )


@contextmanager
def operated_stream() -> Iterator[OperatedStream]:
    """Open an account with both stacks; no detector has a run, and the stream has no state yet."""
    with mock_aws():
        now = datetime.now(UTC).replace(microsecond=0)
        machines = _make_base()
        _make_stack(BASE, _BASE_OUTPUTS | machines, Architecture="arm64")
        queues = {
            name: client("sqs").create_queue(QueueName=f"{STREAM_STACK}-{name}")["QueueUrl"]
            for name in ("LostRecords", "RejectedRecords")
        }
        arn, mapping = _make_functions()
        outputs = {f"{name}QueueUrl": url for name, url in queues.items()} | {
            "BaseStack": BASE,
            "CloseWindowsFunction": _CLOSE,
            "FunctionsLogGroupName": LOG_GROUP,
            "ScoreFunction": _SCORE,
            "StreamArn": arn,
            "StreamName": STREAM,
        }
        # Empty, as of streams that do not name a detector.
        _make_stack(STREAM_STACK, outputs, IteratorAgeAlarmSeconds="300", ColdStartDetector="")
        yield OperatedStream(now, queues, mapping)


def _make_base() -> dict[str, str]:
    client("s3").create_bucket(Bucket="data")
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    client("dynamodb").create_table(
        TableName="registry",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    machine = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    role = "arn:aws:iam::123456789012:role/machines"
    made = {
        kind: client("stepfunctions").create_state_machine(
            name=f"{BASE}-{kind}", definition=machine, roleArn=role
        )["stateMachineArn"]
        for kind in ("training", "transform")
    }
    return {f"{kind.capitalize()}StateMachineArn": arn for kind, arn in made.items()}


def _make_stack(name: str, outputs: Mapping[str, str], **parameters: str) -> None:
    template = {
        "Parameters": {each: {"Type": "String", "Default": x} for each, x in parameters.items()},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {each: {"Value": value} for each, value in outputs.items()},
    }
    client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def _make_functions() -> tuple[str, str]:
    """Make the stream and both functions; return the stream's ARN and the mapping's id."""
    client("kinesis").create_stream(StreamName=STREAM, ShardCount=1)
    described = client("kinesis").describe_stream_summary(StreamName=STREAM)
    arn = described["StreamDescriptionSummary"]["StreamARN"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = client("iam").create_role(RoleName="functions", AssumeRolePolicyDocument=policy)
    for name in (_SCORE, _CLOSE):
        client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="x.handler",
            Role=role["Role"]["Arn"],
            Code={"ZipFile": _zip()},
        )
    client("logs").create_log_group(logGroupName=LOG_GROUP)
    client("logs").create_log_stream(logGroupName=LOG_GROUP, logStreamName="one")
    made = client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=_SCORE, StartingPosition="TRIM_HORIZON"
    )
    return arn, made["UUID"]


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("x.py", "")
    return content.getvalue()
