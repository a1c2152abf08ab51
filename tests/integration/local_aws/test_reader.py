"""Detectors read from the local CloudWatch, as the functions read them."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np

from cutwatch.aws.clients import client
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.errors import RejectedRequest
from cutwatch.timeseries.reader import read_many
from cutwatch.timeseries.series import Series
from localaws import LocalAws

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_detectors_are_read_together_and_a_rejected_one_fails_alone(aws: LocalAws) -> None:
    aws.clock.move_to(NOW)
    times = (NOW - HOUR).timestamp() + 300 * np.arange(12)
    aws.cloudwatch.load_series("Shop", "Orders", {}, 300, times, np.arange(12, dtype=float))
    metric: dict[str, Any] = {"namespace": "Shop", "metric": "Orders", "statistic": "Sum"}
    metrics = {"errors": SourceMetric(**metric), "requests": SourceMetric(**metric)}
    detectors = [
        Detector("single", **metric),
        Detector("hourly", **metric, period=3_600),
        Detector("ratio", expression="100 * errors / requests", metrics=metrics),
        Detector("wrong", expression="errors / (requests", metrics=metrics),
    ]

    found = read_many(client_of_ours(aws), detectors, NOW - HOUR, NOW)

    assert isinstance(found["wrong"], RejectedRequest)
    assert "Error in expression 'd0': Invalid syntax" in str(found["wrong"])
    values = {
        name: each.values.tolist() for name, each in found.items() if isinstance(each, Series)
    }
    assert values["single"] == list(range(12))
    assert values["hourly"] == [66]
    assert np.isnan(values["ratio"][0])
    assert values["ratio"][1:] == [100] * 11


def client_of_ours(aws: LocalAws) -> Any:
    """A client whose errors are ours, as the functions have it."""
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": aws.endpoint_url}):
        return client.__wrapped__("cloudwatch")
