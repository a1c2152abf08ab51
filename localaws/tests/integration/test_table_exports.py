"""Exports of tables to S3."""

import base64
import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import Fault, LocalAws
from support.roles import allow, create_role

TABLE, ITEMS = "orders", 10


@pytest.fixture(autouse=True)
def _forget_exports(aws: LocalAws) -> None:
    aws.exports.forget()
    aws.exports.seconds = 0.0


@pytest.fixture(scope="module")
def table(aws: LocalAws) -> str:
    """A table with items and point in time recovery; returns its ARN."""
    dynamodb = aws.client("dynamodb")
    created = dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(ITEMS):
        item = {"id": {"S": str(number)}, "price": {"N": "8.5"}}
        dynamodb.put_item(TableName=TABLE, Item=item)
    recover(aws, on=True)
    return str(created["TableDescription"]["TableArn"])


def recover(aws: LocalAws, *, on: bool) -> None:
    specification = {"PointInTimeRecoveryEnabled": on}
    aws.client("dynamodb").update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification=specification
    )


def export(dynamodb: Any, table: str, bucket: str, **more: Any) -> dict[str, Any]:
    request = {"TableArn": table, "S3Bucket": bucket, "S3Prefix": "backup", **more}
    answer = dynamodb.export_table_to_point_in_time(**request)
    description: dict[str, Any] = answer["ExportDescription"]
    return description


def ended(aws: LocalAws, arn: str) -> dict[str, Any]:
    """Wait for an export on the clock; return its description."""
    dynamodb = aws.client("dynamodb")

    def description() -> dict[str, Any]:
        found: dict[str, Any] = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
        return found

    with aws.clock.busy():
        aws.clock.wait_until(lambda: description()["ExportStatus"] != "IN_PROGRESS", 3_600)
    return description()


def objects(aws: LocalAws, bucket: str, prefix: str) -> dict[str, bytes]:
    s3 = aws.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {
        each["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        for each in listed
    }  # fmt: skip


def items_of(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line)["Item"] for line in gzip.decompress(data).decode().splitlines()]


def test_an_export_writes_items_manifests_and_checksums_as_dynamodb_does(
    aws: LocalAws, table: str, bucket: str
) -> None:
    aws.exports.seconds = 300
    started = export(aws.client("dynamodb"), table, bucket)
    assert started["ExportStatus"] == "IN_PROGRESS"
    description = ended(aws, started["ExportArn"])
    assert (description["ExportStatus"], description["ItemCount"]) == ("COMPLETED", ITEMS)
    assert (description["EndTime"] - description["StartTime"]) >= timedelta(seconds=300)

    export_id = started["ExportArn"].rpartition("/")[2]
    folder = f"backup/AWSDynamoDB/{export_id}/"
    assert description["ExportManifest"] == f"{folder}manifest-summary.json"
    found = objects(aws, bucket, folder)
    data = {key: content for key, content in found.items() if key.startswith("data/")}
    assert found.keys() - data.keys() == {
        "_started",
        "manifest-files.checksum",
        "manifest-files.json",
        "manifest-summary.checksum",
        "manifest-summary.json",
    }
    summary = json.loads(found["manifest-summary.json"])
    assert (summary["itemCount"], summary["outputFormat"]) == (ITEMS, "DYNAMODB_JSON")
    listed = [json.loads(line) for line in found["manifest-files.json"].splitlines()]
    assert {each["dataFileS3Key"] for each in listed} == {folder + key for key in data}
    assert sum(each["itemCount"] for each in listed) == ITEMS
    for each in listed:
        content = data[each["dataFileS3Key"].removeprefix(folder)]
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        assert each["md5Checksum"] == base64.b64encode(digest).decode()
    items = [item for content in data.values() for item in items_of(content)]
    assert sorted(item["id"]["S"] for item in items) == sorted(map(str, range(ITEMS)))


def test_an_export_needs_point_in_time_recovery(aws: LocalAws, table: str, bucket: str) -> None:
    recover(aws, on=False)
    try:
        with pytest.raises(ClientError, match="PointInTimeRecoveryUnavailableException"):
            export(aws.client("dynamodb"), table, bucket)
    finally:
        recover(aws, on=True)


