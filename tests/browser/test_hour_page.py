"""The page of an hour in Chromium: wide, and on a phone."""

from pathlib import Path

import pytest

from cutwatch.reports.hour_page import to_html
from tests.support.chromium import PHONE, WIDE, Browser
from tests.support.hour_reports import a_report, a_summary, an_anomaly

pytestmark = pytest.mark.browser

LONG = "`GET /catalogue/{id}/availability-in-stores` took 4.2 s, usually 0.055–0.17 s at this hour"
WIDTHS = """
const width = e => document.querySelector(e).getBoundingClientRect().width;
return {page: document.documentElement.scrollWidth, reasons: width(".anomalies td:last-child"),
        letters: parseFloat(getComputedStyle(document.querySelector("svg")).fontSize) * width("svg") / 960};
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    anomalies = [an_anomaly(f"shop-0:{n}", reasons=[LONG, LONG]) for n in range(3)]
    path = tmp_path / "hour.html"
    path.write_text(to_html(a_report(a_summary(anomalies=anomalies)), ()))
    return path


def test_on_a_phone_reasons_have_the_whole_width_and_the_chart_can_be_read(
    browser: Browser, page: Path
) -> None:
    browser.resize(PHONE)
    browser.open(page)
    found = browser.run(WIDTHS)
    assert found["page"] <= PHONE[0]
    assert found["reasons"] >= 0.9 * PHONE[0] - 28
    assert found["letters"] >= 11


def test_on_a_wide_screen_anomalies_are_a_table_with_heads(browser: Browser, page: Path) -> None:
    browser.resize(WIDE)
    browser.open(page)
    heads = "return getComputedStyle(document.querySelector('.anomalies thead')).display"
    assert browser.run(heads) == "table-header-group"
    assert browser.run(WIDTHS)["letters"] >= 11
