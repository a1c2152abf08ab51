"""Histories of detectors' metrics, as long as CloudWatch keeps them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cutwatch.detectors.detector import Detector
from cutwatch.errors import CutwatchError, InvalidInput
from cutwatch.timeseries.queries import metric_data_queries
from cutwatch.timeseries.reader import Read, read_many
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import earliest_readable, newest_end
from cutwatch.timestamps import floor_to_period
from cutwatch.wording import count
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.stacks.account import time_of
from cutwatch_cli.stacks.published_datapoints import TranslatingCloudWatch

# The setting DataDelayMinutes of the template: later datapoints may still change.
DATA_DELAY = timedelta(minutes=15)

History = Mapping[str, MetricSeries | CutwatchError]


def account_time(cloudwatch: Any, detector: Detector) -> datetime:
    """Return the account's time, which on the local AWS is that of its clock, by a read of the detector's metric."""
    now = floor_to_period(datetime.now(UTC), detector.period)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=metric_data_queries(detector, 0),
        StartTime=now - timedelta(seconds=detector.period),
        EndTime=now,
    )
    return time_of(answer)


def read_history(
    cloudwatch: Any, detectors: Sequence[Detector], now: datetime, span: timedelta | None = None
) -> History:
    """Return, by name, all that CloudWatch keeps of the detectors' metrics, or of the last `span`.

    A history begins with the metric's first datapoint. A detector that cannot be read, or has fewer than two datapoints,
    has an error instead.
    """
    by_range: dict[tuple[datetime, datetime], list[Detector]] = defaultdict(list)
    for detector in detectors:
        by_range[_readable(detector, now, span)].append(detector)
    found: Read = {}
    client = cast("Any", TranslatingCloudWatch(cloudwatch))
    for (start, end), together in by_range.items():
        found |= read_many(client, together, start, end)
    return {each.name: _history(each, found[each.name]) for each in detectors}


def _readable(
    detector: Detector, now: datetime, span: timedelta | None
) -> tuple[datetime, datetime]:
    start, end = (
        earliest_readable(detector.period, now),
        newest_end(detector, now, DATA_DELAY),
    )
    if span is not None:
        start = max(start, floor_to_period(end - span, detector.period))
    return min(start, end), end


def _history(detector: Detector, read: Series | CutwatchError) -> MetricSeries | CutwatchError:
    if not isinstance(read, Series):
        return read
    series = read.from_first()
    if series.reported < 2:
        return InvalidInput(
            f"CloudWatch has {count(series.reported, 'datapoint')} of {detector.metric_label} "
            f"from {read.start:%Y-%m-%d} on; are namespace, metric, dimensions, statistic and region right?"
        )
    return MetricSeries(detector.period, series.start, series.values.tolist())
