"""Parts of the endpoint's state machine that several functions need."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.registry.run import Run
from cutwatch.tables.preparation import dataset_of
from cutwatch.tables.runs import open_run

_FUNCTIONS = Path(__file__).parents[2]


class RunSettings(Protocol):
    """Settings of a function that works on a table's run."""

    @property
    def watched_table(self) -> str:
        """Name of the table in the detectors' file."""

    @property
    def bucket_name(self) -> str:
        """Name of the data bucket."""

    @property
    def detectors_file(self) -> str:
        """Path of the detectors' file, relative to the functions' folder."""


def run_of(
    settings: RunSettings, event: Mapping[str, Any]
) -> tuple[Run, WatchedTable, Bucket, Dataset]:
    """Return the run of an execution's `event` and `started`, with its table, the bucket, and its dataset without rows."""
    table = load_configuration(_FUNCTIONS / settings.detectors_file).table(settings.watched_table)
    run = open_run(event["event"], event["started"])
    bucket = Bucket(client("s3"), settings.bucket_name)
    return run, table, bucket, dataset_of(table, bucket.name, run.scheduled)