def test_a_token_starts_one_export_and_conflicts_with_other_parameters(
    aws: LocalAws, table: str, bucket: str
) -> None:
    dynamodb = aws.client("dynamodb")
    first = export(dynamodb, table, bucket, ClientToken="once")
    assert export(dynamodb, table, bucket, ClientToken="once")["ExportArn"] == first["ExportArn"]
    with pytest.raises(ClientError, match="ExportConflictException"):
        export(dynamodb, table, bucket, ClientToken="once", S3Prefix="elsewhere")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"ExportFormat": "ION"}, "only DYNAMODB_JSON"),
        ({"ExportType": "INCREMENTAL_EXPORT"}, "only FULL_EXPORT"),
        ({"ExportTime": 0}, "InvalidExportTimeException"),
    ],
)
def test_what_an_export_cannot_do_is_refused_by_name(
    aws: LocalAws, table: str, bucket: str, parameters: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError, match=code):
        export(aws.client("dynamodb"), table, bucket, **parameters)


def test_exports_fail_are_partial_and_hang_on_demand(
    aws: LocalAws, table: str, bucket: str
) -> None:
    dynamodb = aws.client("dynamodb")
    aws.exports.fail(lambda name: name == TABLE, "disk full", times=1)
    failed = ended(aws, export(dynamodb, table, bucket)["ExportArn"])
    assert (failed["ExportStatus"], failed["FailureMessage"]) == ("FAILED", "disk full")

    aws.exports.shorten_output(lambda _: True, times=1)
    partial = ended(aws, export(dynamodb, table, bucket)["ExportArn"])
    folder = partial["ExportManifest"].rpartition("/")[0]
    data = objects(aws, bucket, f"{folder}/data/").values()
    assert partial["ItemCount"] == ITEMS
    assert sum(len(items_of(each)) for each in data) == ITEMS - 1

    aws.exports.hang(lambda _: True, times=1)
    assert ended(aws, export(dynamodb, table, bucket)["ExportArn"])["ExportStatus"] == "IN_PROGRESS"


def test_an_export_is_written_with_the_rights_of_its_caller(
    aws: LocalAws, table: str, bucket: str
) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    nothing = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    create_role(aws, "exporter", trust, [nothing])
    dynamodb = aws.client_of("exporter", "dynamodb")
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:Export"):
        export(dynamodb, table, bucket)
    start = {
        "Effect": "Allow",
        "Action": ["dynamodb:ExportTableToPointInTime", "dynamodb:DescribeExport"],
        "Resource": [table, f"{table}/export/*"],
    }
    allow(aws, "exporter", [start])
    failed = ended(aws, export(dynamodb, table, bucket)["ExportArn"])
    assert (failed["ExportStatus"], failed["FailureCode"]) == ("FAILED", "S3AccessDenied")
    write = {
        "Effect": "Allow",
        "Action": ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
        "Resource": f"arn:aws:s3:::{bucket}/backup/*",
    }
    allow(aws, "exporter", [start, write])
    arn = export(dynamodb, table, bucket)["ExportArn"]
    assert ended(aws, arn)["ExportStatus"] == "COMPLETED"
    described = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
    assert described["ExportStatus"] == "COMPLETED"


def test_a_list_has_the_exports_of_a_table_newest_first(
    aws: LocalAws, table: str, bucket: str
) -> None:
    dynamodb = aws.client("dynamodb")
    arns = [export(dynamodb, table, bucket)["ExportArn"] for _ in range(2)]
    page = dynamodb.list_exports(TableArn=table, MaxResults=2)
    assert [each["ExportArn"] for each in page["ExportSummaries"]] == arns[::-1]
    for arn in arns:
        ended(aws, arn)


def test_faults_hit_exports_as_other_calls(aws: LocalAws, table: str, bucket: str) -> None:
    fault = Fault("dynamodb", "ExportTableToPointInTime", error="LimitExceededException", times=1)
    with (
        aws.faults.during(fault),
        pytest.raises(ClientError, match="LimitExceededException"),
    ):
        export(aws.client("dynamodb", retries={"total_max_attempts": 1}), table, bucket)
