"""Timestamps of AWS's answers: moments in UTC, wherever the process believes to be."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from cutwatch.aws.clients import client

MOMENT = datetime(2026, 6, 1, 3, tzinfo=UTC)
QUERY = {"Id": "m", "Expression": "1"}


class Raw(BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture(autouse=True)
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    time.tzset()
    client.cache_clear()
    yield
    client.cache_clear()
    monkeypatch.undo()
    time.tzset()


def answered(written: float | str) -> datetime:
    """The timestamp that CloudWatch's client makes of an answer with this one."""
    body = {"MetricDataResults": [{"Id": "m", "Timestamps": [written], "Values": [1.0]}]}
    raw: Any = Raw(json.dumps(body).encode())
    cloudwatch = client("cloudwatch")
    cloudwatch.meta.events.register(
        "before-send.cloudwatch", lambda **_: AWSResponse("", 200, HTTPHeaders(), raw)
    )
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[QUERY], StartTime=MOMENT, EndTime=MOMENT + timedelta(hours=1)
    )
    moment: datetime = answer["MetricDataResults"][0]["Timestamps"][0]
    return moment


@pytest.mark.parametrize(
    "written", [MOMENT.timestamp(), int(MOMENT.timestamp()), "2026-06-01T03:00:00Z"]
)
def test_every_way_to_write_a_moment_is_read(written: float | str) -> None:
    moment = answered(written)
    assert moment == MOMENT
    assert moment.utcoffset() == timedelta()
