"""The stack of a Kinesis stream: its mapping and its roles for a stream of this account and of another, exactly."""

import json
import re
from typing import Any

import pytest

from tests.support.project import PROJECT
from tests.support.stack import REGION, Stack

TEMPLATE = PROJECT / "stacks" / "stream.yaml"
DOCUMENT = PROJECT / "docs" / "streams.md"
OTHER_ACCOUNT = "210987654321"
THEIRS = f"arn:aws:kinesis:{REGION}:{OTHER_ACCOUNT}:stream/vitals"
THEIR_KEY = f"arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:key/4f5e"
OUR_KEY = f"arn:aws:kms:{REGION}:123456789012:key/1c2d"
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:{{}}"
COMMON = {"StreamName": "vitals", "BaseStack": "cutwatch"}
FOREIGN = COMMON | {"KinesisStreamArn": THEIRS, "KinesisKeyArn": THEIR_KEY, "KmsKeyArn": OUR_KEY}
READING = [
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
]


def resolved(parameters: dict[str, str], logical_id: str) -> dict[str, Any]:
    properties: dict[str, Any] = Stack("cutwatch-vitals", TEMPLATE, **parameters).properties(
        logical_id
    )
    return properties


def statements(parameters: dict[str, str], owner: str) -> dict[str, Any]:
    properties = resolved(parameters, owner)
    [policy] = properties.get("Policies", [properties])
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_the_mapping_reads_a_stream_of_another_account() -> None:
    assert resolved(FOREIGN, "Records")["EventSourceArn"] == THEIRS


