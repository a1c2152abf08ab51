"""Whether a Kafka topic was read to the end, by the lag that Lambda publishes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cutwatch.streams.kafka_lag import is_read_to_the_end
from tests.support.fakes import Fake

NOW = datetime(2026, 11, 28, 17, 30, tzinfo=UTC)


class FakeCloudWatch(Fake):
    """CloudWatch with the lags of some minutes ago."""

    def __init__(self, lags: dict[int, float]) -> None:
        self.lags = lags

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        start, end = request["StartTime"], request["EndTime"]
        found = {
            NOW - timedelta(minutes=ago): lag
            for ago, lag in sorted(self.lags.items())
            if start <= NOW - timedelta(minutes=ago) < end
        }
        assert request["ScanBy"] == "TimestampDescending"
        return {"MetricDataResults": [{"Timestamps": [*found], "Values": [*found.values()]}]}


@pytest.mark.parametrize(
    ("lags", "silent_minutes", "is_read"),
    [
        ({1: 0.0, 2: 900.0}, 0, True),
        ({1: 3.0, 2: 0.0}, 60, False),
        ({7: 0.0}, 14, False),
        ({7: 900.0}, 15, True),
        ({}, 14, False),
        ({}, 15, True),
    ],
    ids=["caught up", "records wait", "old and silent for 14 min", "old and silent for 15 min", "no metric, 14 min", "no metric, 15 min"],
)  # fmt: skip
def test_the_newest_lag_decides_and_without_one_the_silence(
    lags: dict[int, float], silent_minutes: int, is_read: bool
) -> None:
    newest = (NOW - timedelta(minutes=silent_minutes)).timestamp()
    assert is_read_to_the_end(FakeCloudWatch(lags), "shop-ScoreKafka", newest, NOW) is is_read
