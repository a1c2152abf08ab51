"""Metrics and their published anomalies, read from CloudWatch with as many detectors per call as it allows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from botocore.exceptions import ClientError

from cutwatch.aws.clients import translate
from cutwatch.aws.limits import metric_retention
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.errors import CutwatchError, RejectedRequest
from cutwatch.metric_names import ANOMALY, ANOMALY_SCORE
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.reader import Read, read_many
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import lead_in_start
from cutwatch.timestamps import parse_timestamp

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@dataclass(frozen=True, eq=False)
class Datapoints:
    """Columns on the grid of the detector's period, each (n,), NaN or None where there is no datapoint."""

    start: datetime
    values: Floats
    scores: Floats
    anomalies: list[int | None]

    def classified(self, period: int) -> list[int]:
        """Return the epoch seconds at which CloudWatch shows whether a datapoint is anomalous."""
        first = int(self.start.timestamp())
        return [
            first + period * place for place, flag in enumerate(self.anomalies) if flag is not None
        ]

    def with_events(self, events: Sequence[AnomalyEvent], period: int) -> "Datapoints":
        """Add the recorded events' datapoints that CloudWatch does not show."""
        anomalies = list(self.anomalies)
        for event in events:
            first, last = (
                int((parse_timestamp(time) - self.start).total_seconds()) // period
                for time in (event.start, event.end)
            )
            for place in range(max(first, 0), min(last + 1, len(anomalies))):
                anomalies[place] = 1 if anomalies[place] is None else anomalies[place]
        return replace(self, anomalies=anomalies)


@dataclass(frozen=True)
class _CloudWatch:
    """A client that raises `RejectedRequest` for invalid requests, as the functions' clients do, and passes other errors."""

    client: Any

    def get_metric_data(self, **request: Any) -> Any:
        try:
            return self.client.get_metric_data(**request)
        except ClientError as error:
            translated = translate("GetMetricData", error)
            if isinstance(translated, RejectedRequest):
                raise translated from error
            raise


def read_published(
    cloudwatch: Any, namespace: str, detectors: Sequence[Detector], since: datetime, until: datetime
) -> Mapping[str, Datapoints | CutwatchError]:
    """Return, by name, the datapoints that CloudWatch still has, or the error that concerns this detector alone.

    They begin with the history of the first window from `since` on.
    """
    by_start: dict[datetime, list[tuple[int, Detector]]] = defaultdict(list)
    for number, detector in enumerate(detectors):
        kept = metric_retention(detector.period) - timedelta(seconds=detector.period)
        read_from = lead_in_start(detector.period, since)
        by_start[max(read_from, until - kept)].append((number, detector))
    found: Read = {}
    for start, together in by_start.items():
        asked = [metric for number, d in together for metric in _metrics(number, d, namespace)]
        found |= read_many(cast("CloudWatchClient", _CloudWatch(cloudwatch)), asked, start, until)
    return {d.name: _joined(number, found) for number, d in enumerate(detectors)}


def _metrics(number: int, detector: Detector, namespace: str) -> list[Detector]:
    """Return the metric and its two published metrics as detectors, so that one call reads all three."""
    published = [
        Detector(
            name=f"{number}.{metric}",
            namespace=namespace,
            metric=metric,
            statistic="Maximum",
            dimensions={"Detector": detector.name},
            period=detector.period,
        )
        for metric in (ANOMALY, ANOMALY_SCORE)
    ]
    return [replace(detector, name=f"{number}.value"), *published]


def _joined(number: int, found: Read) -> Datapoints | CutwatchError:
    parts = [found[f"{number}.{name}"] for name in ("value", ANOMALY, ANOMALY_SCORE)]
    series = [part for part in parts if isinstance(part, Series)]
    errors = [part for part in parts if isinstance(part, CutwatchError)]
    if errors:
        return errors[0]
    value, anomaly, score = series
    flags = [None if np.isnan(flag) else int(flag) for flag in anomaly.values.tolist()]
    return Datapoints(value.start, value.values, score.values, flags)
