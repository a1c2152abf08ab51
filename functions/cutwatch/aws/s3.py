"""The data bucket: text and JSON objects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cutwatch.aws.clients import read_body
from cutwatch.errors import ConditionFailed, MalformedObject, NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ListedObject(NamedTuple):
    """An object as a listing shows it."""

    key: str
    etag: str
    modified: datetime


@dataclass(frozen=True)
class Bucket:
    """A bucket and the S3 client that reaches it."""

    s3: "S3Client"
    name: str

    def uri(self, key: str) -> str:
        """Return `s3://bucket/key`."""
        return f"s3://{self.name}/{key}"

    def write(self, key: str, content: str) -> None:
        """Store a text object."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=content.encode())

    def write_page(self, key: str, content: str, content_type: str) -> None:
        """Store a text object that browsers open as its content type, such as `text/html`."""
        kind = f"{content_type}; charset=utf-8"
        self.s3.put_object(Bucket=self.name, Key=key, Body=content.encode(), ContentType=kind)

    def write_bytes(self, key: str, content: bytes) -> None:
        """Store a binary object."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=content)

    def read(self, key: str) -> str:
        """Read a text object. Raises `NotFound`, or `MalformedObject` if it is not UTF-8."""
        try:
            return self.read_bytes(key).decode()
        except UnicodeDecodeError as error:
            raise MalformedObject(f"{self.uri(key)} is not UTF-8 text: {error}") from None

    def read_bytes(self, key: str) -> bytes:
        """Read a binary object. Raises `NotFound`."""
        return read_body("GetObject", self.s3.get_object(Bucket=self.name, Key=key))

    def read_with_etag(self, key: str) -> tuple[bytes, str]:
        """Read a binary object and its ETag. Raises `NotFound`."""
        answer = self.s3.get_object(Bucket=self.name, Key=key)
        return read_body("GetObject", answer), answer["ETag"]

    def read_beginning(self, key: str, size: int) -> bytes:
        """Read the first bytes of an object that is not empty. Raises `NotFound`."""
        answer = self.s3.get_object(Bucket=self.name, Key=key, Range=f"bytes=0-{size - 1}")
        return read_body("GetObject", answer)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Yield the objects whose keys begin with a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            for each in page.get("Contents", ()):
                yield ListedObject(each["Key"], each["ETag"], each["LastModified"])

    def put_if(self, key: str, content: bytes, etag: str | None) -> str:
        """Store an object that still has this ETag, or does not exist if None; return the new ETag.

        Raises `ConditionFailed` if it was written or deleted meanwhile.
        """
        condition: Any = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        try:
            answer = self.s3.put_object(Bucket=self.name, Key=key, Body=content, **condition)
        except NotFound as error:
            raise ConditionFailed(error.operation, error.code, f"{self.uri(key)} is gone") from None
        return answer["ETag"]

    def delete(self, key: str) -> None:
        """Delete an object, if it exists."""
        self.s3.delete_object(Bucket=self.name, Key=key)

    def read_json(self, key: str) -> Any:
        """Read a JSON object. Raises `NotFound`, or `MalformedObject` if it is not JSON."""
        try:
            return json.loads(self.read(key))
        except (ValueError, RecursionError) as error:
            raise MalformedObject(f"{self.uri(key)} is not JSON: {error}") from None
