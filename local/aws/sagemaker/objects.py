"""The objects of the local S3 that jobs read and write, addressed by URI as in SageMaker's requests."""

from collections.abc import Iterator
from typing import Any


class Objects:
    """S3 as a job sees it."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def keys(self, uri: str) -> list[str]:
        """The keys under a prefix, which need not end at a slash, in order."""
        bucket, prefix = split(uri)
        return list(self._keys(bucket, prefix))

    def read(self, uri: str) -> bytes:
        bucket, key = split(uri)
        body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, uri: str, content: bytes) -> None:
        bucket, key = split(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=content)

    def exists(self, uri: str) -> bool:
        bucket, key = split(uri)
        return key in self._keys(bucket, key)

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from (item["Key"] for item in page.get("Contents", []))


def split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
