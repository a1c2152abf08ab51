"""A stream's companions on the local AWS, made by its owner: Lambda functions before and after it, and reference data."""

import io
import json
import zipfile
from textwrap import dedent
from typing import Any

from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.streams.preprocessing import PythonPreprocessor
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.reference import ReferenceTable
from localaws import LocalAws

REFERENCE = ReferenceData("s3://machines-of-sensors/machines.csv", "id", "id")
MACHINES = b"id,machine\na,pump-a\nd,pump-d\nr,pump-r\n"
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:sensors-{}"
PREPROCESSOR, POSTPROCESSOR = _ARN.format("clean"), _ARN.format("extend")
RUBBISH = b"rubbish"

# As a function of Kinesis Data Analytics is written: the records' x comes as text and leaves as a number.
_CLEAN = """
    import base64, json

    def clean(record):
        data = base64.b64decode(record["data"])
        if data == b"rubbish":
            return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
        fields = json.loads(data)
        fields["x"] = float(fields["x"])
        text = json.dumps(fields).encode()
        return {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(text).decode()}

    def handler(event, context):
        return {"records": [clean(record) for record in event["records"]]}
"""
_EXTEND = """
    def handler(event, context):
        return {"runbook": "https://runbooks.example/" + event["key"]}
"""


def content(key: str, at: float, x: float | None) -> bytes:
    """Return a record's bytes, which the preprocessor rejects without a value."""
    return RUBBISH if x is None else json.dumps({"id": key, "at": at, "x": str(x)}).encode()


def reader(stream: Any) -> RecordReader:
    """Return a reader that does in this process what the companions do."""

    def clean(data: bytes) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(data)
        return fields | {"x": float(fields["x"])}

    table = ReferenceTable.from_bytes(MACHINES, REFERENCE)
    return RecordReader(stream, PythonPreprocessor(clean), table)


def make_companions(aws: LocalAws) -> None:
    """Make the functions and the object."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName="owner", AssumeRolePolicyDocument=document)
    functions = aws.client("lambda")
    for arn, source in ((PREPROCESSOR, _CLEAN), (POSTPROCESSOR, _EXTEND)):
        functions.create_function(
            FunctionName=arn.rpartition(":")[2],
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="app.handler",
            Code={"ZipFile": _zipped(source)},
            Timeout=30,
        )
    bucket, key = REFERENCE.bucket_and_key
    aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=MACHINES)


def _zipped(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("app.py", dedent(source))
    return archive.getvalue()
