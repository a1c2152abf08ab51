"""The report of an hour as CSV: a line for the total, and for each minute, path and level."""

import csv
import io
from collections.abc import Iterator

from cutwatch.errors import legible
from cutwatch.reports.hour_report import HourReport, mean_seconds
from cutwatch.streams.log_summary import Tally

COLUMNS = (
    "group",
    "name",
    "records",
    "errors",
    "anomalies",
    "mean_response_seconds",
    "highest_score",
)
# Spreadsheets take a cell that begins with one of these for a formula, and clients choose paths.
_FORMULA = ("=", "+", "-", "@")


def to_csv(report: HourReport) -> str:
    """Return a report's tallies; minutes without records are left out, paths and levels follow with the most records first."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for group, name, tally in _tallies(report):
        seconds = mean_seconds(tally)
        writer.writerow(
            [
                group,
                _cell(name),
                tally.records,
                tally.errors,
                tally.anomalies,
                "" if seconds is None else f"{seconds:.6f}",
                f"{tally.score:.6f}",
            ]
        )
    return written.getvalue()


def _tallies(report: HourReport) -> Iterator[tuple[str, str, Tally]]:
    yield "total", _time(report, 0), report.total
    for minute, tally in sorted(report.minutes.items(), key=lambda each: int(each[0])):
        yield "minute", _time(report, int(minute)), tally
    for group, tallies in (("path", report.paths), ("level", report.levels)):
        for name, tally in sorted(tallies.items(), key=lambda each: (-each[1].records, each[0])):
            yield group, name, tally


def _time(report: HourReport, minute: int) -> str:
    return report.begin.replace(minute=minute).isoformat().replace("+00:00", "Z")


def _cell(name: str) -> str:
    text = legible(name)
    return f"'{text}" if text.startswith(_FORMULA) else text
