from dataclasses import replace
from pathlib import Path

import pytest

from cutwatch.delivery.cold_start_forest import cold_start_forest
from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.errors import InvalidSetting
from cutwatch.settings import StreamSettings
from tests.support.stream_state import FakeBucket
from tests.support.streams import a_stream

STREAM = a_stream(forest=DETECTOR_FOREST, cold_start="vibration")
SETTINGS = StreamSettings(
    base_stack="cutwatch",
    table_name="registry",
    bucket_name="data",
    anomaly_namespace="Cutwatch",
    topic_arn="arn:aws:sns:us-east-1:123456789012:mails",
    operations_topic_arn="arn:aws:sns:us-east-1:123456789012:operations",
    rejected_records_url="unused",
    notification_severity="low",
    aws_region="us-east-1",
    stream_name="sensors",
    stream_arn="sensors",
)


@pytest.mark.parametrize(
    ("declared", "allowed"), [("vibration", ""), ("vibration", "heat"), ("", "heat")]
)
def test_entry_and_stack_name_the_same_detector(declared: str, allowed: str) -> None:
    settings = replace(SETTINGS, cold_start_detector=allowed)
    stream = replace(STREAM, cold_start=declared)
    with pytest.raises(InvalidSetting) as raised:
        cold_start_forest(settings, Path("detectors.yaml"), stream, FakeBucket())
    assert str(raised.value) == (
        f"stream 'sensors' has cold_start: {declared!r}, but its stack has ColdStartDetector: {allowed!r}; "
        f"deploy it with ColdStartDetector={declared}"
    )


def test_a_stream_that_names_no_detector_needs_none() -> None:
    stream = replace(STREAM, cold_start="")
    assert cold_start_forest(SETTINGS, Path("detectors.yaml"), stream, FakeBucket()) is None
