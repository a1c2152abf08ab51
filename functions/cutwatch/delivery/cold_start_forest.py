"""The forest of a detector that the keys of a stack's stream begin with."""

from functools import partial
from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidSetting
from cutwatch.registry.registry import Registry
from cutwatch.settings import StreamSettings
from cutwatch.streams.cold_start import ColdStart
from cutwatch.streams.detector_forest import DetectorForest


def cold_start_forest(
    settings: StreamSettings, file: Path, stream: Stream, bucket: Bucket
) -> DetectorForest | None:
    """Return the forest that a stream's keys begin with, None if the stream names no detector.

    Raises `InvalidSetting` if the stack may not read that detector's models.
    """
    if stream.cold_start != settings.cold_start_detector:
        raise InvalidSetting(
            f"stream {stream.name!r} has cold_start: {stream.cold_start!r}, but its stack has ColdStartDetector: "
            f"{settings.cold_start_detector!r}; deploy it with ColdStartDetector={stream.cold_start}"
        )
    if not stream.cold_start:
        return None
    declared = {each.name: each for each in load_configuration(file).detectors}
    registry = Registry(client("dynamodb"), settings.table_name)
    record = partial(registry.detectors.get, stream.cold_start)
    return ColdStart(bucket, stream, declared[stream.cold_start], record).forest()
