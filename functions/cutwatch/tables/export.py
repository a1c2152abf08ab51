"""Export of a table to S3, from which the Glue job prepares the rows: idempotent start, and status."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Len

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.errors import AttemptsExhausted
from cutwatch.payloads import read
from cutwatch.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ATTEMPTS = 20
# Below a dataset's prefix.
_EXPORT = "export"
_NO_REASON = "DynamoDB gives no reason"


@dataclass(frozen=True)
class Export:
    """An export in the state machine. `status` is DynamoDB's; times are ISO 8601; `data` is the URI of a complete one.

    `prepared` says that there is nothing to export, because the run has its rows.
    """

    arn: Annotated[str, Len(1)]
    status: str
    deadline: str
    reason: str = ""
    overdue: bool = False
    prepared: bool = False
    items: int = 0
    data: str = ""

    def to_payload(self) -> dict[str, Any]:
        """Return the export as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Any) -> "Export":
        """Read a payload. Raises `InvalidInput`."""
        return read(cls, payload, "export")


@dataclass(frozen=True)
class TableExporter:
    """Exports one table into a run's part of the bucket, under a KMS key if there is one."""

    dynamodb: "DynamoDBClient"
    table_arn: str
    bucket: Bucket
    kms_key_id: str = ""

    def start(self, dataset: Dataset, deadline: datetime) -> Export:
        """Export the table for a run, unless an export of it is under way or complete.

        A client token makes attempts of a run known to DynamoDB for eight hours. Raises `AttemptsExhausted` if
        `MAX_ATTEMPTS` exports of the run have failed.
        """
        request = {
            "TableArn": self.table_arn,
            "S3Bucket": self.bucket.name,
            "S3Prefix": dataset.prefix + _EXPORT,
            "ExportFormat": "DYNAMODB_JSON",
            **self._encryption(),
        }
        for attempt in range(1, MAX_ATTEMPTS + 1):
            token = f"{dataset.digest}-{attempt}"
            answer = self.dynamodb.export_table_to_point_in_time(ClientToken=token, **request)  # type: ignore[arg-type]
            found = answer["ExportDescription"]
            if found["ExportStatus"] != "FAILED":
                return _described(found, format_timestamp(deadline))
        raise AttemptsExhausted(
            f"{MAX_ATTEMPTS} exports of {self.table_arn} for this run have failed; the last: "
            + found.get("FailureMessage", _NO_REASON)
        )

    def _encryption(self) -> dict[str, str]:
        if not self.kms_key_id:
            return {}
        return {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": self.kms_key_id}


def export_status(dynamodb: "DynamoDBClient", export: Export, now: datetime) -> Export:
    """Return the export with its present status; it is overdue once its deadline has passed."""
    found = dynamodb.describe_export(ExportArn=export.arn)["ExportDescription"]
    overdue = now > parse_timestamp(export.deadline, "deadline")
    return replace(_described(found, export.deadline), overdue=overdue)


def _described(found: Mapping[str, Any], deadline: str) -> Export:
    return Export(
        found["ExportArn"],
        found["ExportStatus"],
        deadline,
        found.get("FailureMessage", _NO_REASON),
        items=found.get("ItemCount", 0),
        data=_data(found) if "ExportManifest" in found else "",
    )


def _data(found: Mapping[str, Any]) -> str:
    folder = found["ExportManifest"].rpartition("/")[0]
    return f"s3://{found['S3Bucket']}/{folder}/data/"
