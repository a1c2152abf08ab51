import re
from xml.etree import ElementTree as ET

from cutwatch.reports.hour_page import to_html
from cutwatch.reports.hour_report import HourReport
from cutwatch.reports.trends import trends
from tests.support.hour_reports import HOUR, a_report, a_summary, a_tally, an_anomaly


def page(report: HourReport, *before: HourReport) -> str:
    return to_html(report, trends(report, before))


def test_a_page_has_totals_trends_explanations_and_anomalies() -> None:
    found = page(a_report(), a_report())
    assert "shop: 2026-11-28 17:00 UTC, one hour" in found
    assert "100 records, 2 anomalous records, 1 server error, mean response time 200 ms, 4 records not scored." in found  # fmt: skip
    assert "2 records, such as: <code>POST /cart</code> took 4.2 s, usually 0.1–0.3 s at this hour" in found  # fmt: skip
    assert "<td >17:01:01</td><td ><code>POST /cart 2xx</code></td>" in found
    assert "200 ms (200 ms to 200 ms)" in found
    assert "not JSON" in found


def test_minutes_with_anomalies_are_marked_in_both_panels() -> None:
    quiet = a_tally(anomalies=0)
    found = page(a_report(a_summary(minutes={"3": quiet, "4": a_tally(), "5": quiet, "9": quiet})))
    svg = re.search(r"<svg.*</svg>", found)
    assert svg
    drawing = ET.fromstring(svg[0])
    classes = [each.get("class") for each in drawing.iter()]
    assert classes.count("marked") == classes.count("anomaly") == 2
    assert classes.count("metric") == classes.count("score") == 2
    assert "2 anomalous records in 1 minute" in found


def test_what_records_contain_cannot_become_markup() -> None:
    hostile = "<script>alert(1)</script>"
    report = a_report(
        a_summary(
            paths={hostile: a_tally()},
            levels={hostile: a_tally()},
            rejected={hostile: 1},
            anomalies=[
                an_anomaly(path=hostile, method=hostile, reasons=[f"`{hostile}` is\x1b rare"])
            ],
        )
    )
    found = page(report)
    assert "<script" not in found
    assert "\x1b" not in found
    assert "&lt;script&gt;" in found


def test_a_page_needs_nothing_else() -> None:
    assert not re.search(r"(?:src|href)=|url\(|@import", page(a_report(), a_report()))


def test_an_hour_without_anomalies_says_so() -> None:
    found = page(a_report(a_summary(anomalies=[], reasons={}, minutes={"1": a_tally(anomalies=0)})))
    assert "There were none." in found
    assert "There is no report of this hour on the seven days before." in found


def test_an_empty_hour_has_a_page() -> None:
    assert "0 records" in page(HourReport("shop", HOUR))
