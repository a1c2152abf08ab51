from cutwatch.reports.hour_csv import to_csv
from tests.support.hour_reports import a_report, a_summary, a_tally


def test_minutes_are_lines_in_the_order_of_time() -> None:
    report = a_report(a_summary(minutes={"10": a_tally(), "2": [5, 0, 0, 0, 0.0, 1.5]}))
    assert to_csv(report).splitlines() == [
        "minute,records,errors,anomalies,mean_response_seconds,highest_score",
        "2026-11-28T17:02:00Z,5,0,0,,1.500000",
        "2026-11-28T17:10:00Z,100,1,2,0.200000,3.000000",
    ]
