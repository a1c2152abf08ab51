"""The metrics of a window and of its summary."""

from datetime import UTC, datetime

import numpy as np

from cutwatch.aws.cloudwatch import Datum, datum
from cutwatch.detection.anomalies import WindowAnomalies
from cutwatch.metric_names import (
    ANOMALOUS_DATAPOINTS,
    ANOMALOUS_DATAPOINTS_TOGETHER,
    ANOMALY,
    ANOMALY_SCORE,
    MAX_ANOMALY_SCORE,
)
from cutwatch.registry.outcome import Outcome


def datapoint_datums(found: WindowAnomalies, detector: str) -> list[Datum]:
    """Return 0 or 1 for every datapoint, and its score if it has one, at the time of the datapoint."""
    dimensions = {"Detector": detector}
    datums = []
    for epoch, anomaly, score in zip(
        found.epochs.tolist(), found.anomalies.tolist(), found.scores.tolist(), strict=True
    ):
        time = datetime.fromtimestamp(epoch, UTC)
        datums.append(datum(ANOMALY, anomaly, time, dimensions))
        if not np.isnan(score):
            datums.append(datum(ANOMALY_SCORE, score, time, dimensions))
    return datums


def summary_datums(outcome: Outcome, now: datetime) -> list[Datum]:
    """Return the metrics that alarms read, at the present time: alarms ignore datapoints of the past."""
    values = {
        ANOMALOUS_DATAPOINTS: outcome.anomalous_datapoints,
        MAX_ANOMALY_SCORE: outcome.max_anomaly_score,
        ANOMALOUS_DATAPOINTS_TOGETHER: outcome.datapoints_together,
    }
    dimensions = {"Detector": outcome.detector}
    return [datum(n, v, now, dimensions) for n, v in values.items() if v is not None]
