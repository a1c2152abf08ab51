"""A picture and tables of one detector's metric, scores and anomalies."""

from local.report.detector_report import DetectorReport, Event, events
from local.report.figure import draw
from local.report.tables import PlantedOutcome, found, planted_table, table

__all__ = [
    "DetectorReport",
    "Event",
    "PlantedOutcome",
    "draw",
    "events",
    "found",
    "planted_table",
    "table",
]
