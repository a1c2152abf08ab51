"""The report of an hour as CSV: a line per minute."""

import csv
import io

from cutwatch.reports.hour_report import HourReport, mean_seconds

COLUMNS = (
    "minute",
    "records",
    "errors",
    "anomalies",
    "mean_response_seconds",
    "highest_score",
)


def to_csv(report: HourReport) -> str:
    """Return the minutes of a report in the order of time; those without records are left out."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for minute, tally in sorted(report.minutes.items(), key=lambda each: int(each[0])):
        seconds = mean_seconds(tally)
        time = report.begin.replace(minute=int(minute))
        writer.writerow(
            [
                time.isoformat().replace("+00:00", "Z"),
                tally.records,
                tally.errors,
                tally.anomalies,
                "" if seconds is None else f"{seconds:.6f}",
                f"{tally.score:.6f}",
            ]
        )
    return written.getvalue()
