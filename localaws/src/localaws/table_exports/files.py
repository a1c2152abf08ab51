"""Files of an export as DynamoDB writes them: data by partition, manifests, checksums."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_VERSION = "2020-06-30"
_PARTITIONS = 4

Item = Mapping[str, Any]


@dataclass(frozen=True)
class ExportFiles:
    """The files below one export's prefix; `description` is the export's own, complete."""

    description: Mapping[str, Any]
    items: Sequence[Item]

    @property
    def folder(self) -> str:
        """The prefix of all files, which ends with a slash."""
        return folder_of(self.description)

    def contents(self, *, leave_out: int = 0) -> Iterator[tuple[str, bytes]]:
        """Yield keys with contents, the summary last. The last items may be left out of the data, not of the counts."""
        listed = []
        for number, part in enumerate(self._partitions()):
            key = f"{self.folder}data/{_name(self.folder, number)}.json.gz"
            kept = part[: len(part) - leave_out] if number == 0 else part
            content = _data(kept)
            yield key, content
            listed.append(
                {
                    "itemCount": len(part),
                    "md5Checksum": _md5(content),
                    "etag": f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}-1",
                    "dataFileS3Key": key,
                }
            )
        yield from self._with_checksum(
            "manifest-files", "".join(f"{json.dumps(each)}\n" for each in listed)
        )
        yield from self._with_checksum("manifest-summary", json.dumps(self._summary()))

    def _partitions(self) -> list[Sequence[Item]]:
        return [self.items[number::_PARTITIONS] for number in range(_PARTITIONS)]

    def _with_checksum(self, name: str, text: str) -> Iterator[tuple[str, bytes]]:
        yield f"{self.folder}{name}.checksum", _md5(text.encode()).encode()
        yield f"{self.folder}{name}.json", text.encode()

    def _summary(self) -> dict[str, Any]:
        described = self.description
        return {
            "version": _VERSION,
            "exportArn": described["ExportArn"],
            "startTime": _iso(described["StartTime"]),
            "endTime": _iso(described["EndTime"]),
            "tableArn": described["TableArn"],
            "tableId": described["TableId"],
            "exportTime": _iso(described["ExportTime"]),
            "s3Bucket": described["S3Bucket"],
            "s3Prefix": described.get("S3Prefix"),
            "s3SseAlgorithm": described["S3SseAlgorithm"],
            "s3SseKmsKeyId": described.get("S3SseKmsKeyId"),
            "manifestFilesS3Key": f"{self.folder}manifest-files.json",
            "billedSizeBytes": described["BilledSizeBytes"],
            "itemCount": described["ItemCount"],
            "outputFormat": described["ExportFormat"],
            "exportType": described["ExportType"],
        }


def folder_of(description: Mapping[str, Any]) -> str:
    """Return the prefix of an export's files: the caller's, then `AWSDynamoDB`, then the export's id."""
    prefix = description.get("S3Prefix", "").strip("/")
    export = description["ExportArn"].rpartition("/")[2]
    return f"{prefix}/AWSDynamoDB/{export}/" if prefix else f"AWSDynamoDB/{export}/"


def _data(items: Sequence[Item]) -> bytes:
    lines = "".join(json.dumps({"Item": item}) + "\n" for item in items)
    return gzip.compress(lines.encode(), mtime=0)


def _name(folder: str, number: int) -> str:
    """Return a name of 26 letters and digits, as DynamoDB gives data files."""
    digest = hashlib.sha256(f"{folder}{number}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:26]


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
