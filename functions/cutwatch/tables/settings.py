"""Settings of the functions that read a table and score its changes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cutwatch.settings import DestinationSettings, Settings


@dataclass(frozen=True)
class TableSettings(DestinationSettings):
    """Settings of the functions that score a table's changes: its name in `detectors_file`, its ARN, and the endpoint.

    A table with the engine `forest` has no endpoint. `target_arn` is that of a stream or queue for every scored row, empty for none.
    `stack_name` is the functions' stack.
    """

    watched_table: str
    source_table_arn: str
    endpoint_name: str = ""
    target_arn: str = ""
    stack_name: str = ""
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class PrepareRecordsSettings(Settings):
    """Settings of Prepare Records: the table to read, or its replica, and the read units a second that it may take.

    With `preparation` glue, it reads what the Glue job wrote.
    """

    watched_table: str
    read_table_arn: str
    bucket_name: str
    read_units_per_second: float
    preparation: Literal["lambda", "glue"] = "lambda"
    scan_segments: int = 4
    row_files: int = 1
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class StartExportSettings(Settings):
    """Settings of Start Export: the table or its replica, and the minutes that export and Glue job may take together."""

    watched_table: str
    read_table_arn: str
    bucket_name: str
    deadline_minutes: int
    kms_key_id: str = ""
    detectors_file: str = "detectors.yaml"

    @property
    def deadline(self) -> timedelta:
        """Maximum duration of export and Glue job."""
        return timedelta(minutes=self.deadline_minutes)


@dataclass(frozen=True)
class ExportStatusSettings(Settings):
    """Settings of Get Export Status: the exported table."""

    read_table_arn: str


@dataclass(frozen=True)
class StartPreparationJobSettings(Settings):
    """Settings of Start Preparation Job."""

    watched_table: str
    bucket_name: str
    glue_job_name: str
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class PreparationJobSettings(Settings):
    """Settings of the functions that look at the Glue job's run, or stop it."""

    glue_job_name: str
