"""The metric of a check: a day with noise around a level, and after a training a spike."""

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from cutwatch.aws.limits import PUT_METRIC_DATA_MAX_DATUMS
from cutwatch_cli.account_check.throwaway import HISTORY_DAYS, METRIC, PERIOD, Throwaway
from cutwatch_cli.stacks.refusal import Refused

_STEP, _HISTORY = timedelta(seconds=PERIOD), timedelta(days=HISTORY_DAYS)
_LEVEL, _NOISE, _SPIKE = 100.0, 2.0, 10_000.0
_SEED = 1
_PATIENCE_SECONDS, _PAUSE_SECONDS = 900, 2


def publish_history(throwaway: Throwaway, now: datetime) -> str:
    """Publish a day up to a time, wait until its end can be read, and say how much of it can. Raises `Refused`."""
    end = whole_period(now)
    noise = random.Random(_SEED)  # noqa: S311 - test data
    values = [(at, noise.gauss(_LEVEL, _NOISE)) for at in _times(end - _HISTORY, end)]
    _put(throwaway, values)
    readable = _await(throwaway, end - _HISTORY, end, _LEVEL - 5 * _NOISE)
    return f"{len(values)} datapoints, {readable} of them readable"


def publish_spike(throwaway: Throwaway, start: datetime, end: datetime) -> str:
    """Publish a spike between two times and wait until it can be read. Raises `Refused`."""
    values = [(at, _SPIKE) for at in _times(start, end)]
    _put(throwaway, values)
    _await(throwaway, start, end, _SPIKE)
    return f"{len(values)} datapoints of a spike"


def whole_period(at: datetime) -> datetime:
    """Round a time down to a period."""
    return datetime.fromtimestamp(at.timestamp() // PERIOD * PERIOD, at.tzinfo)


def _times(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += _STEP


def _put(throwaway: Throwaway, values: list[tuple[datetime, float]]) -> None:
    datums = [{"MetricName": METRIC, "Timestamp": at, "Value": value} for at, value in values]
    for first in range(0, len(datums), PUT_METRIC_DATA_MAX_DATUMS):
        throwaway.account.client("cloudwatch").put_metric_data(
            Namespace=throwaway.source_namespace,
            MetricData=datums[first : first + PUT_METRIC_DATA_MAX_DATUMS],
        )


def _await(throwaway: Throwaway, start: datetime, end: datetime, least: float) -> int:
    """Wait until the newest datapoint, of at least this value, can be read; return the number that can."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = _read(throwaway, start, end)
        if found.get(end - _STEP, 0.0) >= least:
            return len(found)
        if time.monotonic() > deadline:
            minutes = _PATIENCE_SECONDS // 60
            raise Refused(
                f"CloudWatch does not show the newest datapoint of {METRIC} in {minutes} minutes"
            )
        time.sleep(_PAUSE_SECONDS)


def _read(throwaway: Throwaway, start: datetime, end: datetime) -> dict[datetime, float]:
    metric = {"Namespace": throwaway.source_namespace, "MetricName": METRIC}
    query: Any = {
        "Id": "m",
        "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": "Maximum"},
    }
    answer = throwaway.account.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=start, EndTime=end
    )["MetricDataResults"][0]
    return dict(zip(answer["Timestamps"], answer["Values"], strict=True))
