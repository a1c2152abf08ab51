"""Settings of the functions that read a table and score its changes."""

from dataclasses import dataclass

from cutwatch.settings import DestinationSettings, Settings


@dataclass(frozen=True)
class TableSettings(DestinationSettings):
    """Settings of the functions that score a table's changes: its name in `detectors_file`, its ARN, and the endpoint.

    A table with the engine `forest` has no endpoint. `target_arn` is that of a stream or queue for every scored row, empty for none.
    """

    watched_table: str
    source_table_arn: str
    endpoint_name: str = ""
    target_arn: str = ""
    detectors_file: str = "detectors.yaml"


@dataclass(frozen=True)
class PrepareRecordsSettings(Settings):
    """Settings of Prepare Records: the table to read, or its replica, and the read units a second that it may take."""

    watched_table: str
    read_table_arn: str
    bucket_name: str
    read_units_per_second: float
    scan_segments: int = 4
    row_files: int = 1
    detectors_file: str = "detectors.yaml"