@pytest.mark.parametrize("position", ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"])
@pytest.mark.parametrize("time", ["", "1764374400"])
def test_a_time_to_start_at_goes_with_the_position_at_timestamp_only(
    position: str, time: str
) -> None:
    parameters = FOREIGN | {"StartingPosition": position, "StartingPositionTimestamp": time}
    stack = Stack("cutwatch-vitals", TEMPLATE, **parameters)
    [assertion] = stack.template["Rules"]["AtTimestampHasATimestamp"]["Assertions"]
    assert stack.value(assertion["Assert"]) == ((position == "AT_TIMESTAMP") == bool(time))


def test_the_mapping_starts_at_the_time_that_is_given() -> None:
    at_time = {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": "1764374400"}
    mapping = resolved(FOREIGN | at_time, "Records")
    assert {name: mapping[name] for name in at_time} == at_time
    assert "StartingPositionTimestamp" not in resolved(FOREIGN, "Records")


def test_a_batch_that_fails_is_halved_unless_the_parameter_says_no() -> None:
    off = FOREIGN | {"BisectBatchOnFunctionError": "false"}
    assert [resolved(each, "Records")["BisectBatchOnFunctionError"] for each in (FOREIGN, off)] == ["true", "false"]  # fmt: skip


@pytest.mark.parametrize(
    ("destination", "action", "resource"),
    [
        ("arn:aws:sqs:us-east-1:123456789012:lost", "sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:lost"),
        ("arn:aws:sns:us-east-1:123456789012:lost", "sns:Publish", "arn:aws:sns:us-east-1:123456789012:lost"),
        ("arn:aws:s3:::lost", ["s3:ListBucket", "s3:PutObject"], ["arn:aws:s3:::lost", "arn:aws:s3:::lost/*"]),
    ],
    ids=["SQS", "SNS", "S3"],
)  # fmt: skip
def test_lost_records_are_declared_and_counted_at_their_destination_only(
    destination: str, action: Any, resource: Any
) -> None:
    parameters = FOREIGN | {"LostRecordsDestination": destination}
    assert statements(parameters, "ScoreKinesisRole").keys() == {"ReadStream", "DeclareLostRecords"}
    declare = statements(parameters, "ScoreKinesisRole")["DeclareLostRecords"]
    assert (declare["Action"], declare["Resource"]) == (action, resource)
    mapping = resolved(parameters, "Records")
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": destination}}
    assert mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert re.fullmatch(destinations(), destination)


def destinations() -> str:
    """Return the pattern of what may be a destination of lost records."""
    parameters = Stack("cutwatch-vitals", TEMPLATE).template["Parameters"]
    return str(parameters["LostRecordsDestination"]["AllowedPattern"])


@pytest.mark.parametrize(
    "destination",
    [
        f"arn:aws:sqs:{REGION}:123456789012:lost.fifo",
        f"arn:aws:sns:{REGION}:123456789012:lost.fifo",
        f"arn:aws:lambda:{REGION}:123456789012:lost",
        "kafka://lost",
        "lost",
    ],
)
def test_a_destination_that_lambda_does_not_take_is_refused(destination: str) -> None:
    assert not re.fullmatch(destinations(), destination)


def test_lost_records_are_declared_in_the_stacks_queue_without_a_destination() -> None:
    declare = statements(FOREIGN, "ScoreKinesisRole")["DeclareLostRecords"]
    mapping = resolved(FOREIGN, "Records")
    assert declare["Action"] == "sqs:SendMessage"
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": declare["Resource"]}}
    assert "MetricsConfig" not in mapping


def test_the_alarm_on_records_lost_elsewhere_counts_those_of_the_mapping() -> None:
    parameters = FOREIGN | {"LostRecordsDestination": "arn:aws:s3:::lost"}
    alarm = resolved(parameters, "LostRecordsElsewhereAlarm")
    assert alarm["MetricName"] == "OnFailureDestinationDeliveredEventCount"
    assert alarm["Dimensions"] == [
        {"Name": "EventSourceMappingUUID", "Value": "cutwatch-vitals-Records"}
    ]
    assert alarm["AlarmActions"]
    template = Stack("cutwatch-vitals", TEMPLATE).template
    assert template["Resources"]["LostRecordsElsewhereAlarm"]["Condition"] == "HasDestination"


def test_the_roles_may_read_a_stream_of_another_account_and_nothing_else_there() -> None:
    scoring, closing = (
        statements(FOREIGN, role)["ReadStream" if "Score" in role else "SeeWhetherTheStreamIsRead"]
        for role in ("ScoreKinesisRole", "CloseWindowsRole")
    )
    assert scoring == {
        "Sid": "ReadStream",
        "Effect": "Allow",
        "Action": READING,
        "Resource": THEIRS,
    }
    assert closing == {
        "Sid": "SeeWhetherTheStreamIsRead",
        "Effect": "Allow",
        "Action": READING[2:],
        "Resource": THEIRS,
    }


def test_the_key_of_the_stream_may_only_decrypt_and_that_of_the_base_stack_is_used() -> None:
    shared = statements(FOREIGN, "StreamPolicy")
    assert shared["ReadEncryptedRecords"] == {
        "Sid": "ReadEncryptedRecords",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": THEIR_KEY,
    }
    assert shared["UseTheKey"] == {
        "Sid": "UseTheKey",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": OUR_KEY,
    }
    for queue in ("LostRecords", "RejectedRecords"):
        assert resolved(FOREIGN, queue)["KmsMasterKeyId"] == OUR_KEY


def test_a_stream_that_the_stack_makes_is_encrypted() -> None:
    own = resolved(COMMON, "Stream")
    assert own["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    with_key = resolved(COMMON | {"KinesisKeyArn": OUR_KEY}, "Stream")
    assert with_key["StreamEncryption"]["KeyId"] == OUR_KEY


@pytest.mark.parametrize(
    ("parameter", "value", "sid", "action", "resource"),
    [
        ("PreprocessorArn", FUNCTION.format("clean"), "Preprocess", "lambda:InvokeFunction", FUNCTION.format("clean")),
        ("PostprocessorArn", FUNCTION.format("extend:1"), "Postprocess", "lambda:InvokeFunction", FUNCTION.format("extend:1")),
        ("ReferenceLocation", "machines/machines.csv", "ReadReferenceData", "s3:GetObject", "arn:aws:s3:::machines/machines.csv"),
    ],
    ids=["preprocessor", "postprocessor", "reference data"],
)  # fmt: skip
def test_a_companion_is_one_statement_on_one_resource(
    parameter: str, value: str, sid: str, action: str, resource: str
) -> None:
    without, found = (
        statements(each, "StreamPolicy") for each in (COMMON, COMMON | {parameter: value})
    )
    assert found.keys() - without.keys() == {sid}
    assert found[sid] == {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def test_a_cold_start_reads_one_detectors_models_and_keeps_one_streams_copies() -> None:
    without, found = (
        statements(each, "StreamPolicy")
        for each in (COMMON, COMMON | {"ColdStartDetector": "orders"})
    )
    assert found.keys() - without.keys() == {"ReadModelsOfDetector", "KeepForestOfDetector"}
    reading, keeping = found["ReadModelsOfDetector"], found["KeepForestOfDetector"]
    bucket = without["KeepState"]["Resource"].removesuffix("/streams/vitals/*")
    assert (reading["Action"], reading["Resource"]) == ("s3:GetObject", f"{bucket}/models/orders/*")
    assert keeping["Action"] == ["s3:GetObject", "s3:PutObject"]
    assert keeping["Resource"] == f"{bucket}/cold-starts/vitals/*"


def test_the_policy_that_the_other_account_attaches_allows_what_the_roles_need() -> None:
    text = DOCUMENT.read_text()
    section = text[text.index("## A stream of another account") :]
    [policy, key] = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", section, re.DOTALL)[:2])  # fmt: skip
    assert policy["Statement"][0]["Action"] == READING
    assert key["Action"] == "kms:Decrypt"
    assert key["Principal"] == policy["Statement"][0]["Principal"]


@pytest.mark.parametrize(
    ("location", "prefix"),
    [
        ("archive/", "*"),
        ("archive/vitals", "vitals*"),
        ("archive/vitals/2026/", "vitals/2026*"),
        ("archive/a/b/c/d", "a/b/c/d*"),
        ("archive/a/b/c/d/e/f/", "a/b/c/d*"),
        ("archive/a//c/", "a*"),
    ],
)
@pytest.mark.parametrize("template", ["stream.yaml", "kafka_stream.yaml"])
def test_the_history_alone_can_be_listed_in_its_bucket(
    template: str, location: str, prefix: str
) -> None:
    stack = Stack("cutwatch-vitals", TEMPLATE.with_name(template), HistoryLocation=location)
    document = stack.properties("StreamPolicy")["PolicyDocument"]
    [listed] = [each for each in document["Statement"] if each["Sid"] == "ListHistory"]
    assert listed["Resource"] == "arn:aws:s3:::archive"
    assert listed["Condition"] == {"StringLike": {"s3:prefix": prefix}}
