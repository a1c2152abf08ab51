import csv
import io

from cutwatch.reports.hour_csv import to_csv
from cutwatch.reports.hour_report import HourReport
from tests.support.hour_reports import a_report, a_summary, a_tally


def lines(report: HourReport) -> list[str]:
    return to_csv(report).splitlines()


def test_a_report_is_its_total_minutes_paths_and_levels() -> None:
    report = a_report(a_summary(minutes={"10": a_tally(), "2": [5, 0, 0, 0, 0.0, 1.5]}))
    assert lines(report) == [
        "group,name,records,errors,anomalies,mean_response_seconds,highest_score",
        "total,2026-11-28T17:00:00Z,105,1,2,0.200000,3.000000",
        "minute,2026-11-28T17:02:00Z,5,0,0,,1.500000",
        "minute,2026-11-28T17:10:00Z,100,1,2,0.200000,3.000000",
        "path,/cart,100,1,2,0.200000,3.000000",
        "level,INFO,100,1,2,0.200000,3.000000",
    ]


def test_a_path_cannot_become_a_formula_or_another_line() -> None:
    hostile = ['=HYPERLINK("http://x")', "@x", "/a\nb", '/q"uote,comma']
    report = a_report(a_summary(paths=dict.fromkeys(hostile, a_tally())))
    rows = [*csv.reader(io.StringIO(to_csv(report)))]
    assert {row[1] for row in rows if row[0] == "path"} == {
        '\'=HYPERLINK("http://x")',
        "'@x",
        "'/a\\nb'",
        '/q"uote,comma',
    }
