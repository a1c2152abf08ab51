"""Reports of detectors: a page with charts, and tables for the terminal."""

from cutwatch_cli.report.detector_report import DetectorReport
from cutwatch_cli.report.report_page import MOST_DETECTORS, Page, verdict, worst_first, write_page
from cutwatch_cli.report.tables import PlantedOutcome, found, planted_table, table

__all__ = [
    "MOST_DETECTORS",
    "DetectorReport",
    "Page",
    "PlantedOutcome",
    "found",
    "planted_table",
    "table",
    "verdict",
    "worst_first",
    "write_page",
]
