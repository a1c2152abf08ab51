"""Reference data in S3, kept in memory and read again when the object has changed."""

import time
from collections.abc import Callable
from typing import Any

from cutwatch.aws.clients import read_body
from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.errors import CutwatchError
from cutwatch.observability import logger
from cutwatch.streams.reference import ReferenceTable, Row, check_size


class S3Reference:
    """Rows of the declared object. `problem` is why the latest version could not be read; the one before is used then."""

    def __init__(
        self, client: Any, declared: ReferenceData, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._declared = declared
        self._clock = clock
        self._table: ReferenceTable | None = None
        self._etag = ""
        self._due = 0.0
        self.problem: CutwatchError | None = None

    def refresh(self) -> None:
        """Read the object if its ETag has changed, at most every `refresh` seconds.

        Raises `CutwatchError` if no version could be read yet.
        """
        if self._table is not None and self._clock() < self._due:
            return
        try:
            self._read()
            self.problem = None
        except CutwatchError as error:
            if self._table is None:
                raise
            self.problem = error
            logger.warning("reference data not refreshed", reason=str(error))
        self._due = self._clock() + self._declared.refresh

    def row(self, key: str) -> Row | None:
        """Return the row of a key; None if there is none."""
        return self._table.row(key) if self._table else None

    def _read(self) -> None:
        bucket, key = self._declared.bucket_and_key
        head = self._client.head_object(Bucket=bucket, Key=key)
        if head["ETag"] == self._etag:
            return
        check_size(head["ContentLength"], self._declared)
        response = self._client.get_object(Bucket=bucket, Key=key)
        content = read_body("GetObject", response)
        self._table = ReferenceTable.from_bytes(content, self._declared)
        self._etag = response["ETag"]
