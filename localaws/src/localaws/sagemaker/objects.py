"""The objects of the local S3 that jobs read and write, addressed by URI as in SageMaker's requests."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError


class ObjectsOfRoles:
    """S3 as each role may see it; `s3_of` makes the client of a role."""

    def __init__(self, s3_of: Callable[[str], Any]) -> None:
        self._s3_of = s3_of
        self._lock = threading.Lock()
        self._objects: dict[str, Objects] = {}

    def of(self, role_arn: str) -> "Objects":
        with self._lock:
            if role_arn not in self._objects:
                self._objects[role_arn] = Objects(self._s3_of(role_arn))
            return self._objects[role_arn]


class Objects:
    """S3 as the jobs of one role see it."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def keys(self, uri: str) -> list[str]:
        """Return the keys under a prefix, which does not need to end at a slash, in order."""
        bucket, prefix = split(uri)
        return list(self._keys(bucket, prefix))

    def read(self, uri: str) -> bytes:
        bucket, key = split(uri)
        body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, uri: str, content: bytes, kms_key: str = "") -> None:
        """Write an object, under a KMS key if there is one."""
        bucket, key = split(uri)
        under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._s3.put_object(Bucket=bucket, Key=key, Body=content, **under)

    def are_under(self, uri: str) -> bool:
        """Return whether the role sees any object under this prefix; without the permission it sees none."""
        try:
            return bool(self.keys(uri))
        except ClientError:
            return False

    def exists(self, uri: str) -> bool:
        try:
            return split(uri)[1] in self.keys(uri)
        except ClientError:
            return False

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from (item["Key"] for item in page.get("Contents", []))


def split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
