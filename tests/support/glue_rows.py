"""The Glue job without Spark: the rows of an export, made by the code of Prepare Records. tests/spark has the script itself."""

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.tables.preparation import Rows
from localaws.glue.spark import ScriptFailed, Spark
from localaws.sagemaker.objects import split


@contextmanager
def rows_without_spark(table: WatchedTable) -> Iterator[None]:
    """Let runs of the local Glue prepare a table's rows in this process."""

    def run(_: Spark, __: bytes, arguments: Mapping[str, str], s3: Any) -> dict[str, bytes | None]:
        items = [*_exported(arguments["--export"], s3)]
        if len(items) != int(arguments["--items"]):
            raise ScriptFailed(f"{len(items)} items instead of {arguments['--items']}")
        rows = Rows(table)
        rows.take(items)
        summary = {"items": len(items), "rows": len(rows.lines), "rejected": dict(rows.rejected), "sample": []}  # fmt: skip
        return {
            f"{arguments['--rows']}part-0": "".join(rows.lines).encode(),
            f"{arguments['--summary']}part-0": json.dumps(summary).encode(),
        }

    with patch.object(Spark, "run", run):
        yield


def _exported(uri: str, s3: Any) -> Iterator[Any]:
    bucket, prefix = split(uri.rstrip("*"))
    for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        content = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        yield from (json.loads(line)["Item"] for line in gzip.decompress(content).splitlines())
