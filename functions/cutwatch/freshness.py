"""How old models and transforms are, as metrics: an alarm cannot look back a month itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from cutwatch.metrics import HOURS_SINCE_TRANSFORM, MODEL_AGE_DAYS, Datum, datum
from cutwatch.moments import parse_moment
from cutwatch.records import DetectorRecord

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def freshness_datums(
    records: Mapping[str, DetectorRecord], last_transform: datetime, now: datetime
) -> list[Datum]:
    """The age of each detector's model in days and of its published window in hours, and the totals.

    The totals have no dimensions: the age of the oldest model, and the time since the last transform ended, whatever
    it found.
    """
    models = {
        name: (now - parse_moment(record.models[0].scheduled_time)) / _DAY
        for name, record in records.items()
        if record.models
    }
    windows = {
        name: (now - record.published_through) / _HOUR
        for name, record in records.items()
        if record.published_through
    }
    datums = [datum(HOURS_SINCE_TRANSFORM, (now - last_transform) / _HOUR, now)]
    if models:
        datums.append(datum(MODEL_AGE_DAYS, max(models.values()), now))
    for metric, ages in ((MODEL_AGE_DAYS, models), (HOURS_SINCE_TRANSFORM, windows)):
        datums += [datum(metric, age, now, {"Detector": name}) for name, age in ages.items()]
    return datums
