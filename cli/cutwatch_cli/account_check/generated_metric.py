"""The metric of a check: four days with a daily rhythm, and a spike in the last hour."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import pi, sin
from typing import Any

from cutwatch.aws.limits import PUT_METRIC_DATA_MAX_DATUMS
from cutwatch_cli.account_check.throwaway import HISTORY_DAYS, METRIC, PERIOD, Throwaway

_STEP = timedelta(seconds=PERIOD)
_DAYS = HISTORY_DAYS + 1
_LEVEL, _RHYTHM, _NOISE, _SPIKE = 100.0, 20.0, 2.0, 900.0
# The spike ends before the window does, so every part of it is scored.
_SPIKE_FROM, _SPIKE_TO = timedelta(minutes=60), timedelta(minutes=40)
_SEED = 1


def publish(throwaway: Throwaway, now: datetime) -> int:
    """Publish the datapoints up to a time and return their number."""
    cloudwatch = throwaway.account.client("cloudwatch")
    datums = list(_datums(now))
    for first in range(0, len(datums), PUT_METRIC_DATA_MAX_DATUMS):
        cloudwatch.put_metric_data(
            Namespace=throwaway.source_namespace,
            MetricData=datums[first : first + PUT_METRIC_DATA_MAX_DATUMS],
        )
    return len(datums)


def _datums(now: datetime) -> Iterator[dict[str, Any]]:
    noise = random.Random(_SEED)  # noqa: S311 - test data
    end = datetime.fromtimestamp(now.timestamp() // PERIOD * PERIOD, now.tzinfo)
    at = end - timedelta(days=_DAYS)
    while at < end:
        spike = end - _SPIKE_FROM <= at < end - _SPIKE_TO
        usual = _LEVEL + _RHYTHM * sin(2 * pi * at.timestamp() / 86_400) + noise.gauss(0, _NOISE)
        yield {"MetricName": METRIC, "Timestamp": at, "Value": _SPIKE if spike else usual}
        at += _STEP
