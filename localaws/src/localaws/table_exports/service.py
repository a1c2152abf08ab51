"""ExportTableToPointInTime, DescribeExport and ListExports: full exports as DYNAMODB_JSON, in the clock's time."""

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError
from localaws.background import in_background
from localaws.callers import caller_of, role_of
from localaws.clock import Clock
from localaws.embedded_ministack import account_scope, service
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied
from localaws.job_outcomes import JobOutcome, OutcomeKind
from localaws.limits import TABLE_EXPORT_MAX_AGE
from localaws.request_validation import validate
from localaws.table_exports.behaviour import ExportBehaviour
from localaws.table_exports.files import ExportFiles, Item, folder_of

# DynamoDB writes with these permissions of the caller's.
_WRITES = ("s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl")
_IMPLEMENTED = {"ExportFormat": "DYNAMODB_JSON", "ExportType": "FULL_EXPORT"}
_PARAMETERS = ("S3Bucket", "S3Prefix", "S3BucketOwner", "S3SseKmsKeyId", "ClientToken")

Description = dict[str, Any]


class TableExports:
    """Exports by their ARN. `s3_of` makes the S3 client of a role, or of the operator for None."""

    def __init__(
        self,
        region: str,
        clock: Clock,
        s3_of: Callable[[str | None], Any],
        demand: Callable[[str, Need], None],
        behaviour: ExportBehaviour,
    ) -> None:
        self._region = region
        self._clock = clock
        self._s3_of = s3_of
        self._demand = demand
        self._behaviour = behaviour
        self._lock = threading.Lock()
        self._exports: dict[str, Description] = {}
        self._operations: Mapping[str, Callable[[ApiRequest], dict[str, Any]]] = {
            "ExportTableToPointInTime": self._export,
            "DescribeExport": self._describe,
            "ListExports": self._list,
        }

    def serves(self, operation: str) -> bool:
        return operation in self._operations

    def answer(self, request: ApiRequest) -> Mapping[str, Any]:
        validate("dynamodb", request.operation, request.parameters)
        return self._operations[request.operation](request)

    def _export(self, request: ApiRequest) -> dict[str, Any]:
        parameters = request.parameters
        for name, only in _IMPLEMENTED.items():
            if parameters.get(name, only) != only:
                raise ApiError(
                    "ValidationException",
                    f"The local AWS does not implement {name} {parameters[name]}, only {only}",
                )
        with self._lock:
            known = self._of_token(parameters)
            if known is not None:
                return {"ExportDescription": _shown(known)}
            described = self._new(parameters)
            items, size = self._snapshot(parameters["TableArn"])
            self._exports[described["ExportArn"]] = described
        answer = {"ExportDescription": _shown(described)}
        outcome = self._behaviour.outcome_of(described["TableArn"].rpartition("/")[2])
        role = role_of(caller_of(request.access_key))
        if outcome.kind is not OutcomeKind.HANG:
            name = described["ExportArn"].rpartition("/")[2]
            in_background(
                self._clock, name, lambda: self._run(described, items, size, role, outcome)
            )
        return answer

    def _of_token(self, parameters: Mapping[str, Any]) -> Description | None:
        """Return the export of a client token; a token with other parameters is a conflict."""
        token = parameters.get("ClientToken")
        for each in self._exports.values():
            if token is not None and each.get("ClientToken") == token:
                if each["_request"] != _comparable(parameters):
                    raise ApiError(
                        "ExportConflictException", "There was a conflict with the client token"
                    )
                return each
        return None

    def _new(self, parameters: Mapping[str, Any]) -> Description:
        now = self._clock.now()
        arn = parameters["TableArn"]
        with account_scope(self._region):
            dynamodb, name = service("dynamodb"), arn.rpartition("/")[2]
            if name not in dynamodb._tables:
                raise ApiError("TableNotFoundException", f"Table not found: {arn}")
            recoverable, table_id = (
                dynamodb._pitr_settings.get(name, False),
                dynamodb._tables[name].get("TableId", ""),
            )
        if not recoverable:
            raise ApiError(
                "PointInTimeRecoveryUnavailableException",
                f"Point in time recovery is not enabled for table '{name}'",
            )
        at = _moment(parameters.get("ExportTime"), now)
        if not now - TABLE_EXPORT_MAX_AGE <= at <= now + timedelta(seconds=1):
            raise ApiError(
                "InvalidExportTimeException",
                "The specified ExportTime is outside of the point in time recovery window.",
            )
        export = f"{int(now.timestamp() * 1000):014d}-{uuid.uuid4().hex[:8]}"
        return {
            "ExportArn": f"{arn}/export/{export}",
            "ExportStatus": "IN_PROGRESS",
            "StartTime": now,
            "TableArn": arn,
            "TableId": table_id,
            "ExportTime": at,
            "S3SseAlgorithm": parameters.get("S3SseAlgorithm", "AES256"),
            **_IMPLEMENTED,
            **{name: parameters[name] for name in _PARAMETERS if name in parameters},
            "_request": _comparable(parameters),
        }

    def _snapshot(self, arn: str) -> tuple[list[Item], int]:
        """Return the items as they are now. MiniStack keeps no past ones: ExportTime is checked, and has no effect."""
        with account_scope(self._region):
            table = service("dynamodb")._tables[arn.rpartition("/")[2]]
            items = [item for ranges in table["items"].values() for item in ranges.values()]
        return json.loads(json.dumps(items)), sum(len(json.dumps(item)) for item in items)

    def _run(
        self,
        export: Description,
        items: list[Item],
        size: int,
        role: str | None,
        outcome: JobOutcome,
    ) -> None:
        try:
            s3 = self._writable(export, role)
            self._clock.sleep(self._behaviour.seconds)
            if outcome.kind is OutcomeKind.FAIL:
                _end(
                    export,
                    self._clock.now(),
                    "FAILED",
                    FailureCode="InternalServerError",
                    FailureMessage=outcome.reason,
                )
                return
            ended = {
                **export,
                "EndTime": self._clock.now(),
                "ItemCount": len(items),
                "BilledSizeBytes": size,
            }
            files = ExportFiles(ended, items)
            for key, content in files.contents(
                leave_out=outcome.kind is OutcomeKind.SHORTEN_OUTPUT
            ):
                _put(s3, export, key, content)
        except (AccessDenied, ClientError) as error:
            code = "S3AccessDenied" if "not authorized" in str(error) else "S3NoSuchBucket"
            _end(export, self._clock.now(), "FAILED", FailureCode=code, FailureMessage=str(error))
        else:
            _end(
                export,
                ended["EndTime"],
                "COMPLETED",
                ItemCount=len(items),
                BilledSizeBytes=size,
                ExportManifest=f"{files.folder}manifest-summary.json",
            )

    def _writable(self, export: Description, role: str | None) -> Any:
        """Return the S3 client of an export that may write; the empty object that it starts with shows it."""
        folder = folder_of(export)
        if role is not None:
            for action in _WRITES:
                self._demand(role, Need(action, f"arn:aws:s3:::{export['S3Bucket']}/{folder}data/"))
        s3 = self._s3_of(role)
        _put(s3, export, f"{folder}_started", b"")
        return s3

    def _describe(self, request: ApiRequest) -> dict[str, Any]:
        arn = request.parameters["ExportArn"]
        if arn not in self._exports:
            raise ApiError("ExportNotFoundException", f"Export not found: {arn}")
        return {"ExportDescription": _shown(self._exports[arn])}

    def _list(self, request: ApiRequest) -> dict[str, Any]:
        """Return one page, newest first."""
        asked = request.parameters
        found = [
            each
            for each in self._exports.values()
            if asked.get("TableArn", each["TableArn"]) == each["TableArn"]
        ]
        found.reverse()
        start, most = int(asked.get("NextToken", 0)), asked.get("MaxResults", 25)
        names = ("ExportArn", "ExportStatus", "ExportType")
        page = [{name: each[name] for name in names} for each in found[start : start + most]]
        more = {"NextToken": str(start + most)} if start + most < len(found) else {}
        return {"ExportSummaries": page, **more}


def _put(s3: Any, export: Description, key: str, content: bytes) -> None:
    named = export.get("S3SseKmsKeyId")
    under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": named} if named else {}
    s3.put_object(Bucket=export["S3Bucket"], Key=key, Body=content, **under)


def _end(export: Description, at: datetime, status: str, **members: Any) -> None:
    export.update({**members, "EndTime": at})
    export["ExportStatus"] = status


def _shown(export: Description) -> Description:
    return {name: value for name, value in export.items() if not name.startswith("_")}


def _comparable(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True, default=str)


def _moment(value: Any, default: datetime) -> datetime:
    if value is None:
        return default
    return value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
