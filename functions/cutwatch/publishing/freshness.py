"""The ages of models and transforms as metrics, because an alarm cannot look back a month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cutwatch.aws.cloudwatch import Datum, datum
from cutwatch.metric_names import HOURS_SINCE_TRANSFORM, MODEL_AGE_DAYS
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.timestamps import parse_timestamp

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Overdue:
    """Ages from which a model (days) or a published window (hours) has a metric of its detector."""

    model_days: float
    transform_hours: float


def freshness_datums(
    records: Mapping[str, DetectorRecord], last_transform: datetime, overdue: Overdue, now: datetime
) -> list[Datum]:
    """Return the age of the oldest model and the time since the last transform, and both by detector if overdue.

    Publishing the ages of all detectors would cost more than a weekly detector does.
    """
    models = {
        name: (now - parse_timestamp(record.models[0].scheduled_time)) / _DAY
        for name, record in records.items()
        if record.models
    }
    windows = {
        name: (now - record.published_through) / _HOUR
        for name, record in records.items()
        if record.published_through
    }
    totals = [datum(HOURS_SINCE_TRANSFORM, (now - last_transform) / _HOUR, now)]
    if models:
        totals.append(datum(MODEL_AGE_DAYS, max(models.values()), now))
    return [
        *totals,
        *_above(overdue.model_days, MODEL_AGE_DAYS, models, now),
        *_above(overdue.transform_hours, HOURS_SINCE_TRANSFORM, windows, now),
    ]


def _above(limit: float, metric: str, ages: Mapping[str, float], now: datetime) -> list[Datum]:
    return [
        datum(metric, age, now, {"Detector": name}) for name, age in ages.items() if age > limit
    ]
